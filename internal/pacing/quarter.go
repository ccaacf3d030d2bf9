package pacing

import "time"

// The minutes that Google asks senders to stay out of: two on either side of each quarter of an hour. What is spent late
// stays out of them too, hence the second.
const (
	quarter = 15 * time.Minute
	away    = 2 * time.Minute
	grace   = time.Second
)

// opening is t, or the end of the avoided minutes that t lies in.
func opening(t time.Time) time.Time {
	into := t.Sub(t.Truncate(quarter))
	switch {
	case into < away:
		return t.Add(away - into)
	case into >= quarter-away-grace:
		return t.Add(quarter + away - into)
	}
	return t
}

// Avoids is the end of the minutes around a quarter hour that the project stays out of now; zero where it is in none.
func (s State) Avoids() time.Time {
	if opens := opening(s.Now); s.Settings.AvoidQuarterHours && opens.After(s.Now) {
		return opens
	}
	return time.Time{}
}

// closing is when the next avoided minutes after an open instant begin.
func closing(t time.Time) time.Time { return t.Truncate(quarter).Add(quarter - away - grace) }

// QuarterHours are those around which pushes go that go between two instants, unless they are avoided.
func QuarterHours(from, to time.Time) []time.Time {
	var all []time.Time
	for at := from.Add(-away).Truncate(quarter); !at.After(to.Add(away)); at = at.Add(quarter) {
		if at.Add(away).After(from) {
			all = append(all, at)
		}
	}
	return all
}
