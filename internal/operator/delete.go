package operator

import (
	"context"
	"errors"
	"time"

	"fanfare/internal/campaign"
	"fanfare/internal/redisx"
	"fanfare/internal/responses"
)

// DefaultDeleteWait is longer than the timeout of a request to FCM.
const DefaultDeleteWait = time.Minute

// deletePoll is how often a deletion checks whether all outcomes are recorded.
const deletePoll = 100 * time.Millisecond

// DeleteOptions controls the deletion of a campaign.
type DeleteOptions struct {
	// Wait limits the wait for pushes in flight, and for results that are not forwarded yet.
	Wait time.Duration
	// Waiting, if set, is called once if there is something to wait for.
	Waiting func(campaign.Books)
}

// Deletion counts what was deleted with a campaign.
type Deletion struct {
	// WithoutResult counts recipients in flight whose outcome was not recorded. They may have
	// been sent to.
	WithoutResult int64 `json:"withoutResult"`
	// Unforwarded counts results that did not reach the responder.
	Unforwarded int64 `json:"unforwarded"`
	// Unsent counts recipients that waited to be sent to or retried.
	Unsent int64 `json:"unsent"`
}

// Delete removes a campaign that does not run, with all its keys. First it waits for the outcomes
// of pushes in flight and forwards their results. No new push begins meanwhile. It returns
// campaign.ErrNotFound if there is nothing.
func (o *Operator) Delete(ctx context.Context, id string, opts DeleteOptions) (Deletion, error) {
	view, err := o.Show(ctx, id)
	var books campaign.Books
	switch _, mistyped := errors.AsType[*redisx.TypeError](err); {
	case mistyped: // such a campaign is not claimed from, and has no books
	case err != nil:
		return Deletion{}, err
	case view.Spec.State != campaign.Running: // otherwise Campaigns.Delete refuses
		if books, err = o.awaitOutcomes(ctx, id, opts); err != nil {
			return Deletion{}, err
		}
	}
	if err := o.deps.Campaigns.Delete(ctx, id); err != nil {
		return Deletion{}, err
	}
	return Deletion{WithoutResult: books.InFlight, Unforwarded: books.Outbox, Unsent: books.Waiting + books.Retrying}, nil
}

// awaitOutcomes waits until no sender holds recipients of a campaign and its results are
// forwarded, or the time is up. It returns the books at that moment.
func (o *Operator) awaitOutcomes(ctx context.Context, id string, opts DeleteOptions) (campaign.Books, error) {
	list, err := o.deps.Names.Campaign(id)
	if err != nil {
		return campaign.Books{}, err
	}
	outbox, err := responses.NewOutbox(o.deps.Redis, o.deps.Names, responses.OutboxOptions{})
	if err != nil {
		return campaign.Books{}, err
	}
	until := o.now().Add(opts.Wait)
	tick := time.NewTicker(deletePoll)
	defer tick.Stop()
	for told := false; ; told = true {
		_, _ = outbox.Forward(ctx, list) // the books count what stays in the outbox
		books, err := o.deps.Campaigns.Books(ctx, id)
		if err != nil || !books.HasLiveLeases() && books.Outbox == 0 || !o.now().Before(until) {
			return books, err
		}
		if !told && opts.Waiting != nil {
			opts.Waiting(books)
		}
		select {
		case <-ctx.Done():
			return campaign.Books{}, context.Cause(ctx)
		case <-tick.C:
		}
	}
}
