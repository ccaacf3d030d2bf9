package schedule

import "time"

// period is a span in which a zone has one offset from UTC: it holds from start, and before end. A
// zero start or end means that there is none.
type period struct {
	start, end time.Time
	offset     int64 // seconds east of UTC
}

func periodAt(t time.Time, zone *time.Location) period {
	in := t.In(zone)
	start, end := in.ZoneBounds()
	_, offset := in.Zone()
	return period{start, end, int64(offset)}
}

// lastBefore is the period that ends where p starts.
func (p period) lastBefore(zone *time.Location) period {
	return periodAt(p.start.Add(-time.Nanosecond), zone)
}

// week is the time since the beginning of Monday on the wall clock.
func (p period) week(t time.Time) time.Duration {
	const mondayOffset = 3 * 24 * 3600 // 1 January 1970 was a Thursday
	const weekSeconds = int64(weekLength / time.Second)
	wall := t.Unix() + p.offset + mondayOffset
	return time.Duration((wall%weekSeconds+weekSeconds)%weekSeconds)*time.Second + time.Duration(t.Nanosecond())
}

// maxShift is more than any change of a zone's offset: some places have moved across the date line.
const maxShift = 26 * time.Hour

// firstAt returns the first moment at which the wall clock of a zone shows what it shows in UTC at
// wall. If the clock skips that, it is the moment of the change.
func firstAt(wall time.Time, zone *time.Location) time.Time {
	for t := wall.Add(-maxShift); ; {
		p := periodAt(t, zone)
		at := wall.Add(-time.Duration(p.offset) * time.Second)
		switch {
		case !p.start.IsZero() && at.Before(p.start):
			return p.start
		case p.end.IsZero() || at.Before(p.end):
			return at
		}
		t = p.end
	}
}
