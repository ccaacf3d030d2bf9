package schedule

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Windows are the times of a week at which recipients may be sent to. The zero Windows are none,
// which means any time.
type Windows struct {
	texts []string
	spans []span // sorted, apart, within the week
}

// span is a part of a week, since the beginning of Monday.
type span struct{ from, to time.Duration }

const (
	dayLength  = 24 * time.Hour
	weekLength = 7 * dayLength
	maxWindows = 50
)

// IsZero reports whether any time is allowed: there are no windows, or they never close.
func (w Windows) IsZero() bool { return len(w.spans) == 0 }

// Texts are the windows one by one, as in "mon-fri 09:00-21:00".
func (w Windows) Texts() []string { return slices.Clone(w.texts) }

// String is the text that ParseWindows reads; "" for none.
func (w Windows) String() string { return strings.Join(w.texts, "; ") }

// ParseWindows reads windows such as "09:00-21:00" or "mon-fri 09:00-21:00; sat,sun 22:00-02:00".
// One without days opens on every day. One that ends at or before its beginning ends on the next
// day; its days are those on which it opens. "" means none. The error text follows the name of a
// field.
func ParseWindows(text string) (Windows, error) {
	if strings.TrimSpace(text) == "" {
		return Windows{}, nil
	}
	parts := strings.Split(text, ";")
	if len(parts) > maxWindows {
		return Windows{}, fmt.Errorf("has %d windows, want at most %d", len(parts), maxWindows)
	}
	var w Windows
	var all []span
	for _, part := range parts {
		part = strings.ToLower(strings.Join(strings.Fields(part), " "))
		spans, err := parseWindow(part)
		if err != nil {
			return Windows{}, fmt.Errorf("has %q: %w", clip(part), err)
		}
		w.texts = append(w.texts, part)
		all = append(all, spans...)
	}
	if w.spans = merge(all); len(w.spans) == 1 && w.spans[0] == (span{0, weekLength}) {
		w.spans = nil // always open
	}
	return w, nil
}

var errWindow = errors.New("want a window such as 09:00-21:00, or with days such as mon-fri 09:00-21:00 or sat,sun 22:00-02:00")

var errNeverOpens = errors.New("it opens and closes at the same time, so it never opens; want 00:00-24:00 for the whole day")

func parseWindow(text string) ([]span, error) {
	days, hours := "mon-sun", text
	if cut := strings.LastIndexByte(text, ' '); cut >= 0 {
		days, hours = text[:cut], text[cut+1:]
	}
	fromText, toText, both := strings.Cut(hours, "-")
	from, fromOK := parseClock(fromText)
	to, toOK := parseClock(toText)
	switch {
	case !both || !fromOK || !toOK || from == dayLength:
		return nil, errWindow
	case from == to:
		return nil, errNeverOpens
	case to < from:
		to += dayLength
	}
	on, err := parseDays(days)
	if err != nil {
		return nil, err
	}
	var spans []span
	for day := range 7 {
		if on[day] {
			start := time.Duration(day) * dayLength
			spans = append(spans, span{start + from, start + to})
		}
	}
	return spans, nil
}

// parseClock reads a time of day from 00:00 to 24:00.
func parseClock(text string) (time.Duration, bool) {
	if text == "24:00" {
		return dayLength, true
	}
	clock, err := time.Parse(minuteClock, text)
	return sinceMidnight(clock), err == nil
}

var dayNames = []string{"monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"}

// parseDay reads a weekday, or the first three letters or more of one. Monday is 0.
func parseDay(text string) (day int, ok bool) {
	text = strings.ToLower(text)
	day = slices.IndexFunc(dayNames, func(name string) bool { return len(text) >= 3 && strings.HasPrefix(name, text) })
	return day, day >= 0
}

// weekday is the day of the week; Monday is 0.
func weekday(t time.Time) int { return (int(t.Weekday()) + 6) % 7 }

// parseDays reads weekdays such as "mon-fri,sun".
func parseDays(text string) (on [7]bool, err error) {
	for _, part := range strings.Split(strings.ReplaceAll(text, " ", ""), ",") {
		first, last, isRange := strings.Cut(part, "-")
		if !isRange {
			last = first
		}
		from, ok := parseDay(first)
		to, ok2 := parseDay(last)
		if !ok || !ok2 {
			return on, fmt.Errorf("%q is no day of the week; %w", clip(part), errWindow)
		}
		for day := from; ; day = (day + 1) % 7 {
			on[day] = true
			if day == to {
				break
			}
		}
	}
	return on, nil
}

// merge sorts spans, splits what reaches into the next week, and joins those that touch.
func merge(all []span) []span {
	var week []span
	for _, s := range all {
		if s.to > weekLength {
			week = append(week, span{0, s.to - weekLength})
			s.to = weekLength
		}
		week = append(week, s)
	}
	slices.SortFunc(week, func(a, b span) int { return int(a.from - b.from) })
	merged := week[:0]
	for _, s := range week {
		if n := len(merged); n > 0 && s.from <= merged[n-1].to {
			merged[n-1].to = max(merged[n-1].to, s.to)
			continue
		}
		merged = append(merged, s)
	}
	return merged
}

// find returns the span that contains a time of the week.
func (w Windows) find(at time.Duration) (span, bool) {
	for _, s := range w.spans {
		if s.from <= at && at < s.to {
			return s, true
		}
	}
	return span{}, false
}

// untilOpen is how long the windows are closed from a time of the week on; 0: they are open.
func (w Windows) untilOpen(at time.Duration) time.Duration {
	for _, s := range w.spans {
		if at < s.to {
			return max(0, s.from-at)
		}
	}
	return weekLength - at + w.spans[0].from
}

// untilClosed is how long they are open from a time of the week on, at which they are open.
func (w Windows) untilClosed(at time.Duration) time.Duration {
	s, _ := w.find(at)
	left := s.to - at
	if s.to == weekLength && w.spans[0].from == 0 {
		left += w.spans[0].to
	}
	return left
}

// sinceOpen is how long they have been open at a time of the week, at which they are open.
func (w Windows) sinceOpen(at time.Duration) time.Duration {
	s, _ := w.find(at)
	past := at - s.from
	if last := w.spans[len(w.spans)-1]; s.from == 0 && last.to == weekLength {
		past += last.to - last.from
	}
	return past
}

// horizon is how far ahead windows are searched. A window may not open for two weeks, if its only
// day is skipped at the date line.
const horizon = 3 * weekLength

// next returns the turn that is open at t in a zone, or the first one after it. Each zone is
// followed through the periods of its offsets: within one, its wall clock runs evenly.
func (w Windows) next(t time.Time, zone *time.Location) (Turn, bool) {
	for at := t; at.Sub(t) < horizon; {
		p := periodAt(at, zone)
		opens := at.Add(w.untilOpen(p.week(at)))
		if p.end.IsZero() || opens.Before(p.end) {
			return Turn{w.opened(opens, zone, t), w.closes(opens, zone)}, true
		}
		at = p.end
	}
	return Turn{}, false
}

// opened returns when windows that are open at a moment have opened.
func (w Windows) opened(at time.Time, zone *time.Location, seenFrom time.Time) time.Time {
	for p := periodAt(at, zone); seenFrom.Sub(at) < horizon; {
		opened := at.Add(-w.sinceOpen(p.week(at)))
		if p.start.IsZero() || !opened.Before(p.start) {
			return opened
		}
		before := p.lastBefore(zone)
		last := p.start.Add(-time.Nanosecond)
		if _, open := w.find(before.week(last)); !open {
			return p.start
		}
		at, p = last, before
	}
	return at
}

// closes returns when windows that are open at a moment close.
func (w Windows) closes(at time.Time, zone *time.Location) time.Time {
	for from := at; at.Sub(from) < horizon; {
		p := periodAt(at, zone)
		closes := at.Add(w.untilClosed(p.week(at)))
		if p.end.IsZero() || closes.Before(p.end) {
			return closes
		}
		at = p.end
		if next := periodAt(at, zone); !w.isOpenIn(next, at) {
			return at
		}
	}
	return at
}

func (w Windows) isOpenIn(p period, at time.Time) bool {
	_, open := w.find(p.week(at))
	return open
}
