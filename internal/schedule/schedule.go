// Package schedule says when a recipient may be sent to, by the clock of the place where they are:
// sending windows, a local time, and time zones with their daylight saving. It also plans how many
// pushes fit into the waves that follow from that. It reads no clock and does no I/O but for time
// zones, which Go finds by itself: in ZONEINFO, on the system, or in the copy that programs embed.
package schedule

import "time"

// Rules are the time rules of a campaign. The zero Rules allow any time.
type Rules struct {
	Windows Windows   // none: at any time
	Local   LocalTime // zero: none
	// Zone is that of recipients whose own zone is unknown; nil means UTC.
	Zone *time.Location

	neverOpen bool // quiet hours cover all windows
}

// IsZero reports whether the rules allow any time.
func (r Rules) IsZero() bool { return r.Windows.IsZero() && r.Local.IsZero() && !r.neverOpen }

// DefaultZone is the zone of recipients whose own zone is unknown.
func (r Rules) DefaultZone() *time.Location {
	if r.Zone == nil {
		return time.UTC
	}
	return r.Zone
}

// Turn is a span of time in which a recipient may be sent to: from Opens on, and before Closes.
// A zero Opens means always so far, a zero Closes means for ever.
type Turn struct{ Opens, Closes time.Time }

// IsOpen reports whether the recipient may be sent to at a moment.
func (t Turn) IsOpen(at time.Time) bool {
	return !at.Before(t.Opens) && (t.Closes.IsZero() || at.Before(t.Closes))
}

// Start is when the recipient can be sent to first, seen from now.
func (t Turn) Start(now time.Time) time.Time {
	if t.Opens.After(now) {
		return t.Opens
	}
	return now
}

// Next returns the turn that is open at now for a recipient in a zone, or else the first one after
// it. ok is false if none opens before the deadline; a zero deadline means none.
//
// A window is open while the wall clock shows one of its minutes. One in an hour that is repeated
// opens twice, and one in an hour that is missing does not open.
// A local time that is repeated means the first one. One that is missing means the moment at which
// the clocks go forward.
func (r Rules) Next(now time.Time, zone *time.Location, deadline time.Time) (turn Turn, ok bool) {
	from, until := r.Local.span(zone)
	at := Turn{Opens: from}.Start(now)
	turn = Turn{from, until}
	if r.neverOpen || !until.IsZero() && !at.Before(until) {
		return Turn{}, false
	}
	if !r.Windows.IsZero() {
		open, found := r.Windows.next(at, zone)
		if !found || !until.IsZero() && !open.Opens.Before(until) {
			return Turn{}, false
		}
		turn = turn.intersect(open)
	}
	if !deadline.IsZero() && !turn.Start(now).Before(deadline) {
		return Turn{}, false
	}
	return turn, true
}

// intersect returns what two turns have in common, which must be something.
func (t Turn) intersect(other Turn) Turn {
	if other.Opens.After(t.Opens) {
		t.Opens = other.Opens
	}
	if t.Closes.IsZero() || !other.Closes.IsZero() && other.Closes.Before(t.Closes) {
		t.Closes = other.Closes
	}
	return t
}

// The range of the world's UTC offsets, and the distance of those in use.
const (
	firstOffset = 14 * time.Hour // Pacific/Kiritimati, where a day begins first
	lastOffset  = -12 * time.Hour
	offsetStep  = 15 * time.Minute
)

// OpensAnywhere reports whether a recipient in any part of the world has a turn between now and the
// deadline; a zero deadline means none.
func (r Rules) OpensAnywhere(now, deadline time.Time) bool {
	for offset := firstOffset; offset >= lastOffset; offset -= offsetStep {
		if _, ok := r.Next(now, fixed(offset), deadline); ok {
			return true
		}
	}
	return false
}
