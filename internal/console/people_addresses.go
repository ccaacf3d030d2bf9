package console

import (
	"cmp"
	"slices"
	"time"

	"fanfare/internal/notification"
	"fanfare/internal/operator"
	"fanfare/internal/redact"
	"fanfare/internal/tokens"
)

// personToken is the token as a push would use it now, masked.
type personToken struct{ State, Text, Note, Problem string }

// personDevice is one device of a user. Its address is masked. Problem says why nothing is sent to
// it.
type personDevice struct{ Address, Kind, Platform, Locale, LastUse, Ago, Problem string }

// removedAddress is the copy of an address that was removed as dead.
type removedAddress struct{ Address, Kind, At, Campaign, URL, Advice string }

func tokenOf(u operator.User) personToken {
	switch {
	case u.TokenErr != nil:
		return personToken{State: "Unknown", Problem: redact.Text(u.TokenErr.Error())}
	case u.Token.IsZero():
		return personToken{State: "None", Note: "in Redis and SQL"}
	case !u.Token.IsSendable():
		return personToken{State: "Not usable", Text: u.Token.String(), Note: "nothing is sent to it", Problem: u.Token.Problem()}
	}
	return personToken{State: "Stored", Text: u.Token.String(), Note: "what a push would use now"}
}

// personDevicesOf lists the addresses that a push would use, the last used first.
func personDevicesOf(u operator.User, now time.Time) []personDevice {
	var all []personDevice
	for _, d := range u.Devices {
		device := personDevice{
			Address: d.Target.String(), Kind: operator.KindOf(d.Target), Platform: cmp.Or(d.Platform, "–"), Locale: cmp.Or(d.Locale, "–"),
			LastUse: "–", Problem: d.Target.Problem(),
		}
		if !d.LastSeen.IsZero() {
			device.LastUse, device.Ago = clock(d.LastSeen, now), span(now.Sub(d.LastSeen))+" ago"
		}
		all = append(all, device)
	}
	return all
}

// removedOf lists the copies of removed addresses, the last removed first.
func (c *Console) removedOf(u operator.User, s *Snapshot) []removedAddress {
	var all []removedAddress
	for _, r := range u.Removed {
		out := removedAddress{Address: r.Token.String(), Kind: operator.KindOf(r.Token), At: clock(r.At, s.At), Campaign: r.Campaign, Advice: adviceOnRemoved(u, r)}
		if s.find(r.Campaign) != nil {
			out.URL = c.campaignURL(r.Campaign)
		}
		all = append(all, out)
	}
	return all
}

// adviceOnRemoved says whether a removed address can be given back.
func adviceOnRemoved(u operator.User, r tokens.RemovedToken) string {
	stored := slices.ContainsFunc(u.Devices, func(d notification.Device) bool { return d.Target.IsSame(r.Token) })
	switch {
	case u.TokenErr != nil:
		return "whether it is stored again is unknown"
	case stored:
		return "stored again"
	case len(u.Devices) > 0:
		return "others are stored"
	}
	return "nothing else is stored"
}
