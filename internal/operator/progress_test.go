package operator

import (
	"encoding/json"
	"math"
	"testing"
	"time"

	"fanfare/internal/campaign"
)

// running returns a campaign of 10,000 of which so many have ended.
func running(ended int64) View {
	return View{
		Spec:  campaign.Spec{ID: "42", State: campaign.Running},
		Books: campaign.Books{Loaded: 10_000, Sent: ended, Waiting: 10_000 - ended},
	}
}

// observed watches a campaign twice a second. ended returns how many have ended after so many
// seconds.
func observed(seconds float64, ended func(at float64) float64) Progress {
	var pace Pace
	var p Progress
	start := time.Unix(1_700_000_000, 0)
	for at := 0.0; at <= seconds; at += 0.5 {
		p = pace.Observe(start.Add(time.Duration(at*float64(time.Second))), running(int64(ended(at))))
	}
	return p
}

func wantRate(t *testing.T, p Progress, want float64) {
	t.Helper()
	if math.Abs(p.Rate-want) > 0.05*want+0.01 {
		t.Errorf("rate: got %.1f, want %.1f", p.Rate, want)
	}
}

func TestPace(t *testing.T) {
	steady := func(at float64) float64 { return 100 * at }
	p := observed(30, steady)
	wantRate(t, p, 100)
	equal(t, "time to go", p.Left, 70*time.Second)

	// Before the first recipient ends nothing is known, and that time does not count.
	nobody := observed(5, func(float64) float64 { return 0 })
	equal(t, "rate of nothing", nobody.Rate, 0)
	equal(t, "time to go of nothing", nobody.Left, 0)
	wantRate(t, observed(25, func(at float64) float64 { return steady(max(0, at-20)) }), 100)

	// Three seconds are enough for a forecast.
	equal(t, "time to go after three seconds", observed(3, steady).Left, 97*time.Second)

	// A few early outcomes are not enough for a forecast.
	equal(t, "time to go after a second", observed(1, func(at float64) float64 { return at }).Left, 0)

	// A change of pace shows within a minute.
	wantRate(t, observed(80, func(at float64) float64 { return steady(min(at, 20)) + 10*max(0, at-20) }), 10)

	// A watch that begins in the middle shows the current pace, not the average since the start.
	wantRate(t, observed(10, func(at float64) float64 { return 5000 + steady(at) }), 100)
}

func TestPaceOfWhatDoesNotRun(t *testing.T) {
	var pace Pace
	start := time.Unix(1_700_000_000, 0)
	pace.Observe(start, running(0))
	paused := running(1000)
	paused.Spec.State = campaign.Paused
	p := pace.Observe(start.Add(10*time.Second), paused)
	equal(t, "time to go of a paused campaign", p.Left, 0)

	// Missing recipients never end, and are not waited for.
	missing := running(2000)
	missing.Books.Waiting, missing.Books.Missing = 0, 8000
	equal(t, "time to go to the missing", pace.Observe(start.Add(20*time.Second), missing).Left, 0)
}

func TestProgressAsJSON(t *testing.T) {
	p := Progress{ID: "42", State: campaign.Running, Books: campaign.Books{Loaded: 3, Sent: 1}, Rate: 2.5, Left: 90 * time.Second}
	text, err := json.Marshal(p)
	ok(t, err)
	const want = `{"id":"42","state":"running","books":{"loaded":3,"sent":1,"failed":0,"skipped":0,"expired":0,"unknown":0,` +
		`"waiting":0,"inFlight":0,"retrying":0,"missing":0,"outbox":0,"resent":0,"lost":0,"balanced":false},"rate":2.5,"leftSeconds":90}`
	equal(t, "JSON", string(text), want)
}

func TestFiguresHaveSeparators(t *testing.T) {
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567", -1000: "-1,000"} {
		equal(t, "count", Thousands(n), want)
	}
	for x, want := range map[float64]string{
		0: "0", 0.5: "0.5", 12.345: "12.35", 100: "100", 999.999: "1,000", 10_000: "10,000", 1_234_567.25: "1,234,567.25",
	} {
		equal(t, "number", Decimal(x), want)
	}
}

func TestSpansHaveNoIdleZeros(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0s", time.Second: "1s", 90 * time.Second: "1m30s", time.Minute: "1m", 10 * time.Minute: "10m", time.Hour: "1h", 168 * time.Hour: "168h",
		time.Hour + 30*time.Second: "1h0m30s", 100 * time.Hour: "100h", 90 * time.Minute: "1h30m", 1500 * time.Millisecond: "1.5s",
	} {
		equal(t, "span", Span(d), want)
	}
}
