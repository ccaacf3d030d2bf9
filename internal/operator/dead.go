package operator

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/time/rate"

	"fanfare/internal/campaign"
	"fanfare/internal/keys"
	"fanfare/internal/notification"
	"fanfare/internal/queue"
	"fanfare/internal/responses"
	"fanfare/internal/terminal"
	"fanfare/internal/tokens"
)

// replayBatch is how many letters are taken and pushed together.
const replayBatch = 32

// replayPatience is how long a push is repeated while Redis does not answer.
const replayPatience = 10 * time.Second

// ReplaySummary is the result of a replay.
type ReplaySummary struct {
	Replayed int64 `json:"replayed"`
	// Skipped letters belong to campaigns that are gone, in a final state, or have an invalid
	// spec. They are kept.
	Skipped int64 `json:"skipped"`
	// NoToken letters belong to recipients without a stored token, or with an invalid one. They
	// are kept, because the recipient would end as skipped and the letter would be gone.
	NoToken int64 `json:"noToken"`
}

// ReplayOptions control a replay. The zero value replays as fast as Redis takes it.
type ReplayOptions struct {
	Rate float64 // letters a second; 0: no limit
	// Progress, if set, is called after each batch. Only one goroutine calls it.
	Progress func(ReplaySummary)
}

// limiter allows batches of at most a second's letters.
func (o ReplayOptions) limiter() *rate.Limiter {
	if o.Rate > 0 {
		return rate.NewLimiter(rate.Limit(o.Rate), int(min(replayBatch, max(1, o.Rate))))
	}
	return rate.NewLimiter(rate.Inf, replayBatch)
}

// Replay sends dead letters again: recipients to the end of their campaign's list, results to the
// list of responses. A recipient keeps only its user id. Its token is looked up, because the old
// one may be the reason for the failure.
//
// Letters are taken first and pushed then, so that only one of several replays sends each. If a
// replay dies in between, its letters are available again after a minute. Of several copies of a
// letter one is pushed. Letters written during the replay are not touched.
//
// If ctx ends, the batch under way is finished, and all other letters stay.
func (o *Operator) Replay(ctx context.Context, filter responses.Filter, opts ReplayOptions) (ReplaySummary, error) {
	r := replay{o: o, opts: opts, pace: opts.limiter(), pushed: make(map[string]bool), into: make(map[string]int64)}
	size := r.pace.Burst()
	batch := make([]responses.DeadLetter, 0, size)
	for letter, err := range o.deps.DeadLetters.List(ctx, filter) {
		if err != nil {
			return r.summary, fmt.Errorf("read dead letters: %w", err)
		}
		if batch = append(batch, letter); len(batch) < size {
			continue
		}
		if err := r.batch(ctx, batch); err != nil {
			return r.summary, errors.Join(err, r.note(ctx))
		}
		batch = batch[:0]
	}
	return r.summary, errors.Join(r.batch(ctx, batch), r.note(ctx))
}

// replay is one running Replay.
type replay struct {
	o       *Operator
	opts    ReplayOptions
	pace    *rate.Limiter
	pushed  map[string]bool  // ids of letters
	into    map[string]int64 // recipients by campaign
	summary ReplaySummary
}

// note records the replay in the histories of the campaigns that got recipients.
func (r *replay) note(ctx context.Context) error {
	var errs []error
	for id, n := range r.into {
		errs = append(errs, r.o.note(context.WithoutCancel(ctx), id, notification.HistoryEntry{What: campaign.NoteReplayed, N: n}))
	}
	return errors.Join(errs...)
}

// batch sends letters, grouped by destination, when the rate allows it.
func (r *replay) batch(ctx context.Context, letters []responses.DeadLetter) error {
	if err := r.pace.WaitN(ctx, len(letters)); err != nil {
		return fmt.Errorf("wait for the rate of the replay: %w", err)
	}
	groups := make(map[string][]responses.DeadLetter)
	for _, letter := range letters {
		id := destination(letter)
		groups[id] = append(groups[id], letter)
	}
	for id, group := range groups {
		if err := r.send(ctx, id, group); err != nil {
			return fmt.Errorf("replay%s: %w", describeDestination(id), err)
		}
	}
	if r.opts.Progress != nil {
		r.opts.Progress(r.summary)
	}
	return nil
}

// destination returns the campaign whose list the letter goes to. It is "" for a result, which
// goes to the list of responses.
func destination(letter responses.DeadLetter) string {
	if letter.Kind == responses.KindResult {
		return ""
	}
	return letter.Result.CampaignID
}

func describeDestination(id string) string {
	if id == "" {
		return " results"
	}
	return " into campaign " + terminal.Printable(id)
}

func encodeLetter(letter responses.DeadLetter) []byte {
	if letter.Kind == responses.KindRecipient {
		return campaign.EncodeRecipient(nil, notification.Recipient{UserID: letter.Result.UserID})
	}
	return letter.Raw
}

// send takes the letters of one destination and pushes them. Letters are not sent to a campaign
// that would not claim them. A completed campaign runs again. The expiry of its list does not
// change.
func (r *replay) send(ctx context.Context, id string, letters []responses.DeadLetter) error {
	list := r.o.deps.Names.ResponsesList()
	if id != "" {
		takes, err := accepts(r.o.deps.Campaigns.Get(ctx, id))
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
		if letters, err = r.keepReachable(ctx, letters); err != nil {
			return err
		}
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

// finish pushes a batch and closes it. If the campaign was cancelled or deleted meanwhile, its
// letters are kept.
func (r *replay) finish(ctx context.Context, id string, list keys.List, b responses.Batch) error {
	ctx, cancel := context.WithDeadline(context.WithoutCancel(ctx), b.Until) // an interruption does not stop it halfway
	defer cancel()
	letters := r.o.deps.DeadLetters
	elements := r.encodeLetters(b.Letters)
	if err := r.append(ctx, list, b.ID, elements); err != nil {
		return errors.Join(err, letters.Resolve(ctx, b))
	}
	if id != "" {
		takes, err := accepts(r.o.deps.Campaigns.Adopt(ctx, id))
		if err != nil { // they are in the list all the same
			r.summary.Replayed += int64(len(elements))
			r.into[id] += int64(len(elements))
			return errors.Join(err, letters.Resolve(ctx, b))
		}
		if !takes {
			r.summary.Skipped += int64(len(b.Letters))
			return letters.PutBack(ctx, b)
		}
		r.into[id] += int64(len(elements))
	}
	r.summary.Replayed += int64(len(elements))
	return letters.MarkReplayed(ctx, b)
}

// keepReachable leaves out recipients that would only end as skipped. If that cannot be looked up,
// the replay stops.
func (r *replay) keepReachable(ctx context.Context, letters []responses.DeadLetter) ([]responses.DeadLetter, error) {
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
		if letter.Kind == responses.KindRecipient && !tokens.Newest(found[letter.Result.UserID]).IsSendable() {
			r.summary.NoToken++
			continue
		}
		all = append(all, letter)
	}
	return all, nil
}

// accepts reports whether recipients of a campaign will be claimed, now or later.
func accepts(spec campaign.Spec, err error) (bool, error) {
	if _, broken := errors.AsType[*campaign.SpecError](err); broken || errors.Is(err, campaign.ErrNotFound) {
		return false, nil
	}
	return err == nil && !spec.State.IsFinal(), err
}

// encodeLetters returns the content of the letters, without copies of letters that were pushed
// before.
func (r *replay) encodeLetters(letters []responses.DeadLetter) [][]byte {
	var all [][]byte
	for _, letter := range letters {
		if !r.pushed[letter.ID] {
			r.pushed[letter.ID] = true
			all = append(all, encodeLetter(letter))
		}
	}
	return all
}

// append pushes under the name of a batch, so that lost replies cause no duplicate.
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
		if err == nil || !isUnreachable(err) || !wait.wait(ctx) {
			return err
		}
	}
}
