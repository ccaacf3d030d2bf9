package responder

import (
	"context"
	"time"
)

// meter shows how much waits.
type meter struct{ r *Responder }

func (m meter) run(ctx context.Context) {
	tick := time.NewTicker(m.r.opts.Meter)
	defer tick.Stop()
	for {
		m.measure(ctx)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// measure is one tick.
func (m meter) measure(ctx context.Context) {
	c, err := m.r.deps.Queue.Count(ctx)
	if err != nil {
		if ctx.Err() == nil {
			m.r.log.Warn("count results: trying again", "error", err)
		}
		return
	}
	m.r.metrics.waiting.Set(float64(c.Listed + c.Back + c.Retrying))
	m.r.metrics.inFlight.Set(float64(c.InFlight))
	m.r.metrics.letters.Set(float64(c.Outbox))
}

// AwaitDrained returns when no result is left, be it waiting or in the hands of any responder, or with the error of ctx.
func (r *Responder) AwaitDrained(ctx context.Context) error {
	for {
		c, err := r.deps.Queue.Count(ctx)
		if err == nil && c.Listed+c.Back+c.Retrying+c.InFlight == 0 {
			return nil
		}
		if !sleep(ctx, r.opts.Poll) {
			return ctx.Err()
		}
	}
}
