package schedule_test

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"fanfare/internal/schedule"
)

func TestQuietHours(t *testing.T) {
	t.Parallel()
	const never = "never"
	for name, c := range map[string]struct {
		windows, quiet, zone, now string
		start, closes             string
	}{
		"at night": {
			quiet: "22:00-07:00", zone: "Asia/Saigon", now: "2026-03-04T23:30:00+07:00",
			start: "2026-03-05T07:00:00+07:00", closes: "2026-03-05T22:00:00+07:00",
		},
		"before the night": {
			quiet: "22:00-07:00", zone: "Asia/Saigon", now: "2026-03-04T21:59:59+07:00",
			start: "2026-03-04T21:59:59+07:00", closes: "2026-03-04T22:00:00+07:00",
		},
		"the last minute is over": {
			quiet: "22:00-07:00", zone: "Asia/Kathmandu", now: "2026-03-04T07:00:00+05:45",
			start: "2026-03-04T07:00:00+05:45", closes: "2026-03-04T22:00:00+05:45",
		},
		"they cut a window": {
			windows: "06:00-23:00", quiet: "12:00-14:00", zone: "UTC", now: "2026-03-04T12:30:00Z",
			start: "2026-03-04T14:00:00Z", closes: "2026-03-04T23:00:00Z",
		},
		"they shorten a window": {
			windows: "06:00-23:00", quiet: "22:00-07:00", zone: "UTC", now: "2026-03-04T22:30:00Z",
			start: "2026-03-05T07:00:00Z", closes: "2026-03-05T22:00:00Z",
		},
		"some days have other ones": {
			quiet: "fri,sat 23:00-09:00; sun-thu 22:00-07:00", zone: "UTC", now: "2026-03-06T22:30:00Z", // a Friday
			start: "2026-03-06T22:30:00Z", closes: "2026-03-06T23:00:00Z",
		},
		"over the end of the week": {
			quiet: "sun 20:00-10:00", zone: "UTC", now: "2026-03-08T21:00:00Z", // a Sunday
			start: "2026-03-09T10:00:00Z", closes: "2026-03-15T20:00:00Z",
		},
		"the clocks go forward in the night": {
			quiet: "22:00-07:00", zone: "America/New_York", now: "2026-03-07T23:00:00-05:00",
			start: "2026-03-08T07:00:00-04:00", closes: "2026-03-08T22:00:00-04:00",
		},
		"they end in the missing hour": {
			quiet: "22:00-02:30", zone: "America/New_York", now: "2026-03-08T01:59:00-05:00",
			start: "2026-03-08T03:00:00-04:00", closes: "2026-03-08T22:00:00-04:00",
		},
		"they lie in the missing hour": {
			quiet: "02:00-03:00", zone: "America/New_York", now: "2026-03-08T01:59:00-05:00",
			start: "2026-03-08T01:59:00-05:00", closes: "2026-03-09T02:00:00-04:00",
		},
		"they lie in the repeated hour, the first time": {
			quiet: "01:15-01:45", zone: "America/New_York", now: "2026-11-01T01:20:00-04:00",
			start: "2026-11-01T01:45:00-04:00", closes: "2026-11-01T01:15:00-05:00",
		},
		"they lie in the repeated hour, the second time": {
			quiet: "01:15-01:45", zone: "America/New_York", now: "2026-11-01T01:20:00-05:00",
			start: "2026-11-01T01:45:00-05:00", closes: "2026-11-02T01:15:00-05:00",
		},
		"the clocks go back in the night": {
			quiet: "22:00-07:00", zone: "Europe/Berlin", now: "2026-10-24T23:00:00+02:00",
			start: "2026-10-25T07:00:00+01:00", closes: "2026-10-25T22:00:00+01:00",
		},
		"no window is left": {
			windows: "22:00-23:00", quiet: "21:00-08:00", zone: "UTC", now: "2026-03-04T12:00:00Z", start: never,
		},
		"none": {
			windows: "09:00-21:00", quiet: "none", zone: "UTC", now: "2026-03-04T12:00:00Z",
			start: "2026-03-04T12:00:00Z", closes: "2026-03-04T21:00:00Z",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			quiet, err := schedule.ParseQuiet(c.quiet)
			if err != nil {
				t.Fatal(err)
			}
			rules := rulesOf(t, c.windows, "").WithQuiet(quiet)
			now := moment(t, c.now)
			turn, ok := rules.Next(now, zoneOf(t, c.zone), time.Time{})
			if c.start == never {
				if ok || rules.IsZero() || rules.OpensAnywhere(now, time.Time{}) {
					t.Errorf("opens at %s", turn.Opens)
				}
				return
			}
			if !ok || !turn.Start(now).Equal(moment(t, c.start)) || !turn.Closes.Equal(moment(t, c.closes)) {
				t.Errorf("from %s until %s, %t; want from %s until %s", turn.Start(now), turn.Closes, ok, c.start, c.closes)
			}
		})
	}
}

func TestParseQuiet(t *testing.T) {
	t.Parallel()
	for text, says := range map[string]string{
		"22-07":                          "want a window such as",
		"22:00-22:00":                    "begins and ends at once",
		"00:00-24:00":                    "covers the whole week",
		"22:00-07:00; 06:00-23:00":       "covers the whole week",
		"funday 09:00-21:00":             "no day",
		strings.Repeat("1:00-2:00;", 60): "at most 50",
	} {
		if _, err := schedule.ParseQuiet(text); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q is refused with %v, want %q", text, err, says)
		}
	}
}

// A recipient may be sent to exactly when a window is open and no hour is quiet, by the wall clock
// alone.
func TestLawOfQuietHours(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		zone, err := schedule.ParseZone(rapid.SampledFrom(oddZones).Draw(t, "zone"))
		if err != nil {
			t.Fatal(err)
		}
		windows, rules := drawWindows(t)
		quiet, quietRules := drawWindows(t)
		if _, err := schedule.ParseQuiet(quietRules.Windows.String()); err != nil {
			return // always quiet
		}
		rules = rules.WithQuiet(quietRules.Windows)
		now := time.Unix(rapid.Int64Range(0, 2_200_000_000).Draw(t, "now"), 0)
		isAllowed := func(at time.Time) bool { return isInAny(windows, at.In(zone)) && !isInAny(quiet, at.In(zone)) }
		turn, ok := rules.Next(now, zone, time.Time{})
		start := turn.Start(now)
		if !ok {
			start = now.Add(7 * 24 * time.Hour)
		}
		for at := now.Truncate(time.Minute).Add(time.Minute); at.Before(start); at = at.Add(time.Minute) {
			if isAllowed(at) {
				t.Fatalf("not sent at %s, but at %s", at.In(zone), start.In(zone))
			}
		}
		for at := start.Truncate(time.Minute).Add(time.Minute); ok && at.Before(turn.Closes); at = at.Add(time.Minute) {
			if !isAllowed(at) {
				t.Fatalf("may be sent at %s, in a turn from %s until %s", at.In(zone), start.In(zone), turn.Closes.In(zone))
			}
		}
	})
}
