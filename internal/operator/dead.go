package operator

import (
	"context"
	"errors"
	"fmt"
	"time"

	"fanfare/internal/campaign"
	"fanfare/internal/keys"
	"fanfare/internal/notification"
	"fanfare/internal/queue"
	"fanfare/internal/responses"
	"fanfare/internal/terminal"
)

// replayBatch is how many letters are taken and pushed together.
const replayBatch = 32

// replayPatience is how long a push is tried that Redis does not answer.
const replayPatience = 10 * time.Second

// ReplaySummary tells what a replay did.
type ReplaySummary struct {
	Replayed int64 `json:"replayed"`
	// Skipped letters are of campaigns that are gone, over for good, or have a spec that cannot be used. They stay.
	Skipped int64 `json:"skipped"`
	// NoToken letters are of recipients for whom no token is stored, or a value that can be none. They stay, for such a recipient would end as skipped, and its
	// letter be gone.
	NoToken int64 `json:"noToken"`
}

// Replay sends dead letters on their way again: recipients to the end of their campaign's list, results to the list of
// responses. A letter is taken first and pushed then, so that of several replays one sends it. A replay that dies in between loses no
// letter: what it had taken and not pushed is a letter again after a minute. Of copies of one letter one is pushed. Letters that
// are written while it works are left alone.
//
// A recipient comes back with its user id alone: its token is looked up, for the one it failed with may be the reason.
func (o *Operator) Replay(ctx context.Context, filter responses.Filter) (ReplaySummary, error) {
	return o.replay(ctx, filter, false)
}

// WouldReplay tells what Replay would do, and changes nothing.
func (o *Operator) WouldReplay(ctx context.Context, filter responses.Filter) (ReplaySummary, error) {
	return o.replay(ctx, filter, true)
}

func (o *Operator) replay(ctx context.Context, filter responses.Filter, dry bool) (ReplaySummary, error) {
	r := replay{o: o, dry: dry, pushed: make(map[string]bool)}
	batch := make([]responses.DeadLetter, 0, replayBatch)
	for letter, err := range o.deps.DeadLetters.List(ctx, filter) {
		if err != nil {
			return r.summary, fmt.Errorf("read dead letters: %w", err)
		}
		if batch = append(batch, letter); len(batch) < replayBatch {
			continue
		}
		if err := r.batch(ctx, batch); err != nil {
			return r.summary, err
		}
		batch = batch[:0]
	}
	return r.summary, r.batch(ctx, batch)
}

// replay is one Replay under way.
type replay struct {
	o       *Operator
	dry     bool            // nothing is changed
	pushed  map[string]bool // ids of letters
	summary ReplaySummary
}

// batch sends letters on their way, grouped by where they go.
func (r *replay) batch(ctx context.Context, letters []responses.DeadLetter) error {
	groups := make(map[string][]responses.DeadLetter)
	for _, letter := range letters {
		id := destination(letter)
		groups[id] = append(groups[id], letter)
	}
	for id, group := range groups {
		if err := r.send(ctx, id, group); err != nil {
			return fmt.Errorf("replay%s: %w", into(id), err)
		}
	}
	return nil
}

// destination is the campaign whose list a letter goes to; "": it is a result, and goes to the list of responses.
func destination(letter responses.DeadLetter) string {
	if letter.Kind == responses.KindResult {
		return ""
	}
	return letter.Result.CampaignID
}

func into(id string) string {
	if id == "" {
		return " results"
	}
	return " into campaign " + terminal.Printable(id)
}

func element(letter responses.DeadLetter) []byte {
	if letter.Kind == responses.KindRecipient {
		return campaign.EncodeRecipient(nil, notification.Recipient{UserID: letter.Result.UserID})
	}
	return letter.Raw
}

// send takes the letters of one destination, and pushes them. None goes where no one would take them from there. A campaign that was
// completed runs again. The expiry of its list stays what it is.
func (r *replay) send(ctx context.Context, id string, letters []responses.DeadLetter) error {
	list := r.o.deps.Names.ResponsesList()
	if id != "" {
		takes, err := r.takes(r.o.deps.Campaigns.Get(ctx, id))
		if err != nil {
			return err
		}
		if !takes {
			r.summary.Skipped += int64(len(letters))
			return nil
		}
		if list, err = r.o.deps.Names.Campaign(id); err != nil {
			return err
		}
		if letters, err = r.reachable(ctx, letters); err != nil {
			return err
		}
	}
	if r.dry {
		r.summary.Replayed += int64(len(r.elements(letters)))
		return nil
	}
	if len(letters) == 0 {
		return nil
	}
	b, err := r.o.deps.DeadLetters.Take(ctx, id, letters...)
	if err != nil || len(b.Letters) == 0 {
		return err
	}
	return r.finish(ctx, id, list, b)
}

// finish pushes a batch, and ends it. A campaign that was cancelled or deleted meanwhile is not claimed from: its letters stay.
func (r *replay) finish(ctx context.Context, id string, list keys.List, b responses.Batch) error {
	ctx, cancel := context.WithDeadline(context.WithoutCancel(ctx), b.Until) // an interruption lets it come to its end
	defer cancel()
	letters := r.o.deps.DeadLetters
	elements := r.elements(b.Letters)
	if err := r.append(ctx, list, b.ID, elements); err != nil {
		return errors.Join(err, letters.Resolve(ctx, b))
	}
	if id != "" {
		takes, err := r.takes(r.o.deps.Campaigns.Adopt(ctx, id))
		if err != nil { // they are in the list, whatever else is wrong
			r.summary.Replayed += int64(len(elements))
			return errors.Join(err, letters.Resolve(ctx, b))
		}
		if !takes {
			r.summary.Skipped += int64(len(b.Letters))
			return letters.PutBack(ctx, b)
		}
	}
	r.summary.Replayed += int64(len(elements))
	return letters.MarkReplayed(ctx, b)
}

// reachable leaves out the recipients who would only end as skipped. Who cannot be told about now ends the replay.
func (r *replay) reachable(ctx context.Context, letters []responses.DeadLetter) ([]responses.DeadLetter, error) {
	var users []string
	for _, letter := range letters {
		if letter.Kind == responses.KindRecipient {
			users = append(users, letter.Result.UserID)
		}
	}
	found, err := r.o.deps.Tokens.Peek(ctx, users)
	if err != nil {
		return nil, err
	}
	var all []responses.DeadLetter
	for _, letter := range letters {
		if letter.Kind == responses.KindRecipient && !found[letter.Result.UserID].IsSendable() {
			r.summary.NoToken++
			continue
		}
		all = append(all, letter)
	}
	return all, nil
}

// takes tells whether recipients of a campaign will be claimed, now or later.
func (r *replay) takes(spec campaign.Spec, err error) (bool, error) {
	if _, broken := errors.AsType[*campaign.SpecError](err); broken || errors.Is(err, campaign.ErrNotFound) {
		return false, nil
	}
	return err == nil && !spec.State.Final(), err
}

// elements are what the letters hold, but for those of which a copy was pushed before.
func (r *replay) elements(letters []responses.DeadLetter) [][]byte {
	var all [][]byte
	for _, letter := range letters {
		if !r.pushed[letter.ID] {
			r.pushed[letter.ID] = true
			all = append(all, element(letter))
		}
	}
	return all
}

// append pushes under the name of a batch, once, whatever becomes of the replies.
func (r *replay) append(ctx context.Context, list keys.List, batch string, elements [][]byte) error {
	if len(elements) == 0 {
		return nil
	}
	q, err := queue.New(r.o.deps.Redis, list, queue.Options{})
	if err != nil {
		return err
	}
	for wait := newRetry(replayPatience); ; {
		_, err := q.Append(ctx, queue.Batch{Load: batch, Elements: elements})
		if err == nil || !unreachable(err) || !wait.again(ctx) {
			return err
		}
	}
}
