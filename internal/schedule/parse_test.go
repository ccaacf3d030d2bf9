package schedule_test

import (
	"strings"
	"testing"
	"time"

	"fanfare/internal/schedule"
)

func TestParseWindows(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"09:00-21:00":                           "09:00-21:00",
		" Mon-Fri   09:00-21:00 ;sat 1:00-2:00": "mon-fri 09:00-21:00; sat 1:00-2:00",
		"monday,wed 00:00-24:00":                "monday,wed 00:00-24:00",
		"":                                      "",
	} {
		windows, err := schedule.ParseWindows(text)
		if err != nil || windows.String() != want {
			t.Errorf("%q is %q, %v; want %q", text, windows, err, want)
			continue
		}
		again, err := schedule.ParseWindows(windows.String())
		if err != nil || again.String() != want {
			t.Errorf("%q read again is %q, %v", want, again, err)
		}
	}
	for text, says := range map[string]string{
		"09:00":                          "want a window such as",
		"9-21":                           "want a window such as",
		"09:00-25:00":                    "want a window such as",
		"24:00-09:00":                    "want a window such as",
		"09:00-09:00":                    "never opens",
		"09:00-21:00;":                   "want a window such as",
		"funday 09:00-21:00":             `"funday" is no day`,
		"mo 09:00-21:00":                 `"mo" is no day`,
		strings.Repeat("1:00-2:00;", 60): "at most 50",
	} {
		if _, err := schedule.ParseWindows(text); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q is refused with %v, want %q", text, err, says)
		}
	}
}

func TestParseLocal(t *testing.T) {
	t.Parallel()
	now := moment(t, "2026-03-04T12:00:00Z") // a Wednesday; it is 02:00 on Thursday where the day begins first
	for text, want := range map[string]string{
		"2026-03-10T18:00":        "2026-03-10T18:00",
		"2026-03-10 18:00":        "2026-03-10T18:00",
		"2026-03-10T09:00±10m":    "2026-03-10T09:00±10m",
		"2026-03-10T09:00 +-90m":  "2026-03-10T09:00±1h30m",
		"2026-03-10T09:00 +/- 2h": "2026-03-10T09:00±2h",
		"tue 18:00":               "2026-03-10T18:00",
		"Tuesday 18:00±5m":        "2026-03-10T18:00±5m",
		"thu 02:00":               "2026-03-12T02:00",
		"thu 02:01":               "2026-03-05T02:01",
		"thu 02:05±10m":           "2026-03-12T02:05±10m",
		"18:00":                   "2026-03-05T18:00",
		"01:00":                   "2026-03-06T01:00",
		"":                        "",
	} {
		local, err := schedule.ParseLocalFrom(text, now, time.Time{})
		if err != nil || local.String() != want {
			t.Errorf("%q is %q, %v; want %q", text, local, err, want)
			continue
		}
		if again, err := schedule.ParseLocal(local.String()); err != nil || again != local {
			t.Errorf("%q read again is %q, %v", want, again, err)
		}
	}
	start := now.AddDate(0, 0, 14) // the first such time is seen from a start that is later
	for text, want := range map[string]string{"tue 18:00": "2026-03-24T18:00", "18:00": "2026-03-19T18:00"} {
		if local, err := schedule.ParseLocalFrom(text, now, start); err != nil || local.String() != want {
			t.Errorf("%q from a later start is %q, %v; want %q", text, local, err, want)
		}
		if local, _ := schedule.ParseLocalFrom(text, start, now); local.String() != want {
			t.Errorf("%q from a start that has passed is %q, want %q", text, local, want)
		}
	}
	for text, says := range map[string]string{
		"18":                    "want a local date and time",
		"2026-02-30T18:00":      "want a local date and time",
		"2026-03-10T18:00Z":     "want a local date and time",
		"2026-03-10":            "want a local date and time",
		"2026-03-10T18:00±1s":   "from 1m to 12h",
		"2026-03-10T18:00±13h":  "from 1m to 12h",
		"2026-03-10T18:00±soon": "from 1m to 12h",
		"someday 18:00":         "want a local date and time",
		"tue 18:00":             "want a local date and time", // without a now
	} {
		if _, err := schedule.ParseLocal(text); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q is refused with %v, want %q", text, err, says)
		}
	}
}

func TestLocalTimePasses(t *testing.T) {
	t.Parallel()
	for text, last := range map[string]string{"2026-03-10T18:00": "2026-03-11T06:00:00Z", "2026-03-10T18:00±10m": "2026-03-11T06:10:00Z"} {
		local, err := schedule.ParseLocal(text)
		if err != nil {
			t.Fatal(err)
		}
		at := moment(t, last)
		if local.HasPassed(at.Add(-time.Second)) || !local.HasPassed(at) {
			t.Errorf("%s does not pass at %s", text, last)
		}
	}
}

func TestParseZone(t *testing.T) {
	t.Parallel()
	for name, offset := range map[string]time.Duration{
		"Asia/Saigon": 7 * time.Hour, "UTC": 0, "Z": -1, "+07:00": 7 * time.Hour, "UTC-3": -3 * time.Hour, "GMT+0530": 5*time.Hour + 30*time.Minute,
		"-03:30": -(3*time.Hour + 30*time.Minute), "+14": 14 * time.Hour, "Etc/GMT-14": 14 * time.Hour,
		"": -1, "Local": -1, "Mars/Olympus": -1, "../etc/passwd": -1, "+15:00": -1, "-13": -1, "+07:61": -1, strings.Repeat("x", 4000): -1,
	} {
		for range 2 { // the second answer is remembered
			zone, err := schedule.ParseZone(name)
			if offset == -1 {
				if err == nil {
					t.Errorf("%.20q is taken for %s", name, zone)
				}
				continue
			}
			if err != nil {
				t.Errorf("%q: %v", name, err)
				continue
			}
			if _, got := time.Unix(0, 0).AddDate(60, 0, 0).In(zone).Zone(); time.Duration(got)*time.Second != offset {
				t.Errorf("%q is %ds east of UTC, want %s", name, got, offset)
			}
		}
	}
}

// People see an offset as a zone's name, in one form however it was written.
func TestNamesOfOffsets(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"+7": "+07:00", "GMT+0530": "+05:30", "UTC-3": "-03:00", "-03:30": "-03:30", "GMT-00:45": "-00:45", "UTC+0": "UTC", "-00:00": "UTC",
	} {
		if zone, err := schedule.ParseZone(text); err != nil || zone.String() != want {
			t.Errorf("%s is called %s, %v, want %s", text, zone, err, want)
		}
	}
}

// Producers decide the names, so unknown ones must not use up the memory. Known ones stay quick.
func TestManyUnknownZones(t *testing.T) {
	t.Parallel()
	for i := range 3000 {
		if _, err := schedule.ParseZone("Nowhere/" + time.Duration(i).String()); err == nil {
			t.Fatal("an unknown zone is taken")
		}
	}
	if _, err := schedule.ParseZone("Europe/Berlin"); err != nil {
		t.Error(err)
	}
}
