package queue_test

import (
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"fanfare/internal/keys"
	"fanfare/internal/queue"
)

func TestNewRefuses(t *testing.T) {
	rdb := redis.NewClient(&redis.Options{})
	t.Cleanup(func() { _ = rdb.Close() })
	list, err := keys.Default().Campaign("42")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := queue.New(rdb, list, queue.Options{Emit: "{campaign:42}:outbox", GateKey: list.Key("spec")}); err != nil {
		t.Errorf("keys of the same slot: %v", err)
	}
	if _, err := queue.New(rdb, keys.List{}, queue.Options{}); err == nil {
		t.Error("a list without a name: no error")
	}
	for what, o := range map[string]queue.Options{
		"lease below Redis' clock": {Lease: time.Microsecond},
		"negative element":         {MaxElement: -1},
		"negative claim":           {ClaimBytes: -1},
		"negative linger":          {Linger: -1},
		"nowhere else to emit to":  {Direct: "notification:responses"},
		"emit in another slot":     {Emit: "notification:responses"},
		"gate without a key":       {Gate: []queue.Field{{Name: "state", Value: "running"}}},
		"gate in another slot":     {GateKey: "{campaign:43}:spec"},
	} {
		if _, err := queue.New(rdb, list, o); err == nil {
			t.Errorf("%s: no error", what)
		}
	}
}

func TestCallsRefused(t *testing.T) {
	b := onMiniredis(t)
	list, err := keys.Default().Campaign("42")
	if err != nil {
		t.Fatal(err)
	}
	q, err := queue.New(b.rdb, list, queue.Options{}) // emits nothing
	if err != nil {
		t.Fatal(err)
	}
	for what, call := range map[string]func() error{
		"claim without an id":   func() error { _, err := q.Claim(t.Context(), "", 1); return err },
		"claim id with a space": func() error { _, err := q.Claim(t.Context(), "a b", 1); return err },
		"claim of nothing":      func() error { _, err := q.Claim(t.Context(), "c", 0); return err },
	} {
		if call() == nil {
			t.Errorf("%s: no error", what)
		}
	}
	for what, settlement := range map[string]queue.Settlement{
		"settlement without a claim":  sent("", 1, ""),
		"settlement without a status": {Claim: "c", Pos: 1},
		"payload for nobody":          sent("c", 1, "r"),
	} {
		if _, err := q.Settle(t.Context(), []queue.Settlement{settlement}); err == nil {
			t.Errorf("%s: no error", what)
		}
	}
}
