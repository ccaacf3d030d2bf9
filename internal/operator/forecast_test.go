package operator

import (
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"fanfare/internal/campaign"
	"fanfare/internal/keys"
	"fanfare/internal/traffic"
)

// slotsOf makes slots of ten seconds with so many answers each, of which a tenth are 429.
func slotsOf(answers ...int64) (slots []traffic.Slot) {
	for i, n := range answers {
		at := time.Unix(1_700_000_000+10*int64(i), 0)
		slots = append(slots, traffic.Slot{At: at, Took: 10 * time.Second, Counts: traffic.Counts{Answers: n, Limited: n / 20, Unavailable: n / 20}})
	}
	return slots
}

// The forecast counts what ends recipients, at the fastest and the slowest rate of the slots.
func TestForecast(t *testing.T) {
	t.Parallel()
	equal(t, "steady", *forecast(slotsOf(1000, 1000, 1000, 1000, 1000, 1000), 9000), Forecast{Rate: 90, Shortest: 100 * time.Second, Longest: 100 * time.Second, pushes: 100})
	equal(t, "varying", *forecast(slotsOf(500, 1000, 2000, 1000, 1000, 1000), 9000), Forecast{Rate: 90, Shortest: 50 * time.Second, Longest: 200 * time.Second, pushes: 100})
	equal(t, "begun", *forecast(slotsOf(0, 0, 0, 10, 1000, 1000), 9000), Forecast{Rate: 90, Shortest: 100 * time.Second, Longest: 100 * time.Second, pushes: 100})
	for what, slots := range map[string][]traffic.Slot{"nothing": nil, "idle": slotsOf(0, 0, 0, 0, 0, 0), "just begun": slotsOf(0, 0, 0, 0, 0, 10), "stalled": slotsOf(9, 9, 9, 0, 0, 0)} {
		if f := forecast(slots, 9000); f != nil {
			t.Errorf("%s: got %+v, want nothing", what, *f)
		}
	}
}

// Running campaigns that can be read get a forecast, and the others none.
func TestForecastsOfAllCampaigns(t *testing.T) {
	f := open(t)
	f.deps.Traffic = traffic.New(f.rdb)
	books := campaign.Books{Waiting: 9000}
	views := []View{
		{Spec: campaign.Spec{ID: "42", State: campaign.Running}, Books: books},
		{Spec: campaign.Spec{ID: "46", State: campaign.Running}, Books: campaign.Books{Waiting: 8999, Retrying: 1, WindowWaits: 1}},
		{Spec: campaign.Spec{ID: "43", State: campaign.Paused}, Books: books},
		{Spec: campaign.Spec{ID: "44", State: campaign.Running}, Books: books, Err: errors.New("unreadable")},
		{Spec: campaign.Spec{ID: "45", State: campaign.Running}, Books: books},
	}
	now := f.rdb.Time(t.Context()).Val().Unix() / 10
	for _, id := range []string{"42", "43", "44", "46"} {
		list, err := keys.Default().Campaign(id)
		ok(t, err)
		for slot := now - 10; slot <= now+1; slot++ { // the next one may begin during the test
			ok(t, f.rdb.HSet(t.Context(), list.Key(keys.SuffixTraffic), fmt.Sprint("s", slot), "1000,100").Err())
		}
	}
	f.Forecast(t.Context(), pointersTo(views)...)
	if got := views[0].Forecast; got == nil || *got != (Forecast{Rate: 90, Shortest: 100 * time.Second, Longest: 100 * time.Second, pushes: 100}) {
		t.Errorf("of the running campaign: %+v", got)
	}
	if got := views[1].Forecast; got == nil || *got != (Forecast{Rate: 90, pushes: 100}) { // the windows decide
		t.Errorf("of the one that waits for windows: %+v", got)
	}
	for _, v := range views[2:] {
		if v.Forecast != nil {
			t.Errorf("of campaign %s: %+v", v.Spec.ID, v.Forecast)
		}
	}
	for want, of := range map[string]Forecast{`{"rate":1.5,"shortestSeconds":2,"longestSeconds":3}`: {Rate: 1.5, Shortest: 1900 * time.Millisecond, Longest: 3 * time.Second}, `{"rate":1}`: {Rate: 1}} {
		text, err := json.Marshal(of)
		ok(t, err)
		equal(t, "JSON", string(text), want)
	}
}
