package operator

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"fanfare/internal/breaker"
	"fanfare/internal/campaign"
	"fanfare/internal/notification"
	"fanfare/internal/terminal"
)

// StartOptions controls the start of a campaign.
type StartOptions struct {
	Reason string // for the history
	// Partial starts the campaign although recipients are missing, or a load or the source is
	// unfinished. These are given up.
	Partial bool
	// Late starts it although waves of its recipients do not fit into their windows. Pace is what
	// tells; nil: that is not checked.
	Late bool
	Pace FindPace
}

// IncompleteError refuses to start a campaign with an incomplete audience. State is its current
// state.
type IncompleteError struct {
	ID     string
	State  campaign.State
	Losses []campaign.Loss
}

func (e *IncompleteError) Error() string {
	text := fmt.Sprintf("campaign %s is not started: ", terminal.Printable(e.ID))
	for i, loss := range e.Losses {
		if i > 0 {
			text += "; "
		}
		text += loss.What
		if loss.Advice != "" {
			text += "; " + loss.Advice
		}
	}
	return text
}

// Start begins or resumes a campaign, with a canary and on all platforms. It resets the breaker,
// because the operator has presumably fixed what tripped it.
//
// It returns a *PassedError for a draft whose deadline has passed, and a *MessageError for a
// message that cannot be sent. An *IncompleteError means that the audience is incomplete, and an
// *UnfitError that the waves of a draft do not fit into their windows.
func (o *Operator) Start(ctx context.Context, id string, opts StartOptions) error {
	list, err := o.deps.Names.Campaign(id)
	if err != nil {
		return err
	}
	if err := o.checkStartable(ctx, id, opts); err != nil {
		return err
	}
	// Reset the breaker first: a running campaign must not be measured by old failures.
	before, err := o.deps.Breakers.State(ctx, list)
	if err != nil {
		return err
	}
	if err := o.deps.Breakers.Reset(ctx, list); err != nil {
		return err
	}
	if err := o.deps.Campaigns.Move(ctx, id, campaign.Running, opts.Reason); err != nil {
		return err
	}
	if err := o.releasePlatforms(ctx, id, before); err != nil {
		return err
	}
	return o.noteRelease(ctx, id, before)
}

// releaseDelay is how long released recipients still wait. A dispatcher trusts for a second what it
// knows of the breaker, and would put them on hold again.
const releaseDelay = 2 * time.Second

// releasePlatforms has the recipients of platforms that were on hold sent to at once. Otherwise
// each would wait for the end of its own delay, retry.kept_back.
func (o *Operator) releasePlatforms(ctx context.Context, id string, before breaker.State) error {
	if len(before.Paused) == 0 {
		return nil
	}
	q, err := o.deps.Campaigns.Queue(id)
	if err != nil {
		return err
	}
	_, err = q.MakeDue(ctx, releaseDelay, func(raw []byte) bool {
		recipient, err := campaign.DecodeRecipient(raw)
		_, held := before.Paused[recipient.Platform]
		return err == nil && held
	})
	if err != nil {
		return fmt.Errorf("campaign %s runs, and its recipients on hold follow later: %w", terminal.Printable(id), err)
	}
	return nil
}

// noteRelease records which holds a start has ended.
func (o *Operator) noteRelease(ctx context.Context, id string, before breaker.State) error {
	released := slices.Sorted(maps.Keys(before.Paused))
	if before.Hold != nil {
		released = append(released, "the campaign")
	}
	if len(released) == 0 {
		return nil
	}
	return o.note(ctx, id, notification.HistoryEntry{What: campaign.NoteReleased, Detail: strings.Join(released, ", ")})
}

// checkStartable checks the message, the audience and the deadline. A missing campaign or a bad
// spec is refused by Move.
func (o *Operator) checkStartable(ctx context.Context, id string, opts StartOptions) error {
	spec, err := o.deps.Campaigns.Get(ctx, id)
	_, broken := errors.AsType[*campaign.SpecError](err)
	switch {
	case broken || errors.Is(err, campaign.ErrNotFound) || err == nil && spec.State.IsFinal():
		return nil
	case err != nil:
		return err
	}
	if err := CheckSendable(spec); err != nil {
		return err
	}
	books, err := o.guardedBooks(ctx, spec, id)
	if err != nil {
		return err
	}
	incomplete := books.IsIncomplete(spec)
	if incomplete && opts.Partial {
		if err := o.deps.Campaigns.Waive(ctx, spec, books.Missing); err != nil {
			return err
		}
	} else if incomplete && spec.State != campaign.Running {
		return &IncompleteError{ID: id, State: spec.State, Losses: books.Losses(spec)}
	}
	if err := o.checkDeadline(ctx, spec, books); err != nil || opts.Late {
		return err
	}
	return o.checkWaves(ctx, spec, books, opts.Pace.of(spec.Project))
}

// PausePlatform stops sending to one platform of a running campaign, until Start.
func (o *Operator) PausePlatform(ctx context.Context, id, platform, reason string) error {
	spec, err := o.deps.Campaigns.Get(ctx, id)
	if err != nil {
		return err
	}
	if spec.State != campaign.Running {
		return fmt.Errorf("campaign %s is %s: pause a platform only while it runs, because start and resume include all platforms", terminal.Printable(id), spec.State)
	}
	list, err := o.deps.Names.Campaign(id)
	if err != nil {
		return err
	}
	reason = cmp.Or(reason, "paused by an operator")
	if err := o.deps.Breakers.PausePlatform(ctx, list, platform, reason); err != nil {
		return err
	}
	return o.note(ctx, id, notification.HistoryEntry{What: campaign.NoteHeld, Detail: platform + ": " + reason})
}
