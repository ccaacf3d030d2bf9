package operator

import (
	"cmp"
	"context"
	"fmt"
	"slices"
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
	Waiting int64   `json:"waitingResults"`
	Took    Elapsed `json:"seconds"`
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
	summary.Took = Elapsed{o.now().Sub(start)}
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

// RemovedTokens are tokens that were removed as dead and can be restored.
type RemovedTokens struct {
	Total  int64
	Counts []RemovedCount        // by hour and campaign, the newest hour first
	Newest []tokens.RemovedToken // some of them, the newest first
}

// RemovedCount is how many tokens the pushes of one campaign removed within an hour. Campaign ""
// stands for no campaign.
type RemovedCount struct {
	Hour     time.Time `json:"hour"` // its beginning, UTC
	Campaign string    `json:"campaignId"`
	Tokens   int64     `json:"tokens"`
}

// RemovedTokens counts the removed tokens that match the filter, and lists the newest of them, at
// most limit.
func (o *Operator) RemovedTokens(ctx context.Context, filter tokens.Filter, limit int) (RemovedTokens, error) {
	var found RemovedTokens
	counts := make(map[RemovedCount]int64) // by hour and campaign
	err := o.deps.Tokens.VisitRemoved(ctx, filter, func(some []tokens.RemovedToken) error {
		for _, r := range some {
			counts[RemovedCount{Hour: r.At.Truncate(time.Hour), Campaign: r.Campaign}]++
		}
		found.Total += int64(len(some))
		found.Newest = append(found.Newest, some...)
		slices.SortFunc(found.Newest, compareNewest)
		found.Newest = found.Newest[:min(limit, len(found.Newest))]
		return nil
	})
	for c, n := range counts {
		c.Tokens = n
		found.Counts = append(found.Counts, c)
	}
	slices.SortFunc(found.Counts, func(a, b RemovedCount) int {
		return cmp.Or(b.Hour.Compare(a.Hour), cmp.Compare(a.Campaign, b.Campaign))
	})
	return found, err
}

func compareNewest(a, b tokens.RemovedToken) int {
	return cmp.Or(b.At.Compare(a.At), cmp.Compare(a.User, b.User))
}
