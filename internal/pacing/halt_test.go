package pacing

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"fanfare/test/servers"
)

func TestHalt(t *testing.T) {
	o := steady(1000)
	o.By = "dispatcher-1"
	inBubble(t, o, func(f *fleet) {
		all := f.replicas(3, 20)
		f.pass(time.Second)
		must(t, all[0].Halt(f.t.Context(), "credentials"))
		halted := f.now()
		must(t, all[1].Halt(f.t.Context(), "breaker"))
		f.pass(time.Minute)
		wantEqual(t, "shut", all[2].IsBlocked(), true)
		free, err := all[2].ResumeFrom(f.t.Context(), "credentials")
		must(t, err)
		wantEqual(t, "free with the breaker's halt standing", free, false)
		f.pass(time.Second)
		state, err := f.governor().State(f.t.Context())
		must(t, err)
		wantEqual(t, "halts", len(state.Halts), 1)
		wantEqual(t, "halt", state.Halts[0].Reason+" by "+state.Halts[0].By, "breaker by dispatcher-1")
		wantEqual(t, "rate", state.Rate, 0)
		must(t, f.governor().Resume(f.t.Context()))
		resumed := f.now()
		f.pass(2 * time.Second)
		wantEqual(t, "sent while halted", f.count(halted+time.Millisecond, resumed-time.Millisecond), 0)
		wantBetween(t, "sent after it", f.count(resumed, resumed+time.Second), 960, 1040)
		f.stop(all)
	})
}

// A halt stops the replica that asked for it before Redis answers.
func TestHaltHoldsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, err := newGovernor(silent{}, project(), DefaultOptions())
		must(t, err)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- g.Halt(ctx, "by hand") }()
		synctest.Wait()
		wantEqual(t, "shut while Redis is asked", g.IsBlocked(), true)
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("halt: %v, want the end of its context", err)
		}
		wantEqual(t, "shut although Redis does not know", g.IsBlocked(), true)
	})
}

// A read of the state does not end a halt that is not yet in Redis. A halt that is already known
// voids nothing.
func TestHaltBeforeRedisHears(t *testing.T) {
	inBubble(t, steady(1000), func(f *fleet) {
		g := f.governor()
		f.mem.away(true)
		called := time.Now()
		if err := g.Halt(f.t.Context(), "credentials"); !errors.Is(err, errDown) {
			t.Errorf("halt: %v, want that Redis is away", err)
		}
		wantEqual(t, "ask again in", g.quota.askAfter.Sub(called), recheckInterval)
		g.quota.era = 5
		g.quota.add(leaseReply{n: 10, until: 10_000}, called, called)
		g.startEra(5)
		wantEqual(t, "held after the era that is known", g.quota.available(), 10)
		g.startEra(6)
		wantEqual(t, "held after another one", g.quota.available(), 0)
	})
}

// A listener may have missed messages before each subscription, the first included.
func TestListenerHearsOfItsSubscription(t *testing.T) {
	redisServer := miniredis.RunT(t)
	rdb := redis.NewClient(&redis.Options{Addr: redisServer.Addr()})
	t.Cleanup(func() { _ = rdb.Close() })
	received := make(chan string, 2)
	ctx, stop := context.WithCancel(t.Context())
	var listener sync.WaitGroup
	listener.Go(func() { server{rdb}.listen(ctx, "signal", func(message string) { received <- message }) })
	wantEqual(t, "received at first", servers.Receive(t, "subscription", received), "")
	redisServer.Publish("signal", "7")
	wantEqual(t, "received then", servers.Receive(t, "message", received), "7")
	stop()
	listener.Wait()
}

// Run returns when everything that it started has ended.
func TestRunWaitsForItsWork(t *testing.T) {
	inBubble(t, steady(1000), func(f *fleet) {
		r, ended := f.start(), false
		r.work.Go(func() {
			<-r.ctx.Done()
			<-time.After(time.Second)
			ended = true
		})
		r.stop()
		<-r.done
		wantEqual(t, "work has ended", ended, true)
	})
}

// silent is a Redis that never answers.
type silent struct{ asked chan<- time.Duration }

func (s silent) run(ctx context.Context, _ *redis.Script, _ []string, _ ...any) (any, error) {
	begun := time.Now()
	<-ctx.Done()
	if s.asked != nil {
		s.asked <- time.Since(begun)
	}
	return nil, ctx.Err()
}

func (silent) entries(ctx context.Context, _ string) ([]redis.XMessage, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

func (silent) listen(ctx context.Context, _ string, _ func(string)) { <-ctx.Done() }

// A request without an answer times out and is made again.
func TestTimeoutBoundsAnAsk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asked := make(chan time.Duration, 10)
		g, err := newGovernor(silent{asked}, project(), DefaultOptions())
		must(t, err)
		ctx, cancel := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() { g.Run(ctx) })
		running.Go(func() { _ = g.Wait(ctx, Push{Campaign: "42"}) })
		for range 2 {
			wantEqual(t, "time for an answer", <-asked, 2*time.Second)
		}
		cancel()
		running.Wait()
	})
}
