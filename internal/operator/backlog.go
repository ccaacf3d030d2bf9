package operator

import (
	"context"
	"fmt"

	"fanfare/internal/campaign"
)

// Backlog counts what waits between FCM's answers and SQL.
type Backlog struct {
	Results     int64 `json:"results"`     // outcomes that no responder has written yet
	DeadLetters int64 `json:"deadLetters"` // failed outcomes kept for a person
}

// Backlog reads how many results wait for SQL, and how many dead letters there are.
func (o *Operator) Backlog(ctx context.Context) (Backlog, error) {
	results, err := o.waitingResults(ctx)
	if err != nil {
		return Backlog{}, err
	}
	letters, err := o.deps.DeadLetters.Len(ctx)
	if err != nil {
		return Backlog{}, fmt.Errorf("count dead letters: %w", err)
	}
	return Backlog{Results: results, DeadLetters: letters}, nil
}

// Pause pauses a running campaign. Pushes in flight finish.
func (o *Operator) Pause(ctx context.Context, id, reason string) error {
	return o.deps.Campaigns.Move(ctx, id, campaign.Paused, reason)
}

// Cancel ends a campaign for good. Pushes in flight finish.
func (o *Operator) Cancel(ctx context.Context, id, reason string) error {
	return o.deps.Campaigns.Move(ctx, id, campaign.Cancelled, reason)
}
