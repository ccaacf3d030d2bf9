package console

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"fanfare/internal/campaign"
	"fanfare/internal/operator"
	"fanfare/internal/schedule"
)

// planned gives the draft of the example windows, and a plan of three hours of which one is too
// short.
func (f *fixture) planned() {
	f.t.Helper()
	windows, err := schedule.ParseWindows("09:00-10:00")
	if err != nil {
		f.t.Fatal(err)
	}
	for i := range f.system.views {
		if f.system.views[i].Spec.ID == "draft" {
			f.system.views[i].Spec.Windows = windows
		}
	}
	at := time.Date(2026, 12, 7, 23, 0, 0, 0, time.UTC)
	f.system.plan = &operator.WavePlan{
		Waves: []operator.PlannedWave{{Opens: at, N: 300, Unsent: 100, Zones: []string{"Asia/Saigon"}}, {Opens: at.Add(2 * time.Hour), N: 20, Zones: []string{"UTC"}}},
		Hours: []operator.PlannedHour{{From: at, N: 200, Open: true, Unsent: 100}, {From: at.Add(time.Hour)}, {From: at.Add(2 * time.Hour), N: 20, Open: true}},
		Unfit: 100, Expired: 107, NoTurn: 7, Exact: true, WiderMinutes: 10, PerMinute: 15,
	}
	f.refresh()
}

// The page of a campaign with windows shows the hours in which people are sent to, and those in
// which windows are open. It says what does not fit and what would help.
func TestHoursOfACampaign(t *testing.T) {
	t.Parallel()
	f := open(t, Options{})
	f.planned()
	text := f.get("/campaigns/draft").text
	wantTexts(t, "the page", text,
		"When they are sent to", "Mon 7 Dec 23:00 to Tue 8 Dec 02:00 UTC", "at most 200, from Mon 23:00 UTC",
		"1 of 2 waves do not fit", "They fit with windows that are 10m longer, or a quota of 15 a minute; those without a window need a later deadline",
		"≈ 220 go in their windows, 100 are left when theirs close, 7 have no window before the deadline; 107 end as expired.",
		`y="33.33%" width="29.17%" height="66.67%"`, `y="0.00%" width="29.17%" height="33.33%" fill="url(#hatch)"`,
		`<rect class="f-ink" x="66.67%" width="33.33%"`, `<text x="33.33%" y="11">8 Dec</text>`,
		`<th scope="row">Mon 7 Dec 23:00</th><td class="num">200</td><td class="num">100</td><td>open</td>`,
		`<th scope="row">Tue 8 Dec 00:00</th><td class="num">0</td><td class="num">0</td><td>closed</td>`)
	if strings.Contains(f.get("/campaigns/running").text, "When they are sent to") {
		t.Error("a campaign without time rules has hours")
	}
	f.system.plan.Unfit, f.system.plan.Hours[0].Unsent = 0, 0
	f.console.now = func() time.Time { return now.Add(time.Minute) }
	f.refresh()
	wantTexts(t, "the page of those without a turn", f.get("/campaigns/draft").text, "7 recipients have no window left before the deadline")
	f.system.plan.NoTurn, f.system.plan.Expired = 0, 0
	f.console.now = func() time.Time { return now.Add(2 * time.Minute) }
	f.refresh()
	if text := f.get("/campaigns/draft").text; strings.Contains(text, "do not fit") || strings.Contains(text, "no window left") || strings.Contains(text, "hatched") {
		t.Error("a plan that fits does not look so")
	}
}

// A scheduled start that is refused says so in the list and on the page. The dialog of a start says
// how many are left over, and starts it all the same if that is ticked.
func TestStartOfUnfitWaves(t *testing.T) {
	t.Parallel()
	f := open(t, Options{Operate: true, Actor: "ops"})
	f.planned()
	for i := range f.system.views {
		if f.system.views[i].Spec.ID == "draft" {
			f.system.views[i].Spec.StartAt = now.Add(-time.Minute)
		}
	}
	f.refresh()
	for _, page := range []string{"/campaigns", "/campaigns/draft"} {
		wantTexts(t, page, f.get(page).text, "Its scheduled start is refused", "1 of 2 waves do not fit")
	}
	wantTexts(t, "the dialog", f.get("/campaigns/draft/start").text, "Left when their window closes", "<dd>100</dd>", "Without a window before the deadline", `name="late" value="yes"`)
	wantStatus(t, f.post("/campaigns/draft/start", url.Values{"late": {"yes"}}), http.StatusOK)
	wantStatus(t, f.post("/campaigns/draft/start", url.Values{}), http.StatusOK)
	if got, want := f.system.done(), "start draft by ops, console: , late\nstart draft by ops, console: "; got != want {
		t.Errorf("done: %q, want %q", got, want)
	}
	if text := f.get("/campaigns/paused/resume").text; strings.Contains(text, `name="late"`) {
		t.Error("a campaign that is resumed asks about its waves")
	}
}

// Viewers share one plan, because it reads a sample of the audience.
func TestViewersShareAPlan(t *testing.T) {
	t.Parallel()
	f := open(t, Options{})
	f.planned()
	for range 3 {
		f.get("/campaigns/draft")
	}
	if f.system.planned != 1 {
		t.Errorf("it was planned %d times for three viewers", f.system.planned)
	}
	f.console.now = func() time.Time { return now.Add(time.Minute) }
	f.refresh()
	f.get("/campaigns/draft")
	if f.system.planned != 2 {
		t.Errorf("it was planned %d times, want it again after a minute", f.system.planned)
	}
}

// A running campaign says which zones are open, and each wave has its zones and its end.
func TestZonesOfARunningCampaign(t *testing.T) {
	t.Parallel()
	f := open(t, Options{})
	windows, err := schedule.ParseWindows("09:00-10:00")
	if err != nil {
		t.Fatal(err)
	}
	for i := range f.system.views {
		if f.system.views[i].Spec.ID == "running" {
			f.system.views[i].Spec.Windows = windows
		}
	}
	soon := now.Add(20 * time.Minute)
	f.system.plan = &operator.WavePlan{
		Waves: []operator.PlannedWave{
			{Opens: now.Add(-time.Hour), Closes: now.Add(time.Hour), N: 5, Zones: []string{"UTC"}},
			{Opens: soon, Closes: soon.Add(time.Hour), N: 300, Unsent: 7, Zones: []string{"Asia/Saigon", "Asia/Tokyo", "Asia/Seoul"}},
		},
		Hours: []operator.PlannedHour{{From: now.Truncate(time.Hour), N: 298, Open: true}}, Unfit: 7,
	}
	f.refresh()
	wantTexts(t, "the page", f.get("/campaigns/running").text,
		"1 zone open now, the first closes at "+operator.LocalTime(now.Add(time.Hour))+"; 3 zones open within the hour, the first at "+operator.LocalTime(soon)+".",
		"Each wave, and its zones",
		`<th scope="row">Asia/Saigon and 2 more zones</th><td>`+clock(soon, now)+`</td><td>`+clock(soon.Add(time.Hour), now)+`</td><td class="num">300</td><td class="num">7</td>`)
	f.planned()
	if strings.Contains(f.get("/campaigns/draft").text, "open now") {
		t.Error("a draft says which zones are open")
	}
}

// After the send, the page says how punctual each wave was.
func TestPunctualityOfWaves(t *testing.T) {
	t.Parallel()
	f := open(t, Options{})
	for i := range f.system.views {
		if f.system.views[i].Spec.ID == "completed" {
			f.system.views[i].Books.Waves = []campaign.Wave{{Opens: now.Add(-time.Hour), Sent: 200, Within1m: 150, Within5m: 190, Within15m: 199, Within1h: 200}}
		}
	}
	f.refresh()
	wantTexts(t, "the page", f.get("/campaigns/completed").text, "How punctual",
		`<th scope="row">13:00:00</th><td class="num">200</td><td class="num wide">75%</td><td class="num">95%</td><td class="num wide">99.5%</td><td class="num">100%</td>`)
}

// A phone has room for six hours below the axis.
func TestFewHoursAreNamed(t *testing.T) {
	t.Parallel()
	for hours, want := range map[int]int{1: 1, 6: 1, 7: 2, 26: 6, 72: 12, 14 * 24: 72} {
		if got := tickStep(hours); got != want {
			t.Errorf("of %d hours each %d. is named, want %d", hours, got, want)
		}
	}
}
