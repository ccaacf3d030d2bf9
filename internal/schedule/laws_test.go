package schedule_test

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"fanfare/internal/schedule"
)

// oddZones are those with which date arithmetic usually goes wrong.
var oddZones = []string{
	"UTC", "America/New_York", "Europe/Berlin", "Asia/Kolkata", "Asia/Kathmandu", "Pacific/Chatham", "Pacific/Kiritimati", "Pacific/Apia",
	"Australia/Lord_Howe", "America/St_Johns", "Africa/Casablanca", "Africa/Cairo", "Asia/Tehran", "America/Santiago", "Europe/Dublin",
	"Antarctica/Troll", "Asia/Pyongyang", "Etc/GMT+12", "+05:45",
}

var dayTexts = []string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"}

// plainWindow is a window as a test reads it: without spans or weeks.
type plainWindow struct{ day, from, to int } // to may be beyond 24:00, in minutes

// contains looks at the wall clock alone.
func (w plainWindow) contains(t time.Time) bool {
	day, minute := (int(t.Weekday())+6)%7, t.Hour()*60+t.Minute()
	return day == w.day && minute >= w.from && minute < w.to || day == (w.day+1)%7 && minute+24*60 < w.to
}

func isInAny(all []plainWindow, t time.Time) bool {
	for _, w := range all {
		if w.contains(t) {
			return true
		}
	}
	return false
}

func drawWindows(t *rapid.T) (all []plainWindow, rules schedule.Rules) {
	text := ""
	for range rapid.IntRange(1, 4).Draw(t, "windows") {
		w := plainWindow{day: rapid.IntRange(0, 6).Draw(t, "day"), from: rapid.IntRange(0, 24*60-1).Draw(t, "from")}
		w.to = w.from + rapid.IntRange(1, 24*60-1).Draw(t, "minutes")
		end := w.to
		if end > 24*60 {
			end -= 24 * 60
		}
		all = append(all, w)
		text += fmt.Sprintf("%s %02d:%02d-%02d:%02d;", dayTexts[w.day], w.from/60, w.from%60, end/60, end%60)
	}
	windows, err := schedule.ParseWindows(text[:len(text)-1])
	if err != nil {
		t.Fatal(err)
	}
	return all, schedule.Rules{Windows: windows}
}

func TestLawsOfTurns(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		zone, err := schedule.ParseZone(rapid.SampledFrom(oddZones).Draw(t, "zone"))
		if err != nil {
			t.Fatal(err)
		}
		windows, rules := drawWindows(t)
		now := time.Unix(rapid.Int64Range(0, 2_200_000_000).Draw(t, "now"), 0)
		turn, ok := rules.Next(now, zone, time.Time{})
		if !ok {
			t.Fatal("a window that opens each week never opens")
		}
		start := turn.Start(now)
		if start.Before(now) {
			t.Fatalf("starts at %s, before now", start)
		}
		if !isInAny(windows, start.In(zone)) {
			t.Fatalf("starts at %s, outside the windows", start.In(zone))
		}
		for at := now; at.Before(start); at = at.Add(time.Minute) {
			if isInAny(windows, at.In(zone)) {
				t.Fatalf("starts at %s, but %s is in a window, too", start.In(zone), at.In(zone))
			}
		}
		if isInAny(windows, turn.Opens.Add(-time.Second).In(zone)) || isInAny(windows, turn.Closes.In(zone)) {
			t.Fatalf("%s to %s does not begin and end with the windows", turn.Opens.In(zone), turn.Closes.In(zone))
		}
		for at := start; at.Before(turn.Closes); at = at.Add(time.Minute) {
			if !isInAny(windows, at.In(zone)) {
				t.Fatalf("is open at %s, outside the windows", at.In(zone))
			}
		}
		inside := start.Add(time.Duration(rapid.Int64Range(0, int64(turn.Closes.Sub(start))-1).Draw(t, "later")))
		for _, at := range []time.Time{start, inside} {
			again, ok := rules.Next(at, zone, time.Time{})
			if !ok || !again.Opens.Equal(turn.Opens) || !again.Closes.Equal(turn.Closes) {
				t.Fatalf("at %s the turn is another one: %v, not %v", at, again, turn)
			}
		}
	})
}

// A deadline only ever turns a turn into none: it moves nothing.
func TestLawOfDeadlines(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		zone, _ := schedule.ParseZone(rapid.SampledFrom(oddZones).Draw(t, "zone"))
		_, rules := drawWindows(t)
		now := time.Unix(rapid.Int64Range(0, 2_200_000_000).Draw(t, "now"), 0)
		deadline := now.Add(time.Duration(rapid.Int64Range(1, int64(9*24*time.Hour)).Draw(t, "left")))
		free, _ := rules.Next(now, zone, time.Time{})
		turn, ok := rules.Next(now, zone, deadline)
		if ok != free.Start(now).Before(deadline) {
			t.Fatalf("reachable before %s: %v, but it starts at %s", deadline, ok, free.Start(now))
		}
		if ok && turn != free {
			t.Fatalf("the turn is %v, and %v without a deadline", turn, free)
		}
	})
}

func TestLawOfLocalTimes(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		zone, _ := schedule.ParseZone(rapid.SampledFrom(oddZones).Draw(t, "zone"))
		wall := time.Unix(60*rapid.Int64Range(0, 36_000_000).Draw(t, "minute"), 0).UTC()
		turn, ok := schedule.Rules{Local: schedule.LocalTime{Wall: wall}}.Next(time.Unix(-1<<40, 0), zone, time.Time{})
		if !ok {
			t.Fatal("a local time is never reached")
		}
		reads := func(at time.Time) string { return at.In(zone).Format("2006-01-02T15:04:05") }
		want := wall.Format("2006-01-02T15:04:05")
		if got := reads(turn.Opens); got != want && (got < want || reads(turn.Opens.Add(-time.Second)) > want) {
			t.Fatalf("%s means %s in %s", want, turn.Opens.In(zone), zone)
		}
		for at := turn.Opens.Add(-26 * time.Hour); at.Before(turn.Opens); at = at.Add(time.Minute) {
			if reads(at) == want {
				t.Fatalf("%s means %s, but the clock showed it at %s, too", want, turn.Opens.In(zone), at.In(zone))
			}
		}
	})
}
