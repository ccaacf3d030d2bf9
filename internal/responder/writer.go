package responder

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"fanfare/internal/leasekeeper"
	"fanfare/internal/notification"
	"fanfare/internal/store"
)

// writer writes batches to the database, and finds the results that the database refuses.
type writer struct {
	applier Applier
	faultOf func(error) store.Fault
	backoff leasekeeper.Backoff
	metrics *metrics
	log     *slog.Logger
}

// databaseHaltError is an error of the database that lasts until a person acts.
type databaseHaltError struct{ err error }

func (e *databaseHaltError) Error() string { return e.err.Error() }
func (e *databaseHaltError) Unwrap() error { return e.err }

// write writes results. It returns those that the database refuses, by index. After an error some
// may not be written. The error is a *databaseHaltError or the end of ctx.
func (w writer) write(ctx context.Context, results []notification.Result) (refused map[int]error, err error) {
	refused = make(map[int]error)
	return refused, w.writePart(ctx, results, 0, refused)
}

// writePart writes a part of a batch that begins at index first. When the database refuses the part
// or is too slow for it, writePart halves it, down to a single result.
func (w writer) writePart(ctx context.Context, results []notification.Result, first int, refused map[int]error) error {
	if len(results) == 0 {
		return nil
	}
	refusal, err := w.applyWithRetry(ctx, results)
	if err != nil || refusal == nil {
		return err
	}
	if len(results) > 1 {
		half := len(results) / 2
		if err := w.writePart(ctx, results[:half], first, refused); err != nil {
			return err
		}
		return w.writePart(ctx, results[half:], first+half, refused)
	}
	refused[first] = refusal
	w.log.Warn("database refused a result; it becomes a dead letter",
		"campaign", results[0].CampaignID, "result", results[0].ResultID, "error", refusal)
	return nil
}

// applyWithRetry retries until the database takes the results or refuses them for their content. It
// also counts a timeout of several results as a refusal: the same transaction might take as long
// again, while smaller ones succeed.
func (w writer) applyWithRetry(ctx context.Context, results []notification.Result) (refusal, err error) {
	wait := w.backoff
	for {
		started := time.Now()
		err := w.applier.Apply(ctx, results)
		w.metrics.batch.Observe(time.Since(started).Seconds())
		if err == nil {
			return nil, nil
		}
		if ctx.Err() != nil {
			return nil, fmt.Errorf("write results: %w", context.Cause(ctx))
		}
		fault := w.faultOf(err)
		w.metrics.faults.WithLabelValues(fault.String()).Inc()
		switch fault {
		case store.Data:
			return err, nil
		case store.Transient:
			w.log.Warn("result write failed; retrying", "results", len(results), "error", err)
			if len(results) > 1 && errors.Is(err, context.DeadlineExceeded) {
				return err, nil
			}
		default:
			return nil, &databaseHaltError{err}
		}
		if !leasekeeper.Sleep(ctx, leasekeeper.Jitter(wait.Next())) {
			return nil, fmt.Errorf("write results: %w", context.Cause(ctx))
		}
	}
}
