package operator

import (
	"context"
	"errors"
	"time"

	"fanfare/internal/campaign"
	"fanfare/internal/redisx"
	"fanfare/internal/responses"
)

// DefaultDeleteWait is longer than a request to FCM takes before it is given up.
const DefaultDeleteWait = time.Minute

// deletePoll is how often a deletion looks whether all outcomes are written.
const deletePoll = 100 * time.Millisecond

// DeleteOptions say how a campaign is deleted.
type DeleteOptions struct {
	// Wait bounds the time that pushes on the wire, and results on their way to the responder, are waited for.
	Wait time.Duration
	// Waiting, when set, is called once if there is something to wait for.
	Waiting func(campaign.Books)
}

// Deletion is what went with a campaign.
type Deletion struct {
	// WithoutResult were with a sender that has not written their outcomes: they may have been sent to.
	WithoutResult int64 `json:"withoutResult"`
	// Unforwarded are results that did not reach the responder.
	Unforwarded int64 `json:"unforwarded"`
	// Unsent waited to be sent to, or to be tried again.
	Unsent int64 `json:"unsent"`
}

// Delete removes a campaign that does not run, with all its keys. Before that it waits for the outcomes of the pushes on the wire,
// and forwards their results; no push begins meanwhile. campaign.ErrNotFound means that there is nothing.
func (o *Operator) Delete(ctx context.Context, id string, opts DeleteOptions) (Deletion, error) {
	view, err := o.Show(ctx, id)
	var books campaign.Books
	switch _, mistyped := errors.AsType[*redisx.TypeError](err); {
	case mistyped: // no one is claimed from such a campaign, and it has no books
	case err != nil:
		return Deletion{}, err
	case view.Spec.State != campaign.Running: // else the deletion itself refuses
		if books, err = o.settled(ctx, id, opts); err != nil {
			return Deletion{}, err
		}
	}
	if err := o.deps.Campaigns.Delete(ctx, id); err != nil {
		return Deletion{}, err
	}
	return Deletion{WithoutResult: books.InFlight, Unforwarded: books.Outbox, Unsent: books.Waiting + books.Retrying}, nil
}

// settled waits until no sender holds recipients of a campaign and its results are forwarded, or the time is up. It returns the
// books as they are then.
func (o *Operator) settled(ctx context.Context, id string, opts DeleteOptions) (campaign.Books, error) {
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
		_, _ = outbox.Forward(ctx, list) // what stays in the outbox is in the books
		books, err := o.deps.Campaigns.Books(ctx, id)
		if err != nil || !books.OnTheWire() && books.Outbox == 0 || !o.now().Before(until) {
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
