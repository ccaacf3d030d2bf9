package console

import (
	"strings"
	"testing"
	"time"
)

// reading is an hour in which each minute used so many requests, from one minute to another.
func reading(from, to int, used int64) *raiseReading {
	r := &raiseReading{first: now.Add(-raiseWindow * time.Minute), pushed: 1000, errors: map[string]int64{"UNREGISTERED": 10, "INVALID_ARGUMENT": 1}}
	for i := from; i < to; i++ {
		r.used[i] = used
	}
	return r
}

// The limits are Google's: each counts alone, and what is just below one does not reach it.
func TestReadinessForARaise(t *testing.T) {
	t.Parallel()
	const quota = 1000
	dead := reading(0, 60, 900)
	dead.errors["UNREGISTERED"] = 49 // with the other, 5.0%
	limited := reading(0, 60, 900)
	limited.limited, limited.lastLimited = 2, now.Add(-time.Minute)
	idle := reading(0, 0, 0)
	idle.pushed = 0
	for name, c := range map[string]struct {
		r    *raiseReading
		want string
		says string
	}{
		"ready":         {reading(10, 15, 800), "ready to ask", "UNREGISTERED 1.0%, INVALID_ARGUMENT 0.10%"},
		"four minutes":  {reading(10, 14, 1000), "1 of 3 missing", "longest run: 4 minutes"},
		"below 80%":     {reading(0, 60, 799), "1 of 3 missing", "longest run: 0 minutes"},
		"client errors": {dead, "1 of 3 missing", "UNREGISTERED 4.9%"},
		"429":           {limited, "1 of 3 missing", "the last one 60 s ago"},
		"nothing sent":  {idle, "2 of 3 missing", "nothing was sent"},
	} {
		got := c.r.describe(quota, now)
		var said []string
		for _, check := range got.Checks {
			said = append(said, check.Detail)
		}
		if got.Verdict != c.want || !strings.Contains(strings.Join(said, "; "), c.says) {
			t.Errorf("%s: %s (%q), want %s and %q", name, got.Verdict, said, c.want, c.says)
		}
	}
}

// The page adds the traffic of all campaigns that were sent in the last hour.
func TestQuotaPageShowsReadiness(t *testing.T) {
	t.Parallel()
	f := open(t, Options{})
	page := f.get("/quota").text
	for _, want := range []string{"Ready to ask for more quota?", "UNREGISTERED", "No 429 in the last hour", `class="minutes"`} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not show %q", want)
		}
	}
	if n := strings.Count(page, `width="7"`); n != raiseWindow {
		t.Errorf("%d minutes are drawn, want %d", n, raiseWindow)
	}
}
