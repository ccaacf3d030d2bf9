package pacing

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"fanfare/internal/redisx"
)

// ask is what a lease is asked with.
type ask struct {
	keys    []string // pace, and of a project its halts
	want    int      // pushes; 0 only asks how things stand
	pace    Settings // where no operator has set others; their interval is not used
	gap     float64  // the interval from one push to the next at full rate, in µs
	idle    time.Duration
	share   time.Duration // what is leased at most, and one push at least
	maxGate time.Duration
	id      string        // the same for all repeats of one ask
	unspent time.Duration // what is given back, leased in the era known
	known   int64         // the era when it was asked
	voids   int           // how often the purse had been voided by then
}

// answer is what is leased: n pushes at even distances from one instant to before another, in µs of the server's clock.
// With n 0 the verdict says why, and again when to ask anew.
type leaseReply struct {
	now, era           int64
	verdict            string
	n                  int
	from, until, again int64
	gate               int64 // when it ends, or ended
}

// The verdicts of lua/lease.lua.
const (
	verdictOpen  = "open"
	verdictAhead = "ahead" // the cursor is beyond the horizon: all that may go soon is leased
	verdictGate  = "gate"
	verdictHalt  = "halt"
)

func (b *sharedState) lease(ctx context.Context, a ask) (leaseReply, error) {
	reply, err := b.run(ctx, leaseScript, a.keys,
		a.want, number(a.gap), a.pace.Ramp.Microseconds(), flag(a.pace.AvoidQuarterHours), a.idle.Microseconds(),
		a.share.Microseconds(), horizon.Microseconds(), a.maxGate.Microseconds(), a.id, a.unspent.Microseconds(), a.known)
	if err != nil {
		return leaseReply{}, err
	}
	list, ok := reply.([]any)
	if !ok || len(list) != 8 {
		return leaseReply{}, redisx.ErrReply
	}
	var got leaseReply
	if got.verdict, ok = list[2].(string); !ok {
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
	// askTimeout bounds one ask, repeats by the client included.
	askTimeout = 2 * time.Second
	// recheck is how soon a replica that was refused asks again, even if it was told to come later: should the signal not
	// have reached it, another rate takes effect by then.
	recheck = time.Second
	// jitter keeps replicas that were refused together from coming together.
	jitter = 5 * time.Millisecond
	// The wait after an ask that failed, doubled with each one.
	retrySoon, retryLate = 50 * time.Millisecond, time.Second
	// warnEvery is how often it is logged that Redis is away.
	warnEvery = 10 * time.Second
)

// ask leases a share. The lock is held; the reply comes later.
func (g *Governor) ask(ctx context.Context, p *permitBuffer, want int, now time.Time) {
	g.asks++
	a := ask{
		keys: p.keys, want: want, pace: p.pace, gap: p.gap, idle: g.o.Idle, share: p.shareTime(), maxGate: g.o.MaxGate,
		id: fmt.Sprintf("%08x%08x", g.id, uint32(g.asks)), unspent: p.unspent, known: p.era, voids: p.voids,
	}
	p.asking, p.peek, p.unspent = true, false, 0
	p.asked, p.came, p.spent = now, 0, 0
	g.work.Go(func() {
		asking, cancel := context.WithTimeout(ctx, askTimeout)
		defer cancel()
		got, err := g.book.lease(asking, a)
		g.mu.Lock()
		defer g.mu.Unlock()
		p.asking = false
		came := time.Now()
		if err != nil {
			g.failed(ctx, p, came, err)
		} else {
			p.timed(came.Sub(now))
			p.failed = 0
			g.accept(p, a, got, now, came)
		}
		g.poke(came)
	})
}

// failed puts the next ask off. No permit is made up while Redis is away.
func (g *Governor) failed(ctx context.Context, p *permitBuffer, now time.Time, err error) {
	wait := min(retrySoon<<min(p.failed, 10), retryLate)
	p.failed++
	p.again = now.Add(wait/2 + rand.N(wait/2))
	if ctx.Err() == nil && now.Sub(g.warned) >= warnEvery {
		g.warned = now
		g.log.Warn("lease quota: pushes wait until Redis answers", "key", p.keys[0], "waiting", g.turns.waiting, "error", err)
	}
}

// accept keeps what was leased, unless it is void by now.
func (g *Governor) accept(p *permitBuffer, a ask, got leaseReply, sent, came time.Time) {
	// An era older than the one that was known when asking is that of a Redis which lost its data.
	void := got.era < p.era && a.known != p.era || got.era == a.known && p.voids != a.voids
	if !void && got.era != p.era {
		g.metrics.dropped.Add(float64(p.void()))
		p.era = got.era
	}
	if p == g.quota {
		g.learn(got, came)
		void = void || g.gate.closed(came)
	}
	switch {
	case got.n == 0:
		wait := min(micros(got.again-got.now), recheck)
		if got.verdict == verdictHalt {
			wait = recheck
		}
		if !p.peek { // else the signal came after Redis had answered
			p.again = came.Add(max(0, wait) + rand.N(jitter))
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

// learn takes over how things stand in Redis.
func (g *Governor) learn(got leaseReply, came time.Time) {
	g.halted = got.verdict == verdictHalt
	g.gate.told(came.Add(max(0, micros(got.gate-got.now))))
}
