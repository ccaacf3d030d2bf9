package pacing

import (
	"slices"
	"testing"
	"time"
)

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
