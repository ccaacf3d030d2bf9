package pacing

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"fanfare/internal/keys"
	"fanfare/internal/queue"
	"fanfare/test/servers"
)

// patience bounds every wait for a condition. None comes close unless something is broken.
const patience = 20 * time.Second

// live is some replicas with endless pushes on a real Redis.
type live struct {
	t    *testing.T
	all  []*Governor
	sent atomic.Int64
}

func goLive(t *testing.T, replicas int, o Options, open func() redis.UniversalClient) *live {
	l := &live{t: t}
	ctx, cancel := context.WithCancel(context.Background())
	var work sync.WaitGroup
	keys := keys.Default().Project(queue.NewID())
	for range replicas {
		rdb := open()
		g, err := New(rdb, keys, o)
		must(t, err)
		l.all = append(l.all, g)
		work.Go(func() { g.Run(ctx) })
		for range 50 {
			work.Go(func() {
				for g.Wait(ctx, Push{Campaign: "42"}) == nil {
					l.sent.Add(1)
				}
			})
		}
		t.Cleanup(func() { _ = rdb.Close() })
	}
	t.Cleanup(func() {
		cancel()
		work.Wait()
	})
	return l
}

// until waits for a condition of every replica and returns how long that took.
func (l *live) until(what string, holds func(g *Governor) bool) time.Duration {
	l.t.Helper()
	began := time.Now()
	ctx, cancel := context.WithTimeout(l.t.Context(), patience)
	defer cancel()
	err := servers.Await(ctx, func() (bool, error) {
		for _, g := range l.all {
			g.mu.Lock()
			ok := holds(g)
			g.mu.Unlock()
			if !ok {
				return false, nil
			}
		}
		return true, nil
	})
	if err != nil {
		l.t.Fatalf("%s: %v", what, err)
	}
	return time.Since(began)
}

// goes waits until that many more pushes have gone.
func (l *live) goes(n int64) {
	l.t.Helper()
	from := l.sent.Load()
	l.until("pushes go", func(*Governor) bool { return l.sent.Load()-from >= n })
}

// stands fails if a push goes within a while.
func (l *live) stands(d time.Duration) {
	l.t.Helper()
	from := l.sent.Load()
	ctx, cancel := context.WithTimeout(l.t.Context(), d)
	defer cancel()
	if err := l.all[0].Wait(ctx, Push{Campaign: "another", Priority: 1}); !errors.Is(err, context.DeadlineExceeded) {
		l.t.Errorf("a wait while nothing may go: %v", err)
	}
	wantEqual(l.t, "pushes that went while nothing may", l.sent.Load()-from, 0)
}

// The signal travels over one server, or over a cluster whose nodes pass it on.
func TestReplicasOverRedis(t *testing.T) {
	single := servers.Redis(t)
	cluster := servers.RedisCluster(t)
	for name, open := range map[string]func() redis.UniversalClient{
		"redis":   func() redis.UniversalClient { return redis.NewClient(&redis.Options{Addr: single}) },
		"cluster": func() redis.UniversalClient { return redis.NewClusterClient(&redis.ClusterOptions{Addrs: cluster}) },
	} {
		t.Run(name, func(t *testing.T) {
			l := goLive(t, 4, steady(2000), open)
			l.goes(500)

			must(t, l.all[0].Halt(t.Context(), "test"))
			delay := l.until("all are halted", func(g *Governor) bool { return g.halted && g.quota.available() == 0 && !g.quota.asking })
			wantBetween(t, "all learned of the halt after", delay, 0, 2*time.Second)
			l.stands(300 * time.Millisecond)
			must(t, l.all[1].Resume(t.Context()))
			l.goes(500)

			slow := steady(2000).Settings
			slow.Quota = 1
			must(t, l.all[2].Set(t.Context(), slow))
			l.until("all use the slow pace", func(g *Governor) bool { return g.quota.available() == 0 && g.quota.askAfter.After(time.Now()) })
			l.stands(300 * time.Millisecond)
			must(t, l.all[3].Reset(t.Context()))
			began := time.Now()
			l.goes(500)
			wantBetween(t, "at the old pace after", time.Since(began), 0, 2*time.Second)

			must(t, l.all[3].CloseGate(t.Context(), time.Minute, "429"))
			delay = l.until("the gate is closed for all", func(g *Governor) bool { return g.gate.isClosed(time.Now()) && !g.quota.asking })
			wantBetween(t, "all learned of the gate after", delay, 0, 2*time.Second)
			l.stands(300 * time.Millisecond)
		})
	}
}
