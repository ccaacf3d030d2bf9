package console

import (
	"strings"
	"testing"
	"time"

	"fanfare/internal/campaign"
	"fanfare/internal/pacing"
)

// The gauge counts requests of the present minute, of all campaigns that made some, and not the
// recipients who end.
func TestGaugeOfThePresentMinute(t *testing.T) {
	t.Parallel()
	f := open(t, Options{})
	f.change(func(s *pacing.State) {
		s.Settings.Quota, s.Settings.Headroom, s.Now = 6000, 0.01, now.Add(20*time.Second)
	})
	// running, low, high and broken run; completed has ended half a minute ago.
	for i := range f.system.views {
		v := &f.system.views[i]
		v.Spec.FinishedAt = now.Add(-time.Hour)
		if v.Spec.ID == "completed" {
			v.Spec.FinishedAt = now.Add(-30 * time.Second)
		}
	}
	f.refresh()
	used, allowed := f.console.sampler.peek().minute()
	if used != 5*990 || allowed != 5940 {
		t.Errorf("%d of %d are used, want 4,950 of 5,940", used, allowed)
	}
	for page, wants := range map[string][]string{
		"/quota":     {"4,950<small>of 5,940 pushes", "83.3% used; at an even pace 1,980 would be", "Quota, this minute</span><b>83.3%"},
		"/campaigns": {"83.3% of the quota, this minute"},
	} {
		text := f.get(page).text
		for _, want := range wants {
			if !strings.Contains(text, want) {
				t.Errorf("%s does not say %q", page, want)
			}
		}
	}
}

// A device that is dead counts, also if another device of the user was reached.
func TestReadinessCountsDevices(t *testing.T) {
	t.Parallel()
	r := &raiseReading{errors: make(map[string]int64)}
	r.countAnswers(campaign.Books{Sent: 70, Failed: 1, Codes: map[string]int64{"failed:UNREGISTERED": 1}})
	r.countAnswers(campaign.Books{
		Sent: 10, Codes: map[string]int64{"sent:": 10}, Moved: 2,
		Devices: &campaign.DeviceBooks{Sent: 20, Failed: 5, Codes: map[string]int64{"failed:UNREGISTERED": 4, "failed:INVALID_ARGUMENT": 1, "failed:RETRIES_EXHAUSTED": 9}},
	})
	if r.pushed != 70+1+20+5+2 || r.errors["UNREGISTERED"] != 1+4+2 || r.errors["INVALID_ARGUMENT"] != 1 {
		t.Errorf("%d pushes with the errors %v", r.pushed, r.errors)
	}
}
