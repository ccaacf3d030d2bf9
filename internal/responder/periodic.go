package responder

import (
	"context"
	"log/slog"
	"time"

	"fanfare/internal/queue"
	"fanfare/internal/responses"
)

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
	work    *workCount
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
	m.measureLag(ctx, c.Now)
}

// measureLag finds the oldest result that waits: in the work of this process, or next in the list.
func (m meter) measureLag(ctx context.Context, now time.Time) {
	first, err := m.queue.First(ctx)
	if err != nil {
		if ctx.Err() == nil {
			m.log.Warn("result count failed; retrying", "error", err)
		}
		return
	}
	oldest := m.work.oldestHeld()
	for _, raw := range first {
		if r, err := responses.Decode(raw); err == nil { // another one becomes a dead letter
			oldest = earlier(oldest, r.At)
		}
	}
	lag := time.Duration(0)
	if !oldest.IsZero() {
		lag = max(0, now.Sub(oldest))
	}
	m.metrics.lag.Set(lag.Seconds())
}
