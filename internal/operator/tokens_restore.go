package operator

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"fanfare/internal/queue"
	"fanfare/internal/tokens"
)

// RestoreSummary is the result of a restore, or of a dry run.
type RestoreSummary struct {
	tokens.RestoreResult
	DryRun bool `json:"dryRun"`
	SQL    bool `json:"sql"` // SQL is written as well as Redis
	// Waiting counts results that the responder has not written yet. Those with removals clear
	// the tokens in SQL once more, though not in Redis. It is zero if SQL is not written.
	Waiting int64         `json:"waitingResults"`
	Took    time.Duration `json:"-"`
}

// MarshalJSON writes the time taken in seconds.
func (s RestoreSummary) MarshalJSON() ([]byte, error) {
	type plain RestoreSummary
	return json.Marshal(struct {
		plain
		Took float64 `json:"seconds"`
	}{plain(s), s.Took.Seconds()})
}

// RestoreTokens gives users back the removed tokens that match the filter: see
// tokens.Store.Restore. An interrupted restore can simply be repeated. The summary is valid even
// with an error.
func (o *Operator) RestoreTokens(ctx context.Context, filter tokens.Filter, opts tokens.RestoreOptions) (RestoreSummary, error) {
	start := o.now()
	summary := RestoreSummary{DryRun: opts.DryRun, SQL: o.deps.Tokens.CanRestoreSQL()}
	var err error
	if summary.SQL {
		if summary.Waiting, err = o.waitingResults(ctx); err != nil {
			return summary, fmt.Errorf("count results that wait: %w", err)
		}
	}
	summary.RestoreResult, err = o.deps.Tokens.Restore(ctx, filter, opts)
	summary.Took = o.now().Sub(start)
	if err != nil {
		return summary, fmt.Errorf("%w: %d tokens are restored; repeating it does no harm", err, summary.Restored)
	}
	return summary, nil
}

// waitingResults counts the results that no responder has written yet.
func (o *Operator) waitingResults(ctx context.Context) (int64, error) {
	q, err := queue.New(o.deps.Redis, o.deps.Names.ResponsesList(), queue.Options{})
	if err != nil {
		return 0, err
	}
	c, err := q.Count(ctx)
	return c.Listed + c.Back + c.Retrying + c.InFlight, err
}
