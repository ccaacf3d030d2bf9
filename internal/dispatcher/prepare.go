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
	"fanfare/internal/store"
	"fanfare/internal/tokens"
)

// prepare makes a claim's recipients ready for the pool: it decodes them, finds their tokens with
// one look-up, and fills personal messages. Recipients that cannot be sent to end here. Look-ups
// stop with fetch, because their recipients go back anyway.
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

// decode reads one element. It returns a result if the recipient ends here.
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

// findTokens looks up the tokens that are missing from the elements, or unusable in them. No
// recipient is skipped while a store cannot be asked.
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
		case tokens.IsUndecided(err, dl.recipient.UserID) && paused:
			d.handBack(dl)
		case tokens.IsUndecided(err, dl.recipient.UserID):
			d.postpone(fetch, dl, d.opts.Retry.Outage)
		case !dl.recipient.Target.IsZero():
			d.finish(dl, d.outcomeOf(dl, dl.invalidTokenResult(dl.recipient.Target)))
		default:
			d.finish(dl, d.outcomeOf(dl, dl.result(notification.StatusSkipped, notification.CodeNoToken, "no token in the element, in Redis or in SQL")))
		}
	}
	if err != nil && fetch.Err() == nil && !paused {
		d.quietly.Do(func() {
			d.log.Warn("token lookup failed; recipients deferred", "error", err, "wait", d.opts.Retry.Outage)
		})
	}
	return out
}

// fillMessages fills the message's placeholders, first from the element, then from profiles where
// needed.
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
			d.log.Warn("profile lookup failed; recipients deferred", "error", err, "wait", d.opts.Retry.Outage)
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

// fill builds one recipient's message. It returns a result if that is impossible.
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

// pauseIfRefused pauses a campaign whose look-up used a statement that the database refuses: a
// table or a permission is missing. Retries would not help. It reports whether the campaign is
// paused and its recipients can go back. An operator repairs the database and resumes the campaign.
func (d *Dispatcher) pauseIfRefused(ctx context.Context, camp *activeCampaign, err error) bool {
	refused, ok := errors.AsType[*store.SettingError](err)
	if !ok || camp.isClosed() {
		return ok
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), d.opts.redisTimeout())
	defer cancel()
	if err := d.reporter.pause(ctx, camp, refused.Error()); err != nil {
		d.quietly.Do(func() {
			d.log.Warn("campaign not paused; its next look-up tries again", "campaign", camp.id, "error", err)
		})
		return false
	}
	d.roster.drop(camp)
	d.log.Error("campaign paused; the database refuses a statement", "campaign", camp.id, "error", err,
		"next", "repair the database or the setting, then: fanfare campaign resume "+camp.id)
	return true
}
