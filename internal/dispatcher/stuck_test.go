package dispatcher

import (
	"context"
	"fmt"
	"io"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/redis/go-redis/v9"
	"golang.org/x/sync/errgroup"

	"fanfare/internal/campaign"
)

// called is an audience whose users and tokens have a name of their own.
func called(name string, n int) []string {
	return strings.Split(strings.NewReplacer("token", name, `"u0`, `"`+name+"0").Replace(strings.Join(audience(n), "\n")), "\n")
}

// sentTo counts the requests to tokens of a name, and demands that no one had two.
func (w *world) sentTo(name string) (n int) {
	w.t.Helper()
	w.sender.mu.Lock()
	defer w.sender.mu.Unlock()
	for token, times := range w.sender.sent {
		if strings.HasPrefix(token, name) {
			n += times
			if times > 1 {
				w.t.Errorf("%s was sent to %d times", token, times)
			}
		}
	}
	return n
}

// One campaign's outcomes cannot be written. All others are, and it is claimed from no more until
// its own are; its leases are held.
func TestUnwrittenOutcomesHoldUpTheirOwnCampaignOnly(t *testing.T) {
	for name, fail := range map[string]func(context.Context) error{
		"the shard is away":         func(context.Context) error { return io.EOF },
		"the shard does not answer": func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			var healed atomic.Bool
			w.campaignsBehind(func(ctx context.Context, cmd redis.Cmder, next redis.ProcessHook) error {
				if strings.HasPrefix(keysOf(cmd), "{campaign:stuck}:leases {campaign:stuck}:retry") && !healed.Load() {
					return fail(ctx)
				}
				return next(ctx, cmd)
			})
			w.options.Concurrency, w.options.Claim, w.options.AckBatch, w.options.Lease = 10, 5, 5, 1500*time.Millisecond
			w.campaign(campaign.Spec{ID: "stuck"}, called("stuck", 200)...)
			d := w.dispatcher()
			stop := w.serve(d)
			w.eventually(func() bool { return w.sentTo("stuck") > 0 })
			w.campaign(campaign.Spec{ID: "good"}, called("good", 500)...)
			w.eventually(func() bool { return w.books("good").Sent == 500 })
			most := 2*w.options.AckBatch + w.options.Concurrency + w.options.ahead() // two batches, and all slots
			if n, held := w.sentTo("stuck"), d.leases.CountOf(d.roster.get("stuck").queue); n > most || held == 0 {
				t.Errorf("%d were sent to without an outcome, and %d of their leases are held; want %d at most, and leases", n, held, most)
			}
			healed.Store(true)
			w.eventually(func() bool { return w.books("stuck").Sent == 200 })
			stop()
			if n, b := w.sentTo("stuck"), w.books("stuck"); n != 200 || !b.IsBalanced() {
				t.Errorf("%d were sent to, with the books %+v, want each once", n, b)
			}
		})
	}
}

// A shard that does not answer holds up the claims of its own campaign only.
func TestStuckShardHoldsUpItsOwnClaimsOnly(t *testing.T) {
	w := newWorld(t)
	healed := make(chan struct{})
	w.campaignsBehind(func(ctx context.Context, cmd redis.Cmder, next redis.ProcessHook) error {
		if strings.HasPrefix(keysOf(cmd), "campaign:stuck") {
			select {
			case <-healed:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		return next(ctx, cmd)
	})
	w.campaign(campaign.Spec{ID: "stuck"}, called("stuck", 5)...)
	w.campaign(campaign.Spec{ID: "good"}, called("good", 500)...)
	w.options.Concurrency, w.options.Claim, w.options.Lease = 10, 5, time.Hour // no one gives the shard up
	stop := w.serve(w.dispatcher())
	w.eventually(func() bool { return w.books("good").Sent == 500 })
	close(healed)
	w.eventually(func() bool { return w.books("stuck").Sent == 5 })
	stop()
}

// A claim that is not answered is given up before the leases of others need their shard, and its
// slots are free again.
func TestClaimIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		undone := make(chan string, 1)
		d, leases := heldBy(t, func(ctx context.Context, cmd redis.Cmder, _ redis.ProcessHook) error {
			if keys := keysOf(cmd); strings.HasPrefix(keys, "leases back counts") {
				undone <- keys
				cmd.(*redis.Cmd).SetVal([]any{int64(0), int64(1)})
				return nil
			}
			<-ctx.Done()
			return ctx.Err()
		}, "42")
		d.reporter.breakers, d.slots.free, d.claimer.claims = nil, 0, new(errgroup.Group)
		c, camp, begun := d.claimer, leases["42"].camp, time.Now()
		if err := c.claim(t.Context(), camp, 10); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(begun); took != d.opts.Lease/3 || d.slots.free != 10 {
			t.Errorf("given up after %s with %d slots free, want %s and 10", took, d.slots.free, d.opts.Lease/3)
		}
		if len(undone) != 1 {
			t.Error("what it may have taken is not given back")
		}
	})
}

// A campaign that cannot be claimed from is asked more and more seldom, and as before once it could
// be.
func TestRestsGrowWithEachFailure(t *testing.T) {
	w := newWorld(t)
	w.options.Discover = 2 * time.Second
	now := time.Now()
	w.deps.now = func() time.Time { return now }
	d := w.dispatcher()
	c, camp := d.claimer, &activeCampaign{id: "42"}
	for _, want := range []time.Duration{2, 4, 5, 5} {
		if err := c.claimFailed(camp, io.EOF); err != nil || camp.idleUntil.Sub(now) != want*time.Second {
			t.Errorf("rests for %s, want %d s; %v", camp.idleUntil.Sub(now), want, err)
		}
	}
	w.campaign(campaign.Spec{ID: "42"})
	finder := d.discoverer
	if err := finder.discover(t.Context()); err != nil {
		t.Fatal(err)
	}
	answered := d.roster.get("42")
	answered.failures = camp.failures
	if err := c.claim(t.Context(), answered, 1); err != nil {
		t.Fatal(err)
	}
	if err := c.claimFailed(answered, io.EOF); err != nil || answered.idleUntil.Sub(now) != w.options.Discover {
		t.Errorf("after a claim that was answered it rests for %s, want %s; %v", answered.idleUntil.Sub(now), w.options.Discover, err)
	}
}

// A list of another type is looked at again within seconds, and informed of once a minute.
func TestRepairedKeyIsNoticedSoon(t *testing.T) {
	w := newWorld(t)
	var lines syncBuffer
	w.deps.Logger = daemonLog(&lines)
	w.options.Discover = 2 * time.Second
	w.campaign(campaign.Spec{ID: "42"})
	if err := w.redis.Set("campaign:42", "no list"); err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	w.deps.now = func() time.Time { return now }
	d := w.dispatcher()
	c, finder := d.claimer, d.discoverer
	c.claims = new(errgroup.Group)
	if err := finder.discover(t.Context()); err != nil {
		t.Fatal(err)
	}
	camp, begun := d.roster.get("42"), now
	for now.Sub(begun) < 50*time.Second {
		if err := c.claim(t.Context(), camp, 1); err != nil {
			t.Fatal(err)
		}
		if rest := camp.idleUntil.Sub(now); rest > maxClaimBackoff || rest <= 0 {
			t.Fatalf("it rests for %s", rest)
		}
		now = camp.idleUntil
	}
	if said := lines.with("claim failed: a key has the wrong type"); len(said) != 1 {
		t.Errorf("it is said %d times: %q", len(said), said)
	}
	w.redis.Del("campaign:42")
	must(w.redis.RPush("campaign:42", audience(1)...))(t)
	if err := c.claim(t.Context(), camp, 1); err != nil {
		t.Fatal(err)
	}
	if camp.failures != 0 || camp.inflight.Load() != 1 {
		t.Errorf("after the repair %d failures, %d claimed", camp.failures, camp.inflight.Load())
	}
	if err := c.claims.Wait(); err != nil {
		t.Fatal(err)
	}
}

// Recipients whose deadline has passed are written down beside a campaign of higher priority that
// is never done.
func TestExpiredAreNotStarved(t *testing.T) {
	w := newWorld(t)
	w.campaign(campaign.Spec{ID: "high", Priority: 9}, called("high", 5)...)
	w.campaign(campaign.Spec{ID: "late"}, called("late", 5)...)
	w.campaign(campaign.Spec{ID: "low"}, called("low", 5)...)
	w.redis.SetTTL("campaign:late", time.Hour)
	d := w.dispatcher()
	finder := d.discoverer
	share := func() map[string]int {
		t.Helper()
		if err := finder.discover(t.Context()); err != nil {
			t.Fatal(err)
		}
		grants := make(map[string]int)
		for camp, n := range d.claimer.share(10) {
			grants[camp.id] = n
		}
		return grants
	}
	if got := share(); got["high"] != 10 {
		t.Errorf("shares %v, want all for the highest priority", got)
	}
	w.redis.HSet("{campaign:late}:counts", "deadline", fmt.Sprint(time.Now().Add(-time.Minute).UnixMilli()),
		"guard", fmt.Sprint(time.Now().Add(w.redis.TTL("campaign:late")).UnixMilli()))
	if got := share(); got["high"] != 5 || got["late"] != 5 || got["low"] != 0 {
		t.Errorf("shares %v, want the half for those who have expired", got)
	}
}

// Recipients who vanish from a list before anyone claims them are informed of.
func TestVanishedRecipientsAreToldOf(t *testing.T) {
	w := newWorld(t)
	var lines syncBuffer
	w.deps.Logger = daemonLog(&lines)
	w.campaign(campaign.Spec{ID: "42"}, audience(7)...)
	finder := w.dispatcher().discoverer
	look := func() {
		t.Helper()
		if err := finder.discover(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	look()
	w.redis.Del("campaign:42")
	look()
	look()
	said := lines.with("recipients vanished before they were claimed")
	if len(said) != 1 || !strings.Contains(said[0], "campaign=42 recipients=7") {
		t.Errorf("it is said %q", said)
	}
}
