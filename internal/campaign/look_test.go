package campaign

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"fanfare/internal/keys"
)

// commands records what a client sends.
type commands struct{ sent []string }

func (c *commands) note(command redis.Cmder) {
	c.sent = append(c.sent, strings.Join(strings.Fields(command.String()), " "))
}

func (c *commands) DialHook(next redis.DialHook) redis.DialHook { return next }

func (c *commands) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, command redis.Cmder) error {
		c.note(command)
		return next(ctx, command)
	}
}

func (c *commands) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, all []redis.Cmder) error {
		for _, command := range all {
			c.note(command)
		}
		return next(ctx, all)
	}
}

// alone returns campaigns on a miniredis of their own, with the commands that they send.
func alone(t *testing.T, o Options) (*Campaigns, *redis.Client, *commands) {
	t.Helper()
	sent := new(commands)
	rdb := redis.NewClient(&redis.Options{Addr: miniredis.RunT(t).Addr()})
	t.Cleanup(func() { _ = rdb.Close() })
	rdb.AddHook(sent)
	o.ScanEvery = time.Nanosecond
	c, err := New(rdb, keys.Default(), o)
	if err != nil {
		t.Fatal(err)
	}
	return c, rdb, sent
}

// Discover costs nothing for a list that is not claimed from: one of a campaign that is over, or
// completed and empty.
func TestALookGuardsOnlyWhatMayBeSent(t *testing.T) {
	c, _, _ := alone(t, Options{})
	for name, h := range map[string]struct {
		head
		want bool
	}{
		"completed, empty":      {head{spec: Spec{State: Completed}, found: true}, false},
		"completed, come late":  {head{spec: Spec{State: Completed}, found: true, listed: true}, true},
		"cancelled":             {head{spec: Spec{State: Cancelled}, found: true, listed: true}, false},
		"running, empty":        {head{spec: Spec{State: Running}, found: true}, true},
		"without a spec":        {head{listed: true}, true},
		"without a spec, empty": {head{}, false},
	} {
		k, err := c.keys("1")
		if err != nil {
			t.Fatal(err)
		}
		h.keys = k
		sent := new(commands)
		rdb := redis.NewClient(&redis.Options{Addr: c.rdb.(*redis.Client).Options().Addr})
		defer rdb.Close()
		rdb.AddHook(sent)
		looks := &Campaigns{rdb: rdb, names: c.names, o: c.o}
		if err := looks.guardAll(t.Context(), []head{h.head}); err != nil {
			t.Fatal(err)
		}
		if got := len(sent.sent) > 0; got != h.want {
			t.Errorf("%s: guarded %t, want %t", name, got, h.want)
		}
	}
}

// A campaign that another project adopted between two reads is not served, and is listed as
// elsewhere.
func TestAnotherProjectIsQuicker(t *testing.T) {
	c, rdb, _ := alone(t, Options{Project: "mine"})
	k, err := c.keys("1")
	if err != nil {
		t.Fatal(err)
	}
	for project, want := range map[string][2]int{"mine": {1, 0}, "other": {0, 1}} {
		if err := rdb.HSet(t.Context(), k.spec, "state", "running", "message", "{}", "project", project).Err(); err != nil {
			t.Fatal(err)
		}
		var d Discovery
		if err := c.addSpec(t.Context(), head{spec: Spec{ID: "1"}, keys: k}, rdb.HMGet(t.Context(), k.spec, allFields...), &d); err != nil {
			t.Fatal(err)
		}
		if got := [2]int{len(d.Running), len(d.Elsewhere)}; got != want {
			t.Errorf("%s: served and elsewhere %v, want %v", project, got, want)
		}
	}
}

// A draft is cancelled between the look at its start and the script that starts it. It stays
// cancelled.
func TestScheduledStartLeavesACancelledCampaign(t *testing.T) {
	c, rdb, _ := alone(t, Options{})
	if err := c.Create(t.Context(), Spec{ID: "42", Message: []byte(`{"notification":{"title":"x"}}`), StartAt: time.Now().Add(-time.Minute)}); err != nil {
		t.Fatal(err)
	}
	s, err := c.Get(t.Context(), "42")
	if err != nil {
		t.Fatal(err)
	}
	rdb.HSet(t.Context(), "{campaign:42}:spec", "state", string(Cancelled))
	k, err := c.keys("42")
	if err != nil {
		t.Fatal(err)
	}
	began, err := c.begin(t.Context(), s, k)
	if state := rdb.HGet(t.Context(), "{campaign:42}:spec", "state").Val(); err != nil || began || state != string(Cancelled) {
		t.Errorf("begun %v, %v; the state is %s", began, err, state)
	}
}
