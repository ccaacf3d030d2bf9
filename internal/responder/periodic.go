package responder

import (
	"context"
	"log/slog"

	"fanfare/internal/queue"
	"fanfare/internal/responses"
)

// reaper takes back the results of responders that died or stalled.
type reaper struct {
	queue   *queue.Queue
	metrics *metrics
	log     *slog.Logger
}

func (p reaper) reap(ctx context.Context) {
	n, err := p.queue.Reap(ctx)
	if err != nil && ctx.Err() == nil {
		p.log.Warn("lease reaping failed; retrying", "error", err)
	}
	if n > 0 {
		p.metrics.reaped.Add(float64(n))
		p.log.Info("expired leases reaped; results return to the list", "results", n)
	}
}

// trimmer keeps the dead letters within their limits of number and age.
type trimmer struct {
	deadLetters *responses.DeadLetters
	metrics     *metrics
	log         *slog.Logger
}

func (t trimmer) trim(ctx context.Context) {
	n, err := t.deadLetters.Trim(ctx)
	if err != nil && ctx.Err() == nil {
		t.log.Warn("dead letter trim failed; retrying", "error", err)
	}
	if n > 0 {
		t.metrics.dropped.Add(float64(n))
		t.log.Warn("dead letters dropped; too many or too old", "letters", n)
	}
}

// meter measures how many results and dead letters there are.
type meter struct {
	queue   *queue.Queue
	metrics *metrics
	log     *slog.Logger
}

func (m meter) measure(ctx context.Context) {
	c, err := m.queue.Count(ctx)
	if err != nil {
		if ctx.Err() == nil {
			m.log.Warn("result count failed; retrying", "error", err)
		}
		return
	}
	m.metrics.waiting.Set(float64(c.Listed + c.Back + c.Retrying))
	m.metrics.inFlight.Set(float64(c.InFlight))
	m.metrics.letters.Set(float64(c.Outbox))
}
