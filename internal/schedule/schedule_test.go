package schedule_test

import (
	"testing"
	"time"
	_ "time/tzdata" // the cases must not depend on the machine

	"fanfare/internal/schedule"
)

func TestNextOpening(t *testing.T) {
	t.Parallel()
	const closed = "closed"
	for name, c := range map[string]struct {
		windows, local, zone string
		now, deadline        string // RFC 3339
		start, closes        string // when it can be sent to, and when that ends; "" for never
	}{
		"open now": {
			windows: "09:00-21:00", zone: "Asia/Saigon", now: "2026-03-04T03:00:00Z",
			start: "2026-03-04T10:00:00+07:00", closes: "2026-03-04T21:00:00+07:00",
		},
		"not yet open": {
			windows: "09:00-21:00", zone: "Asia/Saigon", now: "2026-03-04T01:59:59Z",
			start: "2026-03-04T09:00:00+07:00", closes: "2026-03-04T21:00:00+07:00",
		},
		"the opening minute belongs to the window": {
			windows: "09:00-21:00", zone: "Asia/Saigon", now: "2026-03-04T09:00:00+07:00",
			start: "2026-03-04T09:00:00+07:00", closes: "2026-03-04T21:00:00+07:00",
		},
		"the closing minute does not": {
			windows: "09:00-21:00", zone: "Asia/Saigon", now: "2026-03-04T21:00:00+07:00",
			start: "2026-03-05T09:00:00+07:00", closes: "2026-03-05T21:00:00+07:00",
		},
		"half an hour": {
			windows: "09:00-21:00", zone: "Asia/Kolkata", now: "2026-03-04T00:00:00Z",
			start: "2026-03-04T09:00:00+05:30", closes: "2026-03-04T21:00:00+05:30",
		},
		"45 minutes": {
			windows: "09:00-21:00", zone: "Asia/Kathmandu", now: "2026-03-04T00:00:00Z",
			start: "2026-03-04T09:00:00+05:45", closes: "2026-03-04T21:00:00+05:45",
		},
		"45 minutes with daylight saving": {
			windows: "09:00-21:00", zone: "Pacific/Chatham", now: "2026-01-04T00:00:00Z",
			start: "2026-01-04T13:45:00+13:45", closes: "2026-01-04T21:00:00+13:45",
		},
		"a clock that goes forward half an hour": {
			windows: "01:45-02:45", zone: "Australia/Lord_Howe", now: "2026-10-04T01:00:00+10:30",
			start: "2026-10-04T01:45:00+10:30", closes: "2026-10-04T02:45:00+11:00",
		},
		"an hour ahead of the summer": {
			windows: "09:00-21:00", zone: "America/New_York", now: "2026-03-08T06:00:00Z",
			start: "2026-03-08T09:00:00-04:00", closes: "2026-03-08T21:00:00-04:00",
		},
		"a window in the missing hour opens on the next day": {
			windows: "02:15-02:45", zone: "America/New_York", now: "2026-03-08T00:00:00-05:00",
			start: "2026-03-09T02:15:00-04:00", closes: "2026-03-09T02:45:00-04:00",
		},
		"a window that begins in the missing hour opens after it": {
			windows: "02:15-04:00", zone: "America/New_York", now: "2026-03-08T00:00:00-05:00",
			start: "2026-03-08T03:00:00-04:00", closes: "2026-03-08T04:00:00-04:00",
		},
		"a window that ends in the missing hour ends before it": {
			windows: "01:00-02:30", zone: "America/New_York", now: "2026-03-08T00:00:00-05:00",
			start: "2026-03-08T01:00:00-05:00", closes: "2026-03-08T03:00:00-04:00",
		},
		"a window in the repeated hour opens twice": {
			windows: "01:00-01:30", zone: "America/New_York", now: "2026-11-01T01:45:00-04:00",
			start: "2026-11-01T01:00:00-05:00", closes: "2026-11-01T01:30:00-05:00",
		},
		"a window over the repeated hour is longer": {
			windows: "00:30-03:00", zone: "America/New_York", now: "2026-11-01T00:00:00-04:00",
			start: "2026-11-01T00:30:00-04:00", closes: "2026-11-01T03:00:00-05:00",
		},
		"clocks that go forward at midnight": {
			windows: "00:00-08:00", zone: "Africa/Cairo", now: "2026-04-23T23:30:00+02:00",
			start: "2026-04-24T01:00:00+03:00", closes: "2026-04-24T08:00:00+03:00",
		},
		"across midnight, the evening": {
			windows: "22:00-02:00", zone: "Europe/Berlin", now: "2026-03-04T20:00:00+01:00",
			start: "2026-03-04T22:00:00+01:00", closes: "2026-03-05T02:00:00+01:00",
		},
		"across midnight, the morning after": {
			windows: "22:00-02:00", zone: "Europe/Berlin", now: "2026-03-05T01:00:00+01:00",
			start: "2026-03-05T01:00:00+01:00", closes: "2026-03-05T02:00:00+01:00",
		},
		"a day that ends at midnight": {
			windows: "18:00-24:00", zone: "Europe/Berlin", now: "2026-03-04T20:00:00+01:00",
			start: "2026-03-04T20:00:00+01:00", closes: "2026-03-05T00:00:00+01:00",
		},
		"a window's days are those on which it opens": {
			windows: "fri 22:00-02:00", zone: "UTC", now: "2026-03-07T01:00:00Z", // a Saturday
			start: "2026-03-07T01:00:00Z", closes: "2026-03-07T02:00:00Z",
		},
		"not on the evening of another day": {
			windows: "fri 22:00-02:00", zone: "UTC", now: "2026-03-07T23:00:00Z",
			start: "2026-03-13T22:00:00Z", closes: "2026-03-14T02:00:00Z",
		},
		"over the end of the week": {
			windows: "sun 22:00-02:00", zone: "UTC", now: "2026-03-08T23:00:00Z",
			start: "2026-03-08T23:00:00Z", closes: "2026-03-09T02:00:00Z",
		},
		"the weekday is that of the recipient": {
			windows: "mon 00:00-24:00", zone: "Pacific/Auckland", now: "2026-06-07T11:59:00Z", // a Sunday in UTC
			start: "2026-06-08T00:00:00+12:00", closes: "2026-06-09T00:00:00+12:00",
		},
		"a weekend after weekdays": {
			windows: "mon-fri 09:00-12:00; sat,sun 10:00-18:00", zone: "UTC", now: "2026-03-06T12:00:00Z",
			start: "2026-03-07T10:00:00Z", closes: "2026-03-07T18:00:00Z",
		},
		"days over the end of the week": {
			windows: "sat-mon 10:00-11:00", zone: "UTC", now: "2026-03-08T11:00:00Z",
			start: "2026-03-09T10:00:00Z", closes: "2026-03-09T11:00:00Z",
		},
		"windows that touch are one": {
			windows: "09:00-12:00; 12:00-15:00", zone: "UTC", now: "2026-03-04T10:00:00Z",
			start: "2026-03-04T10:00:00Z", closes: "2026-03-04T15:00:00Z",
		},
		"a day that the date line skips": {
			windows: "fri 09:00-21:00", zone: "Pacific/Apia", now: "2011-12-29T12:00:00-10:00", // there was no 30 December
			start: "2012-01-06T09:00:00+14:00", closes: "2012-01-06T21:00:00+14:00",
		},
		"a zone that moves for good": {
			windows: "09:00-21:00", zone: "Asia/Pyongyang", now: "2015-08-14T22:00:00+09:00", // UTC+9 until midnight, then +8:30
			start: "2015-08-15T09:00:00+08:30", closes: "2015-08-15T21:00:00+08:30",
		},
		"the deadline comes first": {
			windows: "09:00-21:00", zone: "UTC", now: "2026-03-04T22:00:00Z", deadline: "2026-03-05T09:00:00Z", start: closed,
		},
		"the deadline is just later": {
			windows: "09:00-21:00", zone: "UTC", now: "2026-03-04T22:00:00Z", deadline: "2026-03-05T09:00:01Z",
			start: "2026-03-05T09:00:00Z", closes: "2026-03-05T21:00:00Z",
		},
		"always open": {
			windows: "00:00-24:00", zone: "UTC", now: "2026-03-04T22:00:00Z", start: "2026-03-04T22:00:00Z",
		},
		"a local time ahead": {
			local: "2026-03-10T18:00", zone: "America/Los_Angeles", now: "2026-03-09T00:00:00Z", start: "2026-03-10T18:00:00-07:00",
		},
		"a local time that has passed": {
			local: "2026-03-10T18:00", zone: "Asia/Tokyo", now: "2026-03-10T10:00:00Z", start: "2026-03-10T10:00:00Z",
		},
		"a local time in the missing hour": {
			local: "2026-03-08T02:30", zone: "America/New_York", now: "2026-03-08T00:00:00Z", start: "2026-03-08T03:00:00-04:00",
		},
		"a local time in the repeated hour is the first": {
			local: "2026-11-01T01:30", zone: "America/New_York", now: "2026-11-01T00:00:00Z", start: "2026-11-01T01:30:00-04:00",
		},
		"a local time on a day that the date line skips": {
			local: "2011-12-30T18:00", zone: "Pacific/Apia", now: "2011-12-29T00:00:00Z", start: "2011-12-31T00:00:00+14:00",
		},
		"about a local time": {
			local: "2026-03-10T09:00±10m", zone: "Asia/Kolkata", now: "2026-03-09T00:00:00Z",
			start: "2026-03-10T08:50:00+05:30", closes: "2026-03-10T09:10:00+05:30",
		},
		"about a local time that is over": {
			local: "2026-03-10T09:00±10m", zone: "Asia/Kolkata", now: "2026-03-10T09:10:00+05:30", start: closed,
		},
		"a local time outside the windows": {
			local: "2026-03-10T22:00", windows: "09:00-21:00", zone: "UTC", now: "2026-03-09T00:00:00Z",
			start: "2026-03-11T09:00:00Z", closes: "2026-03-11T21:00:00Z",
		},
		"a local time within a window": {
			local: "2026-03-10T12:00", windows: "09:00-21:00", zone: "UTC", now: "2026-03-10T10:00:00Z",
			start: "2026-03-10T12:00:00Z", closes: "2026-03-10T21:00:00Z",
		},
		"about a local time, never in a window": {
			local: "2026-03-10T22:00±30m", windows: "09:00-21:00", zone: "UTC", now: "2026-03-09T00:00:00Z", start: closed,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rules := rulesOf(t, c.windows, c.local)
			now := moment(t, c.now)
			turn, ok := rules.Next(now, zoneOf(t, c.zone), moment(t, c.deadline))
			if c.start == closed {
				if ok {
					t.Fatalf("opens at %s, want never", turn.Start(now))
				}
				return
			}
			if !ok {
				t.Fatal("never opens")
			}
			if start := turn.Start(now); !start.Equal(moment(t, c.start)) {
				t.Errorf("starts at %s, want %s", start.In(zoneOf(t, c.zone)).Format(time.RFC3339), c.start)
			}
			if !turn.Closes.Equal(moment(t, c.closes)) {
				t.Errorf("closes at %s, want %s", turn.Closes.In(zoneOf(t, c.zone)).Format(time.RFC3339), c.closes)
			}
		})
	}
}

func TestTurnBeginsWhenTheWindowOpened(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ windows, zone, now, opens string }{
		"today":               {"09:00-21:00", "Europe/Berlin", "2026-03-04T12:00:00+01:00", "2026-03-04T09:00:00+01:00"},
		"before midnight":     {"22:00-02:00", "Europe/Berlin", "2026-03-04T01:00:00+01:00", "2026-03-03T22:00:00+01:00"},
		"last week":           {"sun 22:00-02:00", "UTC", "2026-03-09T01:00:00Z", "2026-03-08T22:00:00Z"},
		"before the change":   {"00:00-06:00", "America/New_York", "2026-03-08T04:00:00-04:00", "2026-03-08T00:00:00-05:00"},
		"at the change":       {"02:15-06:00", "America/New_York", "2026-03-08T04:00:00-04:00", "2026-03-08T03:00:00-04:00"},
		"in the second hour":  {"01:00-01:30", "America/New_York", "2026-11-01T01:10:00-05:00", "2026-11-01T01:00:00-05:00"},
		"over both the hours": {"00:30-03:00", "America/New_York", "2026-11-01T01:10:00-05:00", "2026-11-01T00:30:00-04:00"},
	} {
		turn, ok := rulesOf(t, c.windows, "").Next(moment(t, c.now), zoneOf(t, c.zone), time.Time{})
		if !ok || !turn.Opens.Equal(moment(t, c.opens)) {
			t.Errorf("%s: opened at %s, want %s", name, turn.Opens.In(zoneOf(t, c.zone)).Format(time.RFC3339), c.opens)
		}
	}
}

func TestOpensAnywhere(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		windows, local, now, deadline string
		want                          bool
	}{
		"no deadline":                   {"mon 09:00-10:00", "", "2026-03-04T00:00:00Z", "", true},
		"only far in the west":          {"23:00-23:30", "", "2026-03-05T11:00:00Z", "2026-03-05T11:20:00Z", true},
		"another day":                   {"mon 09:00-10:00", "", "2026-03-04T00:00:00Z", "2026-03-06T00:00:00Z", false},
		"a local time after the end":    {"", "2026-03-10T18:00", "2026-03-04T00:00:00Z", "2026-03-10T03:00:00Z", false},
		"a local time just reached":     {"", "2026-03-10T18:00", "2026-03-04T00:00:00Z", "2026-03-10T04:00:01Z", true},
		"about a local time, and over":  {"", "2026-03-10T09:00±10m", "2026-03-10T21:10:00Z", "", false},
		"about a local time, last zone": {"", "2026-03-10T09:00±10m", "2026-03-10T21:09:59Z", "", true},
	} {
		if got := rulesOf(t, c.windows, c.local).OpensAnywhere(moment(t, c.now), moment(t, c.deadline)); got != c.want {
			t.Errorf("%s: opens anywhere: %v, want %v", name, got, c.want)
		}
	}
}

func rulesOf(t testing.TB, windows, local string) schedule.Rules {
	t.Helper()
	w, err := schedule.ParseWindows(windows)
	if err != nil {
		t.Fatal(err)
	}
	l, err := schedule.ParseLocal(local)
	if err != nil {
		t.Fatal(err)
	}
	return schedule.Rules{Windows: w, Local: l}
}

func zoneOf(t testing.TB, name string) *time.Location {
	t.Helper()
	zone, err := schedule.ParseZone(name)
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

// moment reads RFC 3339; "" is the zero time.
func moment(t testing.TB, text string) time.Time {
	t.Helper()
	if text == "" {
		return time.Time{}
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return at
}
