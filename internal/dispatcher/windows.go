package dispatcher

import (
	"context"
	"time"

	"fanfare/internal/campaign"
	"fanfare/internal/notification"
	"fanfare/internal/profiles"
	"fanfare/internal/queue"
	"fanfare/internal/schedule"
)

// turn is when a recipient of a campaign with time rules may be sent to. Other recipients have
// none.
type turn struct {
	schedule.Turn // server's clock

	zone    *time.Location
	quiet   ownQuiet
	badZone bool // its own zone is unknown to us: the campaign's is used
	waited  bool // for a window of the campaign, in the due set
}

// waitForWindows puts those recipients into the due set whose window is not open or whose hours are
// quiet. It ends those with no other time before the deadline. It comes after the look-up of
// tokens, because a stored device may have a zone of its own.
func (p *preparer) waitForWindows(fetch context.Context, in []*delivery) []*delivery {
	if len(in) == 0 {
		return in
	}
	current := in[0].lease.camp.settings.Load()
	if !current.haveTimes(in) {
		return in
	}
	isTimed := func(dl *delivery) bool {
		return !current.rules.IsZero() || current.quiet.asks(dl.recipient) || current.quiet.keepsOf(dl.recipient)
	}
	needsProfile := func(dl *delivery) bool {
		return isTimed(dl) && (dl.recipient.TimeZone == "" || current.quiet.asks(dl.recipient))
	}
	return p.withProfiles(fetch, in, needsProfile, func(dl *delivery, profile profiles.Profile) bool {
		if !isTimed(dl) {
			return true
		}
		zone, bad := findZone(dl.recipient, profile, current.besideQuiet)
		dl.turn = &turn{zone: zone, badZone: bad, quiet: current.quiet.find(dl.recipient, profile)}
		return !p.waitUnlessOpen(dl, current)
	})
}

// findZone returns the zone of the device or of the element, or else that of the profile, or else
// the campaign's. bad reports that what was found first is no zone.
func findZone(r notification.Recipient, profile profiles.Profile, rules schedule.Rules) (zone *time.Location, bad bool) {
	name := r.TimeZone
	if name == "" {
		name = profile.TimeZone()
	}
	if name == "" {
		return rules.DefaultZone(), false
	}
	zone, err := schedule.ParseZone(name)
	if err != nil {
		return rules.DefaultZone(), true
	}
	return zone, false
}

// waitUnlessOpen puts a recipient off until its window opens and its quiet hours end, or ends it if
// that is not in time. It reports whether it did; otherwise the time of retries counts from there.
func (f *finisher) waitUnlessOpen(dl *delivery, current *settings) bool {
	rules := current.rulesFor(dl.turn.quiet)
	now, deadline := f.now(), dl.lease.deadline()
	server := dl.lease.serverTime(now)
	if !deadline.IsZero() {
		deadline = dl.lease.serverTime(deadline)
	}
	next, ok := rules.Next(server, dl.turn.zone, deadline)
	switch {
	case !ok:
		f.end(dl, dl.closedResult())
		return true
	case !next.IsOpen(server):
		f.retryIn(dl, next.Opens.Sub(server), dl.attempts, campaign.CauseWindow)
		return true
	}
	dl.turn.Turn = next
	if opened := dl.lease.localTime(next.Opens); opened.After(dl.firstClaimedAt) {
		dl.firstClaimedAt, dl.turn.waited = opened, !dl.turn.quiet.known
	}
	return false
}

// waitIfClosed puts a recipient off whose window has closed while it waited for its turn. It
// reports whether it did.
func (f *finisher) waitIfClosed(dl *delivery, now time.Time) bool {
	if dl.turn == nil || dl.turn.IsOpen(dl.lease.serverTime(now)) {
		return false
	}
	return f.waitUnlessOpen(dl, dl.lease.camp.settings.Load())
}

// closedResult ends a recipient whose window does not open before the deadline.
func (d *delivery) closedResult() *notification.Result {
	if d.element.Lost > 0 {
		return d.result(notification.StatusUnknown, notification.CodeOutcomeUnknown, "its sender stopped without an outcome, and no window opens before the deadline")
	}
	return d.result(notification.StatusExpired, notification.CodeDeadline, d.turn.missing()+" before the deadline")
}

// missing says what does not come.
func (t *turn) missing() string {
	text := "no window opens in " + t.zone.String()
	if !t.quiet.hours.IsZero() {
		text += " outside the user's quiet hours"
	}
	return text
}

// turnNotes count what the books have of the recipient's turn.
func (d *delivery) turnNotes(status notification.Status) []queue.Note {
	if d.turn == nil {
		return nil
	}
	var notes []queue.Note
	if d.turn.badZone {
		notes = append(notes, queue.Note{Name: campaign.NoteBadZone, N: 1})
	}
	if d.turn.quiet.bad {
		notes = append(notes, queue.Note{Name: campaign.NoteBadQuiet, N: 1})
	}
	if d.turn.waited && status == notification.StatusSent {
		late := d.lease.serverTime(d.sentAt).Sub(d.turn.Opens)
		notes = append(notes, queue.Note{Name: campaign.NoteOfWave(d.turn.Opens, late), N: 1})
	}
	return notes
}
