package pacing

import (
	"context"
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
