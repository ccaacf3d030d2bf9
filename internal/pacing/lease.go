package pacing

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"fanfare/internal/redisx"
)

// leaseRequest is what a replica asks of Redis.
type leaseRequest struct {
	keys     []string // the pace, and for a project its halts
	want     int      // permits; 0 only reads the state
	pace     Settings // valid unless an operator has set others; their interval is not used
	interval float64  // from one push to the next at full rate, in µs
	idle     time.Duration
	share    time.Duration // the longest lease, but at least one push
	maxGate  time.Duration
	id       string        // the same in all repeats of one request
	unspent  time.Duration // time given back, leased in the era `known`
	known    int64         // the buffer's era when it asked
	voids    int           // the buffer's count of voids when it asked
}

// leaseReply is a lease: n permits at even distances from `from` to before `until`, in µs of the
// server's clock. With n 0, status says why and `again` says when to ask again.
type leaseReply struct {
	now, era           int64
	status             string
	n                  int
	from, until, again int64
	gate               int64 // when the gate ends or ended
}

// The statuses of lua/lease.lua.
const (
	statusOpen  = "open"
	statusAhead = "ahead" // the cursor is beyond the horizon: all permits of the near future are leased
	statusGate  = "gate"
	statusHalt  = "halt"
)

func (b *sharedState) lease(ctx context.Context, a leaseRequest) (leaseReply, error) {
	reply, err := b.run(ctx, leaseScript, a.keys,
		a.want, number(a.interval), a.pace.Ramp.Microseconds(), flag(a.pace.AvoidQuarterHours), a.idle.Microseconds(),
		a.share.Microseconds(), horizon.Microseconds(), a.maxGate.Microseconds(), a.id, a.unspent.Microseconds(), a.known)
	if err != nil {
		return leaseReply{}, err
	}
	list, ok := reply.([]any)
	if !ok || len(list) != 8 {
		return leaseReply{}, redisx.ErrReply
	}
	var got leaseReply
	if got.status, ok = list[2].(string); !ok {
		return leaseReply{}, redisx.ErrReply
	}
	var n int64
	for i, into := range map[int]*int64{0: &got.now, 1: &got.era, 3: &n, 4: &got.from, 5: &got.until, 6: &got.again, 7: &got.gate} {
		if *into, ok = list[i].(int64); !ok {
			return leaseReply{}, redisx.ErrReply
		}
	}
	if n < 0 || n > int64(a.want) || (n > 0 && got.until <= got.from) {
		return leaseReply{}, redisx.ErrReply
	}
	got.n = int(n)
	return got, nil
}

const (
	// leaseTimeout bounds one request, with the client's repeats.
	leaseTimeout = 2 * time.Second
	// recheckInterval is how soon a refused replica asks again, even if Redis named a later time.
	// So a new rate takes effect without the signal.
	recheckInterval = time.Second
	// jitter spreads the requests of replicas that Redis refused at the same time.
	jitter = 5 * time.Millisecond
	// The wait after a failed request. It doubles with each failure.
	minRetryDelay, maxRetryDelay = 50 * time.Millisecond, time.Second
	// warnInterval is how often the log says that Redis is away.
	warnInterval = 10 * time.Second
)

// requestLease asks Redis for a share. The caller holds the lock; the reply comes later.
func (g *Governor) requestLease(ctx context.Context, p *permitBuffer, want int, now time.Time) {
	g.requests++
	a := leaseRequest{
		keys: p.keys, want: want, pace: p.pace, interval: p.interval, idle: g.o.Idle, share: p.shareTime(), maxGate: g.o.MaxGate,
		id: fmt.Sprintf("%08x%08x", g.id, uint32(g.requests)), unspent: p.unspent, known: p.era, voids: p.voids,
	}
	p.asking, p.peek, p.unspent = true, false, 0
	p.lastAsk, p.arrived, p.spent = now, 0, 0
	g.work.Go(func() {
		leaseCtx, cancel := context.WithTimeout(ctx, leaseTimeout)
		defer cancel()
		got, err := g.shared.lease(leaseCtx, a)
		g.mu.Lock()
		defer g.mu.Unlock()
		p.asking = false
		came := time.Now()
		if err != nil {
			g.retryLater(ctx, p, came, err)
		} else {
			p.measure(came.Sub(now))
			p.failures = 0
			g.accept(p, a, got, now, came)
		}
		g.poke(came)
	})
}

// retryLater delays the next request. The replica makes up no permits while Redis is away.
func (g *Governor) retryLater(ctx context.Context, p *permitBuffer, now time.Time, err error) {
	wait := min(minRetryDelay<<min(p.failures, 10), maxRetryDelay)
	p.failures++
	p.askAfter = now.Add(wait/2 + rand.N(wait/2))
	if ctx.Err() == nil && now.Sub(g.lastWarning) >= warnInterval {
		g.lastWarning = now
		g.log.Warn("quota lease failed; pushes wait for Redis", "key", p.keys[0], "waiting", g.scheduler.waiting, "error", err)
	}
}

// accept stores a lease unless it is void by now.
func (g *Governor) accept(p *permitBuffer, a leaseRequest, got leaseReply, sent, came time.Time) {
	// An era older than the one in the request comes from a Redis that lost its data.
	void := got.era < p.era && a.known != p.era || got.era == a.known && p.voids != a.voids
	if !void && got.era != p.era {
		g.metrics.dropped.Add(float64(p.dropAll()))
		p.era = got.era
	}
	if p == g.quota {
		g.updateState(got, came)
		void = void || g.gate.isClosed(came)
	}
	switch {
	case got.n == 0:
		wait := min(micros(got.again-got.now), recheckInterval)
		if got.status == statusHalt {
			wait = recheckInterval
		}
		if !p.peek { // otherwise a signal came after Redis had answered
			p.askAfter = came.Add(max(0, wait) + rand.N(jitter))
		}
	case void:
		g.metrics.dropped.Add(float64(got.n))
	default:
		p.add(got, sent, came)
		g.metrics.shares.Inc()
		if p == g.quota {
			g.rate = float64(got.n) / float64(got.until-got.from) * 1e6
		}
	}
}

// updateState takes over the gate and the halt from a reply.
func (g *Governor) updateState(got leaseReply, came time.Time) {
	g.halted = got.status == statusHalt
	g.gate.update(came.Add(max(0, micros(got.gate-got.now))))
}
