package responder

import (
	"context"
	"time"
)

// extender keeps the leases of batches that are being written, however long the database takes.
type extender struct{ r *Responder }

func (e extender) run(ctx context.Context) {
	tick := time.NewTicker(extendInterval(e.r.deps.Queue.LeaseTTL()))
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			e.extend(ctx)
		}
	}
}

// extendInterval leaves a lease two more tries.
func extendInterval(lease time.Duration) time.Duration { return lease / 3 }

// extend is one tick. A lease that could not be extended in time is another's, and its batch is dropped.
func (e extender) extend(ctx context.Context) {
	claims := e.r.leases.claims()
	if len(claims) == 0 {
		return
	}
	until := time.Now().Add(e.r.deps.Queue.LeaseTTL())
	lost, err := e.r.deps.Queue.Extend(ctx, claims...)
	if err != nil {
		if ctx.Err() == nil {
			e.r.log.Warn("extend leases: trying again", "leases", len(claims), "error", err)
		}
		e.r.leases.expire(time.Now())
		return
	}
	e.r.leases.extend(claims, lost, until)
}
