package dispatcher

import (
	"context"
	"errors"
	"fmt"
	"time"

	"fanfare/internal/campaign"
	"fanfare/internal/fcm"
	"fanfare/internal/notification"
	"fanfare/internal/profiles"
	"fanfare/internal/queue"
	"fanfare/internal/tokens"
)

// prepare brings a claim's recipients to the pool: it reads them, finds their tokens with one look-up, fills the
// message where it is personal, and ends those to whom nothing can be sent. Look-ups end with fetch: whom they were for
// goes back anyway.
func (d *Dispatcher) prepare(fetch context.Context, l *lease, claim queue.Lease) {
	now := d.now()
	ready := make([]*delivery, 0, len(claim.Elements))
	for _, element := range claim.Elements {
		dl := &delivery{lease: l, element: element, attempts: element.Attempts, message: l.camp.message}
		dl.firstClaimedAt = l.localTime(element.Since)
		if end := d.decode(dl, now); end != nil {
			d.finish(dl, d.outcomeOf(dl, end))
			continue
		}
		if l.camp.isPlatformPaused(dl.recipient.Platform) {
			d.postpone(fetch, dl, d.opts.Retry.KeptBack)
			continue
		}
		ready = append(ready, dl)
	}
	ready = d.findTokens(fetch, ready)
	ready = d.fillMessages(fetch, ready)
	for _, dl := range ready {
		d.deliveries <- dl
	}
}

// read decodes one element; a result means that it ends here.
func (d *Dispatcher) decode(dl *delivery, now time.Time) *notification.Result {
	if dl.element.Oversize {
		r := dl.result(notification.StatusFailed, notification.CodeOversize, fmt.Sprintf("element of %d bytes is above the limit", len(dl.element.Raw)))
		r.Raw = dl.element.Raw
		return r
	}
	recipient, err := campaign.DecodeRecipient(dl.element.Raw)
	if err != nil {
		r := dl.result(notification.StatusFailed, notification.CodeMalformed, err.Error())
		r.Raw = dl.element.Raw
		return r
	}
	dl.recipient = recipient
	switch {
	case dl.element.Lost > 0 && dl.lease.camp.settings.Load().onAmbiguous == campaign.Report:
		return dl.result(notification.StatusUnknown, notification.CodeOutcomeUnknown, "its sender stopped without an outcome")
	case dl.isExpired(now):
		return dl.deadlineResult()
	}
	return nil
}

// address finds the tokens that the elements do not carry, or of which they carry something that can be none. No one is skipped
// while a store cannot be asked.
func (d *Dispatcher) findTokens(fetch context.Context, in []*delivery) []*delivery {
	var ids []string
	for _, dl := range in {
		if !dl.recipient.Target.IsSendable() {
			ids = append(ids, dl.recipient.UserID)
		}
	}
	if len(ids) == 0 {
		return in
	}
	found, err := d.deps.Tokens.Lookup(fetch, ids)
	paused := d.pauseIfRefused(fetch, in[0].lease.camp, err)
	out := in[:0]
	for _, dl := range in {
		if stored := found[dl.recipient.UserID]; !dl.recipient.Target.IsSendable() && !stored.IsZero() {
			dl.recipient.Target = stored
		}
		switch {
		case dl.recipient.Target.IsSendable():
			out = append(out, dl)
		case tokens.Undecided(err, dl.recipient.UserID) && paused:
			d.handBack(dl)
		case tokens.Undecided(err, dl.recipient.UserID):
			d.postpone(fetch, dl, d.opts.Retry.Outage)
		case !dl.recipient.Target.IsZero():
			d.finish(dl, d.outcomeOf(dl, dl.invalidTokenResult(dl.recipient.Target)))
		default:
			d.finish(dl, d.outcomeOf(dl, dl.result(notification.StatusSkipped, notification.CodeNoToken, "no token in the element, in Redis or in SQL")))
		}
	}
	if err != nil && fetch.Err() == nil && !paused {
		d.quietly.Do(func() {
			d.log.Warn("look up tokens: those who have none at hand wait", "error", err, "wait", d.opts.Retry.Outage)
		})
	}
	return out
}

// personalise fills the message's placeholders, from the element first and from profiles where that is not enough.
func (d *Dispatcher) fillMessages(fetch context.Context, in []*delivery) []*delivery {
	if len(in) == 0 || !in[0].lease.camp.template.IsPersonal() {
		return in
	}
	template := in[0].lease.camp.template
	var ids []string
	for _, dl := range in {
		if !template.IsFilledBy(dl.recipient.Vars) {
			ids = append(ids, dl.recipient.UserID)
		}
	}
	known, err := d.lookupProfiles(fetch, ids)
	paused := d.pauseIfRefused(fetch, in[0].lease.camp, err)
	if err != nil && fetch.Err() == nil && !paused {
		d.quietly.Do(func() {
			d.log.Warn("look up profiles: those who need one wait", "error", err, "wait", d.opts.Retry.Outage)
		})
	}
	out := in[:0]
	for _, dl := range in {
		if !template.IsFilledBy(dl.recipient.Vars) && profiles.IsUndecided(err, dl.recipient.UserID) {
			if paused {
				d.handBack(dl)
			} else {
				d.postpone(fetch, dl, d.opts.Retry.Outage)
			}
			continue
		}
		if end := fill(dl, template, known[dl.recipient.UserID]); end != nil {
			d.finish(dl, d.outcomeOf(dl, end))
			continue
		}
		out = append(out, dl)
	}
	return out
}

func (d *Dispatcher) lookupProfiles(fetch context.Context, ids []string) (map[string]profiles.Profile, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	return d.deps.Profiles.Lookup(fetch, ids)
}

// fill writes one recipient's own message; a result means that there is none.
func fill(dl *delivery, template *profiles.Template, profile profiles.Profile) *notification.Result {
	text, err := template.Fill(dl.recipient.Vars, profile)
	if err != nil {
		return dl.result(notification.StatusSkipped, notification.CodeUnfilled, err.Error())
	}
	dl.message, err = fcm.ParseFilled(text)
	if tooLarge, ok := errors.AsType[*notification.Fault](err); ok {
		return dl.result(notification.StatusFailed, notification.CodeTooLarge, tooLarge.Error())
	}
	if err != nil {
		return dl.result(notification.StatusFailed, notification.CodeMalformed, err.Error())
	}
	return nil
}

// postpone lets a recipient wait out a fault that is not theirs; it does not count as an attempt. During a stop the fault may be
// the stop itself.
func (d *Dispatcher) postpone(fetch context.Context, dl *delivery, floor time.Duration) {
	if fetch.Err() != nil {
		d.handBack(dl)
		return
	}
	wait := d.opts.Retry.backoff(1, floor, 0)
	if deadline := dl.lease.deadline(); !deadline.IsZero() && d.now().Add(wait).After(deadline) {
		wait = max(0, deadline.Sub(d.now())) // so that it ends as expired when the deadline comes
	}
	d.finish(dl, d.retryIn(dl, wait, dl.attempts, ""))
}

// finish hands a recipient's outcome to the acker and frees its slot.
func (d *Dispatcher) finish(dl *delivery, e outcome) {
	dl.lease.camp.inflight.Add(-1)
	d.held.Add(-1)
	d.reporter.countEnded(dl.lease, 1)
	if !e.goesBack {
		dl.lease.camp.unwritten.Add(1)
	}
	d.acker.events <- e
	d.slots.release(1)
}

// handBack returns a recipient unsent.
func (d *Dispatcher) handBack(dl *delivery) {
	d.finish(dl, outcome{lease: dl.lease, goesBack: true})
}

// expired reports that the campaign's deadline came while the recipient was on its way.
func (dl *delivery) isExpired(now time.Time) bool {
	deadline := dl.lease.deadline()
	return !deadline.IsZero() && !now.Before(deadline)
}
