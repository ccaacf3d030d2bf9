package dispatcher

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"time"

	"fanfare/internal/campaign"
	"fanfare/internal/notification"
)

// splitDevices gives each device of a recipient a delivery of its own. Devices that an earlier
// claim has finished get none. Recipients with one address stay as they are.
func (p *preparer) splitDevices(fetch context.Context, in []*delivery) []*delivery {
	if !slices.ContainsFunc(in, hasDevices) {
		return in
	}
	out := make([]*delivery, 0, len(in)+len(in)/2)
	for _, dl := range in {
		if !hasDevices(dl) {
			out = append(out, dl)
			continue
		}
		out = append(out, p.split(fetch, dl)...)
	}
	return out
}

// hasDevices reports whether a recipient has a list of devices, or had one in an earlier claim.
func hasDevices(dl *delivery) bool { return len(dl.recipient.Devices) > 0 || dl.element.Progress != "" }

// split makes the deliveries of one recipient. It ends the recipient, or puts it off, if no device
// is left to send to now.
func (p *preparer) split(fetch context.Context, dl *delivery) []*delivery {
	states, err := decodeStates(dl.element.Progress)
	if err != nil {
		p.end(dl, dl.result(notification.StatusUnknown, notification.CodeOutcomeUnknown, "which devices have the message is unknown: "+err.Error()))
		return nil
	}
	all := dl.recipient.Devices
	if len(all) == 0 && !dl.recipient.Target.IsZero() {
		all = []notification.Device{{Target: dl.recipient.Target}}
	}
	devices := pairAddresses(all)
	if dl.lease.camp.settings.Load().devices == campaign.LatestDevice && len(states) <= 1 {
		devices = latestFirst(devices)
	}
	if len(states) == 0 && len(devices) == 1 {
		return p.useOnly(fetch, dl, devices[0])
	}
	return p.makeGroup(fetch, dl, devices, states)
}

// addresses are those of one device, in the order in which they are tried.
type addresses []notification.Device

// keys returns the keys of a device. One without an address is known by its position in the
// element, which stays the same.
func (a addresses) keys(position int) []string {
	var targets []notification.Target
	for _, device := range a {
		targets = append(targets, device.Target)
	}
	if keys := addressKeys(targets...); len(keys) > 0 {
		return keys
	}
	return []string{"#" + strconv.Itoa(position)}
}

// pairAddresses puts addresses of the same installation together. The installation ID comes first:
// a device that has one may have lost its token. The token is tried if the app has not registered
// the ID.
func pairAddresses(devices []notification.Device) []addresses {
	var all []addresses
	for _, d := range devices {
		at := slices.IndexFunc(all, func(a addresses) bool {
			return !d.Target.IsZero() && slices.ContainsFunc(a, func(other notification.Device) bool { return other.Target.IsSameDevice(d.Target) })
		})
		switch {
		case at < 0:
			all = append(all, addresses{d})
		case slices.ContainsFunc(all[at], func(other notification.Device) bool { return other.Target.IsSame(d.Target) }):
		case d.Target.Kind == notification.TargetFID:
			all[at] = slices.Insert(all[at], 0, d)
		default:
			all[at] = append(all[at], d)
		}
	}
	return all
}

// latestFirst returns one device with all addresses: first those of the device that was used last,
// then of the one before. Of devices whose last use is unknown, the last of the list comes first.
func latestFirst(devices []addresses) []addresses {
	lastSeen := func(a addresses) (at time.Time) {
		for _, d := range a {
			if d.LastSeen.After(at) {
				at = d.LastSeen
			}
		}
		return at
	}
	usable := slices.DeleteFunc(slices.Clone(devices), func(a addresses) bool { return !a[0].Target.IsSendable() })
	if len(usable) == 0 {
		return devices[:min(1, len(devices))]
	}
	slices.Reverse(usable)
	slices.SortStableFunc(usable, func(a, b addresses) int { return lastSeen(b).Compare(lastSeen(a)) })
	return []addresses{slices.Concat(usable...)}
}

// useOnly prepares a recipient whose devices have turned out to be one.
func (p *preparer) useOnly(fetch context.Context, dl *delivery, only addresses) []*delivery {
	dl.recipient = dl.recipient.ForDevice(only[0])
	if len(only) > 1 {
		dl.device = &deviceDelivery{others: only[1:]}
	}
	if p.endEarly(fetch, dl, only[0]) {
		return nil
	}
	return []*delivery{dl}
}

// makeGroup makes the deliveries of several devices.
func (p *preparer) makeGroup(fetch context.Context, dl *delivery, devices []addresses, states []deviceState) []*delivery {
	g := &deviceGroup{states: states, open: 1}
	now := dl.lease.serverTime(p.now()).UnixMilli()
	var ready []*delivery
	known := make(map[int]bool)
	for i, device := range devices {
		g.badLocale = g.badLocale || dl.lease.camp.content.HasBadLocale(device[0].Locale)
		index := g.indexOf(device.keys(i), device[0], dl.recipient)
		s := &g.states[index]
		if known[index] || s.hasEnded() || s.Due > now {
			known[index] = true
			continue
		}
		known[index] = true
		device = s.remaining(device)
		each := *dl
		if s.TokenRemoved {
			each.dead = []notification.Target{notification.ParseToken(s.Token)}
		}
		each.recipient = dl.recipient.ForDevice(device[0])
		each.attempts = s.Attempts
		each.device = &deviceDelivery{group: g, index: index, others: device[1:]}
		g.open++
		if !p.endEarly(fetch, &each, device[0]) {
			ready = append(ready, &each)
		}
	}
	g.dropVanished(known)
	dl.device = &deviceDelivery{group: g}
	p.releaseGroup(dl, g)
	return ready
}

// indexOf returns the state of a device, which it adds if there is none.
func (g *deviceGroup) indexOf(keys []string, d notification.Device, r notification.Recipient) int {
	for i := range g.states {
		if g.states[i].isKnownBy(keys) {
			return i
		}
	}
	address, kind := d.Target.NameInResult()
	g.states = append(g.states, deviceState{
		Keys:         keys,
		DeviceResult: notification.DeviceResult{Address: address, Kind: kind, Platform: cmp.Or(d.Platform, r.Platform)},
	})
	return len(g.states) - 1
}

// dropVanished ends deferred devices whose address is stored no more.
func (g *deviceGroup) dropVanished(known map[int]bool) {
	for i := range g.states {
		if s := &g.states[i]; !s.hasEnded() && !known[i] {
			s.Status, s.ErrorCode, s.Error = notification.StatusSkipped, notification.CodeNoToken, "the address is not stored any more"
			s.Due = 0
		}
	}
}

// endEarly ends or defers a device that is not sent to now. It reports whether it did.
func (p *preparer) endEarly(fetch context.Context, dl *delivery, device notification.Device) bool {
	switch {
	case !dl.recipient.Target.IsSendable():
		p.end(dl, dl.invalidDeviceResult(device))
	case dl.element.Lost > 0 && dl.lease.camp.settings.Load().onAmbiguous == campaign.Report:
		p.end(dl, dl.lostResult())
	case dl.suppressed:
		p.end(dl, dl.suppressedResult())
	case dl.isExpired(p.now()):
		p.end(dl, dl.deadlineResult())
	case dl.lease.camp.isPlatformPaused(dl.recipient.Platform):
		p.postpone(fetch, dl, p.retry.KeptBack)
	default:
		return false
	}
	return true
}
