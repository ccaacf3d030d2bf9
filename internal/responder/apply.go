package responder

import (
	"context"
	"errors"
	"fmt"
	"time"

	"fanfare/internal/notification"
	"fanfare/internal/store"
)

// apply writes results and tells by index which the database refuses. An error means that some may not be written: a
// *haltError, or the end of ctx.
func (r *Responder) apply(ctx context.Context, results []notification.Result) (refused map[int]error, err error) {
	a := application{r: r, refused: make(map[int]error)}
	return a.refused, a.apply(ctx, results, 0)
}

// application is one batch on its way into the database.
type application struct {
	r       *Responder
	refused map[int]error
}

// apply halves what the data is to blame for until the culprit is alone, and what took too long until it is done in time;
// first is the index of results[0] in the batch.
func (a *application) apply(ctx context.Context, results []notification.Result, first int) error {
	if len(results) == 0 {
		return nil
	}
	refusal, err := a.insist(ctx, results)
	if err != nil || refusal == nil {
		return err
	}
	if len(results) > 1 {
		half := len(results) / 2
		if err := a.apply(ctx, results[:half], first); err != nil {
			return err
		}
		return a.apply(ctx, results[half:], first+half)
	}
	a.refused[first] = refusal
	a.r.log.Warn("the database refuses a result: it becomes a dead letter",
		"campaign", results[0].CampaignID, "result", results[0].ResultID, "error", refusal)
	return nil
}

// insist tries until the database takes the results, or refuses them for what they hold. Several that it did not take in time are
// a refusal too: the same transaction might take as long each time, while smaller ones get on.
func (a *application) insist(ctx context.Context, results []notification.Result) (refusal, err error) {
	wait := backoff{base: a.r.opts.Backoff, limit: a.r.opts.MaxBackoff}
	for {
		started := time.Now()
		err := a.r.deps.Applier.Apply(ctx, results)
		a.r.metrics.batch.Observe(time.Since(started).Seconds())
		if err == nil {
			return nil, nil
		}
		if ctx.Err() != nil {
			return nil, fmt.Errorf("write results: %w", context.Cause(ctx))
		}
		fault := a.r.deps.FaultOf(err)
		a.r.metrics.faults.WithLabelValues(fault.String()).Inc()
		switch fault {
		case store.Data:
			return err, nil
		case store.Transient:
			a.r.log.Warn("write results: trying again", "results", len(results), "error", err)
			if len(results) > 1 && errors.Is(err, context.DeadlineExceeded) {
				return err, nil
			}
		default:
			return nil, &haltError{err}
		}
		if !sleep(ctx, wait.next()) {
			return nil, fmt.Errorf("write results: %w", context.Cause(ctx))
		}
	}
}
