package schedule

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"
)

// LocalTime is a date and a time of day, wherever the recipient is. The zero LocalTime is none.
type LocalTime struct {
	// Wall is what the recipient's clock shows, as if it were UTC, to the minute.
	Wall time.Time
	// Within is how far from that a push may be, before and after; 0: at that time, or as soon as
	// possible after it.
	Within time.Duration
}

// The bounds of Within.
const (
	minWithin = time.Minute
	maxWithin = 12 * time.Hour
)

// IsZero reports whether there is no local time.
func (l LocalTime) IsZero() bool { return l.Wall.IsZero() }

// String is the text that ParseLocal reads; "" for none.
func (l LocalTime) String() string {
	if l.IsZero() {
		return ""
	}
	text := l.Wall.Format(localLayout)
	if l.Within > 0 {
		text += "±" + shortDuration(l.Within)
	}
	return text
}

// shortDuration writes 10m instead of 10m0s.
func shortDuration(d time.Duration) string {
	text := strings.TrimSuffix(d.String(), "0s")
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

const localLayout = "2006-01-02T15:04"

var (
	localText   = regexp.MustCompile(`^(\S+?)(?:[T ](\d{1,2}:\d{2}))?\s*(?:(?:±|\+-|\+/-)\s*(\S+))?$`)
	errLocal    = errors.New("want a local date and time, such as 2026-12-01T18:00 or 2026-12-01T18:00±10m")
	dateLayout  = "2006-01-02"
	minuteClock = "15:04"
)

// ParseLocal reads a local time such as 2026-12-01T18:00, or 2026-12-01T18:00±10m; "" means none.
// The error text follows the name of a field.
func ParseLocal(text string) (LocalTime, error) {
	if text == "" {
		return LocalTime{}, nil
	}
	m := localText.FindStringSubmatch(text)
	if m == nil || m[2] == "" {
		return LocalTime{}, fmt.Errorf("is %q, %w", clip(text), errLocal)
	}
	date, err := time.Parse(dateLayout, m[1])
	clock, clockErr := time.Parse(minuteClock, m[2])
	within, withinErr := parseWithin(m[3])
	if err := errors.Join(err, clockErr); err != nil {
		return LocalTime{}, fmt.Errorf("is %q, %w", clip(text), errLocal)
	}
	if withinErr != nil {
		return LocalTime{}, withinErr
	}
	return LocalTime{Wall: date.Add(sinceMidnight(clock)), Within: within}, nil
}

// ParseLocalFrom reads what ParseLocal does, and also a time with a weekday or without a date:
// "tue 18:00" or "18:00±10m". That means the first such day on which the time is ahead of everyone,
// seen from now, or from the start if that is later.
func ParseLocalFrom(text string, now, start time.Time) (LocalTime, error) {
	if start.After(now) {
		now = start
	}
	m := localText.FindStringSubmatch(text)
	if m == nil {
		return ParseLocal(text)
	}
	day, known := parseDay(m[1])
	clockText := m[2]
	if clockText == "" {
		day, known, clockText = -1, true, m[1]
	}
	clock, err := time.Parse(minuteClock, clockText)
	if !known || err != nil {
		return ParseLocal(text)
	}
	within, err := parseWithin(m[3])
	if err != nil {
		return LocalTime{}, err
	}
	first := now.UTC().Add(firstOffset) // the wall clock where the day begins first
	wall := first.Truncate(24 * time.Hour).Add(sinceMidnight(clock))
	for !wall.Add(-within).After(first) || day >= 0 && weekday(wall) != day {
		wall = wall.AddDate(0, 0, 1)
	}
	return LocalTime{Wall: wall, Within: within}, nil
}

func sinceMidnight(clock time.Time) time.Duration {
	return time.Duration(clock.Hour())*time.Hour + time.Duration(clock.Minute())*time.Minute
}

func parseWithin(text string) (time.Duration, error) {
	if text == "" {
		return 0, nil
	}
	within, err := time.ParseDuration(text)
	if err != nil || within < minWithin || within > maxWithin || within%time.Minute != 0 {
		return 0, fmt.Errorf("has ±%s, want whole minutes from 1m to 12h", clip(text))
	}
	return within, nil
}

// span is when the local time is, in a zone. A zero until means for ever; without a local time both
// are zero.
func (l LocalTime) span(zone *time.Location) (from, until time.Time) {
	if l.IsZero() {
		return from, until
	}
	at := firstAt(l.Wall, zone)
	if l.Within == 0 {
		return at, until
	}
	return at.Add(-l.Within), at.Add(l.Within)
}

// HasPassed reports whether the local time is over everywhere in the world.
func (l LocalTime) HasPassed(now time.Time) bool {
	return !l.IsZero() && !now.Before(l.Wall.Add(l.Within-lastOffset))
}

// clip shortens a text of unknown origin for an error.
func clip(text string) string {
	const most = 40
	if len(text) > most {
		return strings.ToValidUTF8(text[:most], "") + "…"
	}
	return text
}
