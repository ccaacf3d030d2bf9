package inflight

import (
	"testing"
	"time"
)

// A rest between two steps ends at once when what is measured is no longer what it was.
func TestRestEndsWithAShift(t *testing.T) {
	calm := sample{at: time.Unix(100, 0), rate: 1000, latency: 50 * time.Millisecond, answers: 100, pressed: true, peak: 50}
	for name, c := range map[string]struct {
		change func(*sample)
		moves  bool
	}{
		"nothing":     {func(*sample) {}, false},
		"a little":    {func(s *sample) { s.rate, s.latency = 1.4*s.rate, 7*s.latency/5 }, false},
		"the rate":    {func(s *sample) { s.rate /= 1.6 }, true},
		"the latency": {func(s *sample) { s.latency = 8 * s.latency / 5 }, true},
		"the time":    {func(s *sample) { s.at = s.at.Add(time.Minute) }, true},
	} {
		climb := &climber{min: 1, max: 1000, stride: bold, base: calm.latency}
		climb.relax(calm)
		if limit := climb.next(50, calm); limit != 50 {
			t.Fatalf("%s: %d at the beginning of the rest, want 50", name, limit)
		}
		later := calm
		c.change(&later)
		if limit := climb.next(50, later); (limit != 50) != c.moves {
			t.Errorf("%s changes: the limit of 50 becomes %d", name, limit)
		}
	}
}

// The limit holds requests back where most are granted its last permit, and where none is granted because it was lowered.
func TestPressed(t *testing.T) {
	begun := time.Unix(100, 0)
	for name, c := range map[string]struct {
		tally           tally
		inFlight, limit int
		want            bool
	}{
		"most had the last permit":     {tally{grants: 10, tight: 6}, 4, 10, true},
		"half had the last permit":     {tally{grants: 10, tight: 5}, 10, 10, false},
		"nobody came":                  {tally{}, 4, 10, false},
		"nobody was let in":            {tally{}, 10, 10, true},
		"nobody was let in, and fewer": {tally{}, 20, 10, true},
	} {
		c.tally.since = begun
		if got := c.tally.sample(begun.Add(time.Second), c.inFlight, c.limit).pressed; got != c.want {
			t.Errorf("%s: pressed is %v, want %v", name, got, c.want)
		}
	}
}
