package dispatcher

import (
	"context"
	"fmt"
	"time"

	"fanfare/internal/campaign"
	"fanfare/internal/caps"
	"fanfare/internal/notification"
)

// capEntry is whether a delivery's element counts against the caps of its user.
type capEntry int8

const (
	noEntry    capEntry = iota
	madeEntry           // by this claim
	foundEntry          // by an earlier claim, after which a push may have been sent
)

// isCapped reports whether the campaign is subject to caps.
func (f *finisher) isCapped(dl *delivery) bool {
	return f.caps != nil && dl.lease.camp.settings.Load().kind != campaign.Transactional
}

// reserve ends recipients who have had as many pushes as the caps allow. It comes last, because
// what it reserves is then sent. All devices of a user are one push.
func (p *preparer) reserve(fetch context.Context, in []*delivery) []*delivery {
	if p.caps == nil || len(in) == 0 || !p.isCapped(in[0]) {
		return in
	}
	elements := make([]caps.Element, 0, len(in))
	index := make(map[string]int, len(in))
	for _, dl := range in {
		if _, known := index[dl.element.ID]; !known && !dl.group().hasReached() {
			index[dl.element.ID] = len(elements)
			elements = append(elements, dl.capElement())
		}
	}
	found, err := p.caps.Reserve(fetch, elements)
	if err != nil {
		if fetch.Err() == nil {
			p.log.Warn("caps not checked; recipients deferred", "campaign", in[0].lease.camp.id, "error", err, "wait", p.retry.Outage)
		}
		for _, dl := range in {
			p.postpone(fetch, dl, p.retry.Outage)
		}
		return nil
	}
	out := in[:0]
	for _, dl := range in {
		at, asked := index[dl.element.ID]
		r := found[at]
		switch {
		case !asked: // a device has the message already, which counted
		case r.HadEntry:
			dl.entry = foundEntry
		case !r.Capped:
			dl.entry = madeEntry
		}
		if asked && r.Capped {
			p.end(dl, dl.cappedResult(r))
			continue
		}
		out = append(out, dl)
	}
	return out
}

// hasReached reports whether a device of the user may have the message. A user with one device has
// no group.
func (g *deviceGroup) hasReached() bool {
	if g == nil {
		return false
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	status := g.best().Status
	return status == notification.StatusSent || status == notification.StatusUnknown
}

// capElement names the element to the caps.
func (d *delivery) capElement() caps.Element {
	return caps.Element{User: d.recipient.UserID, Campaign: d.lease.camp.id, ID: d.element.ID, Since: d.element.Since}
}

// cappedResult ends a recipient who is capped. It is unknown, not skipped, if an earlier push may
// have arrived.
func (d *delivery) cappedResult(r caps.Reservation) *notification.Result {
	if d.element.Lost > 0 {
		return d.result(notification.StatusUnknown, notification.CodeOutcomeUnknown, "its sender stopped without an outcome, and then the user was capped")
	}
	return d.result(notification.StatusSkipped, notification.CodeCapped,
		fmt.Sprintf("the user has had %s; the next push may go at %s", r.Cap, r.FreesAt.Format(time.RFC3339)))
}

// mayHaveSent reports whether a request was made in this claim.
func (d *delivery) mayHaveSent() bool { return !d.sentAt.IsZero() }

// uncounted is the entry to release when an element ends, because FCM accepted no push of it. An
// earlier claim may have made the entry.
func (f *finisher) uncounted(dl *delivery, status notification.Status) *caps.Element {
	if f.caps == nil || status == notification.StatusSent || status == notification.StatusUnknown || !f.isCapped(dl) {
		return nil
	}
	if dl.entry == noEntry && dl.element.Attempts == 0 && dl.element.Lost == 0 && dl.element.Progress == "" {
		return nil
	}
	e := dl.capElement()
	return &e
}

// uncountedUnsent is the entry to release when an element returns or is put off, and no request was
// made for it since the entry was.
func (f *finisher) uncountedUnsent(dl *delivery, sent bool) *caps.Element {
	if f.caps == nil || sent || dl.entry != madeEntry {
		return nil
	}
	e := dl.capElement()
	return &e
}

// uncounted is an entry to release, and the lease that allows it.
type uncounted struct {
	lease   *lease
	element caps.Element
}

// uncount releases entries of pushes that FCM did not accept. It comes before settle: a crash in
// between has their elements reserve again. Entries of a lost lease stay, because another process
// may be sending. If it fails for good, their users count as sent to.
func (a *acker) uncount(keep context.Context, camp *activeCampaign, all []uncounted) {
	if len(all) == 0 {
		return
	}
	err := a.redis.persist(keep, "release caps", camp, func(ctx context.Context) error {
		elements := make([]caps.Element, 0, len(all))
		for _, u := range all {
			if u.lease.IsValid(a.now()) {
				elements = append(elements, u.element)
			}
		}
		return a.caps.Release(ctx, elements)
	})
	if err != nil {
		a.log.Warn("caps not released; their users count as sent to", "campaign", camp.id, "users", len(all), "error", err)
	}
}
