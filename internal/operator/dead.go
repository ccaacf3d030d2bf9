package operator

import (
	"context"
	"errors"
	"fmt"

	"fanfare/internal/campaign"
	"fanfare/internal/notification"
	"fanfare/internal/queue"
	"fanfare/internal/responses"
)

// replayBatch is how many letters are pushed and removed together: what a crash in between would push twice.
const replayBatch = 32

// ReplaySummary tells what a replay did.
type ReplaySummary struct {
	Replayed int64 `json:"replayed"`
	// Skipped letters are of campaigns that are gone, or that no longer take recipients.
	Skipped int64 `json:"skipped"`
}

// Replay sends dead letters on their way again: recipients to the end of their campaign's list, results to the list of
// responses. A letter is removed after it was pushed, so being cut off repeats some, and loses none.
//
// A recipient comes back with its user id alone: its token is looked up, for the one it failed with may be the reason.
func (o *Operator) Replay(ctx context.Context, filter responses.Filter) (ReplaySummary, error) {
	var summary ReplaySummary
	r := replayer{o: o, open: make(map[string]bool)}
	batch := make([]responses.DeadLetter, 0, replayBatch)
	flush := func() error {
		pushed, err := r.push(ctx, batch)
		if err != nil {
			return err
		}
		summary.Replayed += int64(len(pushed))
		summary.Skipped += int64(len(batch) - len(pushed))
		batch = batch[:0]
		if _, err := o.deps.DeadLetters.Remove(ctx, pushed...); err != nil {
			return fmt.Errorf("remove replayed letters: they are replayed, and still listed: %w", err)
		}
		return nil
	}
	for letter, err := range o.deps.DeadLetters.List(ctx, filter) {
		if err != nil {
			return summary, fmt.Errorf("read dead letters: %w", err)
		}
		if batch = append(batch, letter); len(batch) == replayBatch {
			if err := flush(); err != nil {
				return summary, err
			}
		}
	}
	return summary, flush()
}

// replayer remembers which campaigns take recipients.
type replayer struct {
	o    *Operator
	open map[string]bool
}

// push groups letters by where they go, and returns those that went.
func (r *replayer) push(ctx context.Context, letters []responses.DeadLetter) ([]responses.DeadLetter, error) {
	elements := make(map[string][][]byte)
	var pushed []responses.DeadLetter
	for _, letter := range letters {
		id, element := r.element(letter)
		if id != "" {
			takes, err := r.takes(ctx, id)
			if err != nil {
				return nil, err
			}
			if !takes {
				continue
			}
		}
		elements[id] = append(elements[id], element)
		pushed = append(pushed, letter)
	}
	for id, group := range elements {
		if err := r.append(ctx, id, group); err != nil {
			return nil, err
		}
	}
	return pushed, nil
}

// element is what a letter is pushed as, and the campaign whose list it goes to; no campaign: the list of responses.
func (r *replayer) element(letter responses.DeadLetter) (campaignID string, element []byte) {
	switch letter.Kind {
	case responses.KindResult:
		return "", letter.Raw
	case responses.KindElement:
		return letter.Result.CampaignID, letter.Raw
	default:
		return letter.Result.CampaignID, campaign.EncodeRecipient(nil, notification.Recipient{UserID: letter.Result.UserID})
	}
}

func (r *replayer) takes(ctx context.Context, id string) (bool, error) {
	if takes, known := r.open[id]; known {
		return takes, nil
	}
	spec, err := r.o.deps.Campaigns.Get(ctx, id)
	if err != nil && !errors.Is(err, campaign.ErrNotFound) {
		return false, fmt.Errorf("look at the campaign: %w", err)
	}
	r.open[id] = err == nil && !spec.State.Final()
	return r.open[id], nil
}

func (r *replayer) append(ctx context.Context, id string, elements [][]byte) error {
	list := r.o.deps.Names.ResponsesList()
	if id != "" {
		var err error
		if list, err = r.o.deps.Names.Campaign(id); err != nil {
			return fmt.Errorf("replay into campaign %s: %w", id, err)
		}
	}
	q, err := queue.New(r.o.deps.Redis, list, queue.Options{})
	if err != nil {
		return err
	}
	if _, err := q.Append(ctx, queue.NewClaimID(), 0, elements, 0); err != nil {
		return fmt.Errorf("replay: %w", err)
	}
	return nil
}
