package operator

import (
	"cmp"
	"context"
	"slices"
	"time"

	"fanfare/internal/tokens"
)

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
		slices.SortFunc(found.Newest, newestFirst)
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

func newestFirst(a, b tokens.RemovedToken) int {
	return cmp.Or(b.At.Compare(a.At), cmp.Compare(a.User, b.User))
}
