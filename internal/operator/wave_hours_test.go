package operator

import (
	"testing"
	"time"

	"fanfare/internal/campaign"
	"fanfare/internal/schedule"
)

// The hours of a plan name the recipients who go in each of them, and those who are left when their
// window closes. Together with those who have no window, these are all who wait.
func TestHoursOfAPlan(t *testing.T) {
	f := open(t)
	now := time.Now()
	day := now.AddDate(0, 0, 3).UTC().Format("2006-01-02")
	ok(t, f.Create(t.Context(), campaign.Spec{ID: "42", Message: []byte(plainMessage), LocalTime: localTime(t, day+"T09:00±10m")}))
	f.inZones("42", map[string]int{"Asia/Saigon": 300, "Asia/Kolkata": 150, "UTC": 20})
	plan := f.plan("42", perMinute{now, 10})
	first, err := time.Parse(time.RFC3339, day+"T01:00:00Z") // the window in Saigon opens at 01:50
	ok(t, err)
	equal(t, "hours", len(plan.Hours), 8)
	var all int64
	for i, h := range plan.Hours {
		want := map[int]PlannedHour{0: {N: 100, Open: true}, 1: {N: 100, Open: true, Unsent: 100}, 2: {N: 150, Open: true}, 7: {N: 20, Open: true}}[i]
		want.From = first.Add(time.Duration(i) * time.Hour)
		equal(t, "hour", h, want)
		all += h.N + h.Unsent
	}
	equal(t, "together", all+plan.NoTurn, 470)
}

// A wave is over with its last push, or when its turn closes if someone is left.
func TestEndsOfWaves(t *testing.T) {
	at := func(minute int) time.Time { return time.Date(2031, 1, 2, 10, minute, 0, 0, time.UTC) }
	wave := func(closes, ends time.Time, unsent int64) schedule.Planned {
		return schedule.Planned{Wave: schedule.Wave{Turn: schedule.Turn{Opens: at(10), Closes: closes}}, Ends: ends, Unsent: unsent}
	}
	for name, c := range map[string]struct {
		wave schedule.Planned
		want time.Time
	}{
		"its last push":        {wave(at(50), at(20), 0), at(20)},
		"its turn closes":      {wave(at(50), at(20), 1), at(50)},
		"no one goes":          {wave(at(50), at(10), 0), at(50)},
		"without an end":       {wave(time.Time{}, at(20), 1), at(10).Add(time.Hour)},
		"without an end, sent": {wave(time.Time{}, at(20), 0), at(20)},
	} {
		if got := endOf(c.wave); !got.Equal(c.want) {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

// A wave that takes hours is spread over them, and the windows stay open behind its end.
func TestHoursOfALongWave(t *testing.T) {
	t.Parallel()
	start := time.Date(2030, 1, 7, 9, 30, 0, 0, time.UTC)
	all := schedule.Plan(start, schedule.Quota{Rate: 1, Open: func(from, until time.Time) time.Duration { return until.Sub(from) }},
		schedule.Sender{Waves: []schedule.Wave{{Turn: schedule.Turn{Opens: start, Closes: start.Add(10 * time.Hour)}, N: 6000, Zones: []string{"UTC"}}}}, nil)
	plan := &WavePlan{}
	plan.addHours(all)
	var got []int64
	for _, h := range plan.Hours {
		got = append(got, h.N)
		equal(t, "open", h.Open, true)
	}
	equal(t, "hours", len(got), 3)
	equal(t, "first", got[0], 1800)
	equal(t, "second", got[1], 3600)
	equal(t, "third", got[2], 600)
}
