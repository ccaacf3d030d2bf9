package pacing

import (
	"slices"
	"testing"
	"time"
)

// The avoided minutes begin a second early: what is spent late stays out of them too. A time that is open lasts until they begin.
func TestAvoidedMinutes(t *testing.T) {
	at := func(hour, minute, second int) time.Time {
		return time.Date(2030, 1, 1, hour, minute, second, 0, time.UTC)
	}
	for name, c := range map[string]struct{ at, opens, closes time.Time }{
		"before the quarter":      {at(12, 12, 59), at(12, 17, 0), at(12, 27, 59)},
		"just before that":        {at(12, 12, 58), at(12, 12, 58), at(12, 12, 59)},
		"on the quarter":          {at(12, 15, 0), at(12, 17, 0), at(12, 27, 59)},
		"after the quarter":       {at(12, 16, 59), at(12, 17, 0), at(12, 27, 59)},
		"just after the minutes":  {at(12, 17, 0), at(12, 17, 0), at(12, 27, 59)},
		"far from either quarter": {at(12, 22, 30), at(12, 22, 30), at(12, 27, 59)},
	} {
		if opens := opening(c.at); !opens.Equal(c.opens) || !closing(opens).Equal(c.closes) {
			t.Errorf("%s: open from %s until %s, want from %s until %s", name, opens, closing(opens), c.opens, c.closes)
		}
	}
}

func TestQuarterHours(t *testing.T) {
	at := func(hour, minute int) time.Time { return time.Date(2030, 1, 1, hour, minute, 0, 0, time.UTC) }
	for name, c := range map[string]struct {
		from, to time.Time
		want     []time.Time
	}{
		"between two":       {at(12, 3), at(12, 12), nil},
		"over one":          {at(12, 3), at(12, 20), []time.Time{at(12, 15)}},
		"begins after one":  {at(12, 1), at(12, 10), []time.Time{at(12, 0)}},
		"ends before one":   {at(12, 3), at(12, 14), []time.Time{at(12, 15)}},
		"begins before one": {at(12, 13), at(12, 14), []time.Time{at(12, 15)}},
		"long":              {at(12, 3), at(13, 3), []time.Time{at(12, 15), at(12, 30), at(12, 45), at(13, 0)}},
	} {
		got := QuarterHours(c.from, c.to)
		if !slices.EqualFunc(got, c.want, time.Time.Equal) {
			t.Errorf("%s: got %v, want %v", name, got, c.want)
		}
	}
}
