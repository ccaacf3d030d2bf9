package operator

import (
	"testing"
	"time"

	"fanfare/internal/traffic"
)

// slotsOf makes slots of ten seconds with so many answers each, of which a tenth are 429.
func slotsOf(answers ...int64) (slots []traffic.Slot) {
	for i, n := range answers {
		at := time.Unix(1_700_000_000+10*int64(i), 0)
		slots = append(slots, traffic.Slot{At: at, Took: 10 * time.Second, Counts: traffic.Counts{Answers: n, Limited: n / 10}})
	}
	return slots
}

// The forecast counts what ends recipients, at the fastest and the slowest rate of the slots.
func TestForecast(t *testing.T) {
	t.Parallel()
	equal(t, "steady", *forecast(slotsOf(1000, 1000, 1000, 1000, 1000, 1000), 9000), Forecast{Rate: 90, Shortest: 100 * time.Second, Longest: 100 * time.Second})
	equal(t, "varying", *forecast(slotsOf(500, 1000, 2000, 1000, 1000, 1000), 9000), Forecast{Rate: 90, Shortest: 50 * time.Second, Longest: 200 * time.Second})
	equal(t, "begun", *forecast(slotsOf(0, 0, 0, 10, 1000, 1000), 9000), Forecast{Rate: 90, Shortest: 100 * time.Second, Longest: 100 * time.Second})
	for what, slots := range map[string][]traffic.Slot{"nothing": nil, "idle": slotsOf(0, 0, 0, 0, 0, 0), "just begun": slotsOf(0, 0, 0, 0, 0, 10), "stalled": slotsOf(9, 9, 9, 0, 0, 0)} {
		if f := forecast(slots, 9000); f != nil {
			t.Errorf("%s: got %+v, want nothing", what, *f)
		}
	}
}
