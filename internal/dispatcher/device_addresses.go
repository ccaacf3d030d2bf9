package dispatcher

import (
	"slices"

	"fanfare/internal/notification"
)

// This file has what a device that is put off, or goes back unsent, remembers of its addresses. No
// later claim sends to an address again that proved dead.

// keptGroup returns the devices whose states go through Redis when the recipient does not end, or
// nil. If an address of the only device has proved dead, it makes a group of that device. That has
// no effect on the result.
func (d *delivery) keptGroup() *deviceGroup {
	if g := d.group(); g != nil || !d.hasReplaced() {
		return g
	}
	address, kind := d.recipient.Target.NameInResult()
	d.device.group = &deviceGroup{open: 1, states: []deviceState{{
		DeviceResult: notification.DeviceResult{Address: address, Kind: kind, Platform: d.recipient.Platform},
	}}}
	return d.device.group
}

// hasReplaced reports whether an address of the delivery has proved dead in this claim.
func (d *delivery) hasReplaced() bool { return d.device != nil && len(d.device.tried) > 0 }

// noteAddresses takes over what a delivery learned of the device's addresses.
func (s *deviceState) noteAddresses(dl *delivery) {
	s.addKeys(addressKeys(append(slices.Clone(dl.device.tried), dl.recipient.Target)...))
	s.Moved = append(s.Moved, dl.device.moved...)
	s.Kept = s.Kept || len(dl.kept) > 0
}

// noteNext notes which addresses of an unfinished device proved dead, and which one comes next.
func (s *deviceState) noteNext(dl *delivery) {
	for _, dead := range dl.device.tried {
		s.Tried = append(s.Tried, hashAddress(dead.Kind, dead.Value))
	}
	if next := dl.recipient.Target; len(s.Tried) > 0 && !s.hasTried(next) {
		s.Next = next.Text()
		_, s.NextKind = next.NameInResult()
	}
	so := deviceResultOf(dl, dl.result("", "", ""))
	s.TokenRemoved, s.Token = so.TokenRemoved, so.Token
}

// hasTried reports whether an address proved dead in an earlier claim.
func (s *deviceState) hasTried(t notification.Target) bool {
	return slices.Contains(s.Tried, hashAddress(t.Kind, t.Value))
}

// remaining returns the addresses of the device that are left to try. They are all of them if none
// is left: the stores could not tell, and are asked again with the next answer.
func (s *deviceState) remaining(all addresses) addresses {
	if len(s.Tried) == 0 {
		return all
	}
	rest := slices.DeleteFunc(slices.Clone(all), func(d notification.Device) bool { return s.hasTried(d.Target) })
	if s.Next != "" {
		next := all[0] // its platform and locale are those of the device
		next.Target = notification.ParseAddress(s.Next, s.NextKind)
		if i := slices.IndexFunc(rest, func(d notification.Device) bool { return d.Target.IsSame(next.Target) }); i >= 0 {
			next = rest[i]
			rest = slices.Delete(rest, i, i+1)
		}
		rest = slices.Insert(rest, 0, next)
	}
	if len(rest) == 0 {
		return all
	}
	return rest
}

// addMoved adds the tokens that moved to the result of a recipient with one device. The recipient
// names the last one that was removed, if it has no other.
func addMoved(r *notification.Result, moved []notification.DeviceResult, device notification.DeviceResult) {
	if len(moved) == 0 {
		return
	}
	r.Devices = append(moved, device)
	if last := moved[len(moved)-1]; !r.TokenRemoved && last.TokenRemoved {
		r.TokenRemoved, r.Token = true, last.Token
	}
}
