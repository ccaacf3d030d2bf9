package dispatcher

import (
	"context"
	"log/slog"
	"slices"

	"fanfare/internal/campaign"
	"fanfare/internal/dedupe"
	"fanfare/internal/notification"
)

// deduper makes a campaign send once to each address, or to each user. An element takes its address
// before it is sent to, so a crash after that repeats the push of this element alone.
type deduper struct {
	log *slog.Logger
}

// takeAddresses ends recipients whose address or user another element of the campaign has. It comes
// last, because what takes an address is then sent to.
func (p *preparer) takeAddresses(fetch context.Context, in []*delivery) []*delivery {
	owners, duplicates, err := p.deduper.take(fetch, in)
	if err != nil {
		if fetch.Err() == nil {
			p.log.Warn("addresses not recorded; recipients deferred", "campaign", in[0].lease.camp.id, "error", err, "wait", p.retry.Outage)
		}
		for _, dl := range in {
			p.postpone(fetch, dl, p.retry.Outage)
		}
		return nil
	}
	for _, dl := range duplicates {
		p.end(dl, dl.duplicateResult())
	}
	return owners
}

// take records which elements own their addresses. It returns the deliveries that may be sent, and
// those whose address another element has. An error means that Redis could not tell, and both are
// empty.
func (d *deduper) take(ctx context.Context, in []*delivery) (owners, duplicates []*delivery, err error) {
	if len(in) == 0 || in[0].lease.camp.settings.Load().dedupe == campaign.DedupeNone {
		return in, nil, nil
	}
	camp := in[0].lease.camp
	wanted := make([]dedupe.Address, len(in))
	for i, dl := range in {
		wanted[i] = dl.addressOf(dl.recipient.Target)
	}
	owned, err := camp.addresses.Take(ctx, wanted)
	if err != nil {
		return nil, nil, err
	}
	owners = in[:0]
	for i, dl := range in {
		if !owned[i] {
			duplicates = append(duplicates, dl)
			continue
		}
		dl.taken = wanted[i : i+1 : i+1]
		owners = append(owners, dl)
	}
	return owners, duplicates, nil
}

// takeAnother takes another address of a user, beside those that the element has. It reports
// whether the element owns it.
func (d *deduper) takeAnother(ctx context.Context, dl *delivery, target notification.Target) (bool, error) {
	if dl.lease.camp.settings.Load().dedupe != campaign.DedupeAddress {
		return true, nil
	}
	wanted := dl.addressOf(target)
	owned, err := dl.lease.camp.addresses.Take(ctx, []dedupe.Address{wanted})
	if err != nil {
		d.log.Warn("address not recorded; recipient deferred", "campaign", dl.lease.camp.id, "error", err)
		return false, err
	}
	if owned[0] {
		dl.taken = append(dl.taken, wanted)
	}
	return owned[0], nil
}

// addressOf is what the campaign sends to once: an address, or the name of its user. Messages with
// different tags are different ones.
func (d *delivery) addressOf(target notification.Target) dedupe.Address {
	text := target.Value
	if d.hasOneUser() {
		text = "user " + d.recipient.UserID
	}
	if d.recipient.Tag != "" {
		text += "\x00" + d.recipient.Tag
	}
	return dedupe.Address{Element: d.element.ID, Claim: d.lease.Claim, Text: text}
}

// unreached are the taken addresses that no push of the element can have reached. Another element
// may send to them, such as a replay of this one.
func (d *delivery) unreached(status notification.Status) []dedupe.Address {
	if d.group() != nil && d.hasOneUser() {
		return nil // see unreachedUser
	}
	if len(d.taken) > 0 && (status == notification.StatusSent || status == notification.StatusUnknown) {
		return d.taken[:len(d.taken)-1] // the last one was sent to last
	}
	return d.taken
}

// takenDead are the taken addresses that proved dead. They are given up when the recipient is put
// off, because the next claim does not take them again.
func (d *delivery) takenDead() []dedupe.Address {
	if d.hasOneUser() {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(d.taken), func(a dedupe.Address) bool {
		return !slices.ContainsFunc(d.device.tried, func(t notification.Target) bool { return d.addressOf(t) == a })
	})
}

// unreachedUser is the user of several devices, if none of them can have been reached.
func (d *delivery) unreachedUser(status notification.Status) []dedupe.Address {
	if !d.hasOneUser() || status == notification.StatusSent || status == notification.StatusUnknown {
		return nil
	}
	return []dedupe.Address{d.addressOf(d.recipient.Target)}
}

// hasOneUser reports whether the campaign sends once to each user.
func (d *delivery) hasOneUser() bool {
	return d.lease.camp.settings.Load().dedupe == campaign.DedupeUser
}

// duplicateResult ends a recipient whose address or user another element has.
func (d *delivery) duplicateResult() *notification.Result {
	return d.result(notification.StatusSkipped, notification.CodeDuplicate, d.duplicateReason())
}

// duplicateReason says what another element has.
func (d *delivery) duplicateReason() string {
	if d.hasOneUser() {
		return "another element of the campaign has this user (dedupe: user)"
	}
	return "another element of the campaign has this address (dedupe: address)"
}
