package leasekeeper

import (
	"context"
	"maps"
	"slices"
	"time"

	"fanfare/internal/periodic"
	"fanfare/internal/queue"
)

// Extender extends the leases of a Set, so that slow work does not lose them. It should run as long
// as anything of a lease may be written.
type Extender struct {
	Leases interface { // a *Set
		byQueue() map[*queue.Queue][]*Lease
	}
	// TTL is the time from an extension to the end of the lease.
	TTL time.Duration
	// OnExtended, if set, is called after the leases of a queue were extended, the lost ones too.
	OnExtended func(ctx context.Context, q *queue.Queue, claims []string)
	// OnError is called when the leases of a queue could not be extended.
	OnError func(ctx context.Context, q *queue.Queue, claims []string, err error)
}

// Run extends until ctx ends. The interval leaves time for two more tries before a lease ends.
func (e *Extender) Run(ctx context.Context) { periodic.Run(ctx, e.interval(), e.Extend) }

func (e *Extender) interval() time.Duration { return e.TTL / 3 }

// Extend is one tick. Each queue is asked concurrently, and for no longer than until the next tick.
func (e *Extender) Extend(ctx context.Context) {
	held := e.Leases.byQueue()
	periodic.ForEach(ctx, e.interval(), slices.Collect(maps.Keys(held)), func(tickCtx context.Context, q *queue.Queue) {
		claims := make([]string, len(held[q]))
		for i, l := range held[q] {
			claims[i] = l.Claim
		}
		if err := e.extend(tickCtx, q, held[q], claims); err != nil {
			e.OnError(ctx, q, claims, err)
			return
		}
		if e.OnExtended != nil {
			e.OnExtended(tickCtx, q, claims)
		}
	})
}

// extend extends the leases of one queue. While that fails, a lease ends by this process's clock.
func (e *Extender) extend(ctx context.Context, q *queue.Queue, leases []*Lease, claims []string) error {
	until := time.Now().Add(e.TTL) // before the call: a slow reply must not make a lease longer
	lost, err := q.Extend(ctx, claims...)
	now := time.Now()
	for _, l := range leases {
		switch {
		case err != nil && !l.IsValid(now), slices.Contains(lost, l.Claim):
			l.Lose()
		case err == nil:
			l.ExtendTo(until)
		}
	}
	return err
}
