package queue_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"fanfare/internal/keys"
	"fanfare/internal/queue"
	"fanfare/internal/redisx"
	"fanfare/test/backends"
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
	b := backends.OpenMiniredis(t)
	list, err := keys.Default().Campaign("42")
	if err != nil {
		t.Fatal(err)
	}
	q, err := queue.New(b.Redis, list, queue.Options{}) // emits nothing
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

// wrongTypeMovesNothing gives each key in turn another type and tries every operation that needs
// it. All keys must stay as they were.
func wrongTypeMovesNothing(t *testing.T, b *backends.Backend) {
	for _, key := range []string{"", "back", "retry", "leases", "lease:claim", "counts", "outbox", "load:load", "gate"} {
		list, err := keys.Default().Campaign("x holds y, want z " + queue.NewID())
		if err != nil {
			t.Fatal(err)
		}
		gate := list.Key("gate")
		q, err := queue.New(b.Redis, list, queue.Options{
			Emit: list.Key("outbox"), GateKey: gate, Gate: []queue.Field{{Name: "state", Value: "running"}},
		})
		if err != nil {
			t.Fatal(err)
		}
		f := fixture{tester: t, Queue: q, rdb: b.Redis, list: list}
		f.push("a", "b", "c")
		f.rdb.HSet(t.Context(), gate, "state", "running")
		f.claimAs("claim", 1)
		f.claimAs("expired", 1)
		f.expire("expired")

		wrong := list.Plain()
		if key != "" {
			wrong = list.Key(key)
		}
		f.rdb.Del(t.Context(), wrong)
		f.rdb.SAdd(t.Context(), wrong, "of another type")
		for operation, call := range map[string]func(context.Context) error{
			"claim":       func(ctx context.Context) error { _, err := q.Claim(ctx, queue.NewID(), 2); return err },
			"claim again": func(ctx context.Context) error { _, err := q.Claim(ctx, "claim", 2); return err },
			"put off": func(ctx context.Context) error {
				_, err := q.Settle(ctx, []queue.Settlement{{Claim: "claim", Pos: 1, Later: true}})
				return err
			},
			"extend": func(ctx context.Context) error { _, err := q.Extend(ctx, "claim"); return err },
			"settle": func(ctx context.Context) error {
				_, err := q.Settle(ctx, []queue.Settlement{sent("claim", 1, "r")})
				return err
			},
			"give back": func(ctx context.Context) error { _, err := q.GiveBack(ctx, "claim"); return err },
			"reap":      func(ctx context.Context) error { _, err := q.Reap(ctx); return err },
			"count":     func(ctx context.Context) error { _, err := q.Count(ctx); return err },
			"append": func(ctx context.Context) error {
				_, err := q.Append(ctx, queue.Batch{Load: "load", Elements: [][]byte{[]byte("d")}, TTL: time.Hour})
				return err
			},
		} {
			if !needs[operation][key] {
				continue
			}
			before := f.dump()
			err := call(t.Context())
			bad, ok := errors.AsType[*redisx.TypeError](err)
			if !ok || bad.Key != wrong || bad.Holds != "set" {
				t.Errorf("%s with %s a set: %v", operation, wrong, err)
			}
			if after := f.dump(); after != before {
				t.Errorf("%s with %s a set moved something:\nfrom %s\n  to %s", operation, wrong, before, after)
			}
		}
	}
}

// needs lists which operation uses which key.
var needs = map[string]map[string]bool{
	"claim":       {"": true, "back": true, "retry": true, "leases": true, "counts": true, "outbox": true, "gate": true},
	"claim again": {"": true, "back": true, "retry": true, "leases": true, "lease:claim": true, "counts": true, "outbox": true},
	"extend":      {"leases": true},
	"settle":      {"leases": true, "counts": true, "lease:claim": true, "outbox": true},
	"put off":     {"leases": true, "retry": true, "counts": true, "lease:claim": true},
	"give back":   {"leases": true, "back": true, "counts": true, "lease:claim": true},
	"reap":        {"leases": true, "back": true, "counts": true},
	"count":       {"": true, "back": true, "retry": true, "counts": true, "outbox": true},
	"append":      {"": true, "counts": true, "load:load": true},
}

// unreadableCountsAreNamed writes counts that are no numbers. The error must name the field.
func unreadableCountsAreNamed(t *testing.T, b *backends.Backend) {
	f := open(t, b, queue.Options{})
	counts := f.list.Key(keys.SuffixCounts)
	for field, value := range map[string]string{
		"claimed": "nan", "seen": "", "ended:sent": "9223372036854775807", "code:failed:X": "-9223372036854775808", "later:x": "1e3",
	} {
		f.rdb.HSet(t.Context(), counts, field, value)
		_, err := f.Count(t.Context())
		if wrong, ok := errors.AsType[*queue.FigureError](err); !ok || wrong.Field != (queue.Field{Name: field, Value: value}) {
			t.Errorf("%s is %q: got %v", field, value, err)
		}
		f.rdb.HDel(t.Context(), counts, field)
	}
	if _, err := f.Count(t.Context()); err != nil {
		t.Errorf("after the fields were deleted: %v", err)
	}
}
