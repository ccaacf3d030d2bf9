package dispatcher

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"fanfare/internal/campaign"
	"fanfare/internal/notification"
	"fanfare/internal/profiles"
	"fanfare/internal/queue"
	"fanfare/internal/suppression"
	"fanfare/internal/tokens"
	"fanfare/internal/tracing"
)

// preparer makes recipients ready for the pool.
type preparer struct {
	*finisher  // ends recipients that cannot be sent to
	deliveries chan<- *delivery
	tokens     *tokens.Store
	profiles   *profiles.Cache
	suppressed *suppression.Set
	deduper    *deduper
	tracer     *tracing.Tracer
	pauser     *pauser
	log        *slog.Logger
}

// prepare makes a claim's recipients ready for the pool. It decodes them, leaves out suppressed
// users, finds tokens with one look-up, and has those wait whose window is closed. Then it fills
// personal messages, takes addresses, and leaves out capped users. Recipients that cannot be sent
// to end here. Look-ups stop with fetch, because their recipients go back anyway.
func (p *preparer) prepare(fetch context.Context, l *lease, claim queue.Lease) {
	now := p.now()
	ready := make([]*delivery, 0, len(claim.Elements))
	all := make([]delivery, len(claim.Elements)) // one allocation: they end at about the same time
	for i, element := range claim.Elements {
		dl := &all[i]
		dl.lease, dl.element, dl.attempts, dl.message = l, element, element.Attempts, l.camp.content.Shared()
		dl.firstClaimedAt, dl.trace = l.localTime(element.Since), p.tracer.Find(element.ID)
		if end := p.decode(dl, now); end != nil {
			p.end(dl, end)
			continue
		}
		if !hasDevices(dl) && l.camp.isPlatformPaused(dl.recipient.Platform) {
			p.postpone(fetch, dl, p.retry.KeptBack)
			continue
		}
		ready = append(ready, dl)
	}
	ready = p.splitDevices(fetch, p.findTokens(fetch, p.endSuppressed(fetch, ready)))
	ready = p.waitForWindows(fetch, ready)
	ready = p.fillMessages(fetch, ready)
	ready = p.takeAddresses(fetch, ready)
	ready = p.reserve(fetch, ready)
	for _, dl := range ready {
		if dl.trace != nil {
			dl.tracePreparation(now, p.now())
		}
		p.deliveries <- dl
	}
}

// decode reads one element. It returns a result if the recipient ends here.
func (p *preparer) decode(dl *delivery, now time.Time) *notification.Result {
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
	case dl.isHeldOut():
		return dl.result(notification.StatusSkipped, notification.CodeHoldout, "the user is in the hold-out group")
	case hasDevices(dl): // each ends by itself
		return nil
	case dl.element.Lost > 0 && dl.lease.camp.settings.Load().onAmbiguous == campaign.Report:
		return dl.lostResult()
	case dl.isExpired(now):
		return dl.deadlineResult()
	}
	return nil
}

// endSuppressed ends recipients who are suppressed, with one look-up. It defers all while Redis or
// SQL cannot tell. A recipient with devices that were sent to keeps their outcomes: only the
// devices that are left end, in endEarly.
func (p *preparer) endSuppressed(fetch context.Context, in []*delivery) []*delivery {
	if len(in) == 0 {
		return in
	}
	users := make([]string, len(in))
	for i, dl := range in {
		users[i] = dl.recipient.UserID
	}
	suppressed, err := p.suppressed.Find(fetch, users)
	if err != nil {
		p.deferAll(fetch, in, err)
		return nil
	}
	if len(suppressed) == 0 {
		return in
	}
	out := in[:0]
	for _, dl := range in {
		dl.suppressed = suppressed[dl.recipient.UserID]
		if dl.suppressed && dl.element.Progress == "" {
			p.end(dl, dl.suppressedResult())
			continue
		}
		out = append(out, dl)
	}
	return out
}

// deferAll puts off recipients while no one knows who is suppressed. If the database refuses the
// query, they go back and the campaign pauses.
func (p *preparer) deferAll(fetch context.Context, in []*delivery, err error) {
	paused := p.pauser.pauseIfRefused(fetch, in[0].lease.camp, err)
	if fetch.Err() == nil && !paused {
		p.log.Warn("suppression lookup failed; recipients deferred", "error", err, "wait", p.retry.Outage)
	}
	for _, dl := range in {
		if paused {
			p.handBack(dl)
		} else {
			p.postpone(fetch, dl, p.retry.Outage)
		}
	}
}

// findTokens looks up the tokens that are missing from the elements, or unusable in them. No
// recipient is skipped while a store cannot be asked.
func (p *preparer) findTokens(fetch context.Context, in []*delivery) []*delivery {
	var ids []string
	for _, dl := range in {
		if !dl.recipient.HasAddress() {
			ids = append(ids, dl.recipient.UserID)
		}
	}
	if len(ids) == 0 {
		return in
	}
	found, err := p.tokens.Lookup(fetch, ids)
	paused := p.pauser.pauseIfRefused(fetch, in[0].lease.camp, err)
	out := in[:0]
	for _, dl := range in {
		if !dl.recipient.HasAddress() {
			dl.useStored(found[dl.recipient.UserID])
		}
		switch {
		case dl.recipient.HasAddress():
			out = append(out, dl)
		case tokens.IsUndecided(err, dl.recipient.UserID) && paused:
			p.handBack(dl)
		case tokens.IsUndecided(err, dl.recipient.UserID):
			p.postpone(fetch, dl, p.retry.Outage)
		case hasDevices(dl): // it ends with an outcome of each device
			out = append(out, dl)
		case !dl.recipient.Target.IsZero():
			p.end(dl, dl.invalidTokenResult(dl.recipient.Target))
		default:
			p.end(dl, dl.result(notification.StatusSkipped, notification.CodeNoToken, "no token in the element, in Redis or in SQL"))
		}
	}
	if err != nil && fetch.Err() == nil && !paused {
		p.log.Warn("token lookup failed; recipients deferred", "error", err, "wait", p.retry.Outage)
	}
	return out
}

// useStored takes over the addresses that are stored for the user. Bad ones of the element stay,
// because each has an outcome. The store has the newest first and the producer the newest last.
func (d *delivery) useStored(stored []notification.Device) {
	switch {
	case len(stored) == 1 && len(d.recipient.Devices) == 0:
		d.recipient = d.recipient.ForDevice(stored[0])
	case len(stored) > 0:
		stored = slices.Clone(stored)
		if d.lease.camp.settings.Load().devices == campaign.LatestDevice {
			slices.Reverse(stored)
		}
		d.recipient.Devices = slices.Concat(d.recipient.Devices, stored)
	}
}
