package dispatcher

import (
	"cmp"

	"fanfare/internal/campaign"
	"fanfare/internal/notification"
	"fanfare/internal/profiles"
	"fanfare/internal/schedule"
)

// quietPolicy is which quiet hours of users a campaign keeps. The zero policy keeps those in
// elements, which cost nothing to read.
type quietPolicy struct {
	exempt      bool // keeps none
	askProfiles bool
}

func quietPolicyOf(spec campaign.Spec) quietPolicy {
	if spec.IsExemptFromQuiet() {
		return quietPolicy{exempt: true}
	}
	return quietPolicy{askProfiles: spec.QuietHours.Own}
}

// keepsOf reports whether the element has quiet hours that are kept.
func (q quietPolicy) keepsOf(r notification.Recipient) bool { return !q.exempt && r.QuietHours != "" }

// asks reports whether the profile of a recipient is asked for quiet hours.
func (q quietPolicy) asks(r notification.Recipient) bool { return q.askProfiles && r.QuietHours == "" }

// ownQuiet are the quiet hours of a user.
type ownQuiet struct {
	known bool             // they replace those of the campaign
	hours schedule.Windows // zero: the user has none
	bad   bool             // they cannot be read: those of the campaign are kept
}

// find returns the quiet hours of the element, or else those of the profile.
func (q quietPolicy) find(r notification.Recipient, profile profiles.Profile) ownQuiet {
	text := r.QuietHours
	if q.askProfiles {
		text = cmp.Or(text, profile.QuietHours())
	}
	if q.exempt || text == "" {
		return ownQuiet{}
	}
	hours, err := schedule.ParseQuiet(text)
	return ownQuiet{known: err == nil, hours: hours, bad: err != nil}
}

// haveTimes reports whether any of a claim's recipients may have to wait. Most campaigns have no
// time rules, and pay for this alone.
func (t *settings) haveTimes(in []*delivery) bool {
	if !t.rules.IsZero() || t.quiet.askProfiles {
		return true
	}
	for _, dl := range in {
		if t.quiet.keepsOf(dl.recipient) {
			return true
		}
	}
	return false
}

// rulesFor returns the time rules for a user. Quiet hours of their own replace those of the
// campaign.
func (t *settings) rulesFor(own ownQuiet) schedule.Rules {
	switch {
	case t.quiet.exempt:
		return t.besideQuiet
	case own.known:
		return t.besideQuiet.WithQuiet(own.hours)
	}
	return t.rules
}
