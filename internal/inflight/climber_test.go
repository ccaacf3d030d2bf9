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
		climb := &climber{min: 1, max: 1000, stride: boldFactor, base: calm.latency}
		climb.startRest(calm)
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

// The limit holds requests back where most are granted its last permit, and where none is granted
// because it was lowered.
func TestPressed(t *testing.T) {
	begun := time.Unix(100, 0)
	for name, c := range map[string]struct {
		counts          window
		inFlight, limit int
		want            bool
	}{
		"most had the last permit":     {window{grants: 10, tight: 6}, 4, 10, true},
		"half had the last permit":     {window{grants: 10, tight: 5}, 10, 10, false},
		"no requests":                  {window{}, 4, 10, false},
		"none granted":                 {window{}, 10, 10, true},
		"none granted, limit exceeded": {window{}, 20, 10, true},
	} {
		c.counts.since = begun
		if got := c.counts.sample(begun.Add(time.Second), c.inFlight, c.limit).pressed; got != c.want {
			t.Errorf("%s: pressed is %v, want %v", name, got, c.want)
		}
	}
}

// Some refusals are no overload; more, or nothing but refusals, are.
func TestOverload(t *testing.T) {
	for refused, want := range map[int]bool{0: false, 20: false, 21: true, 1000: true} {
		c := &climber{}
		if got := c.isOverloaded(sample{answers: 1000, refused: refused}); got != want {
			t.Errorf("%d of 1,000 refused: overload is %v, want %v", refused, got, want)
		}
	}
}

// After a step up, the first sample is still that of the lower limit; if what follows is a queue,
// the step is taken back.
func TestStepUpIsTakenBackForAQueue(t *testing.T) {
	before := point{limit: 50, rate: 1000, latency: 50 * time.Millisecond}
	c := &climber{min: 10, max: 500, stride: gentleFactor, base: before.latency, from: before, settling: true}
	for i, s := range []struct {
		latency time.Duration
		want    int
	}{{50 * time.Millisecond, 100}, {100 * time.Millisecond, 50}} {
		if limit := c.next(100, sample{rate: 1000, latency: s.latency, answers: 100, peak: 90}); limit != s.want {
			t.Errorf("sample %d: the limit becomes %d, want %d", i, limit, s.want)
		}
	}
}

// At the highest limit the only way to learn something is down.
func TestStepAtTheHighestLimit(t *testing.T) {
	c := &climber{min: 10, max: 100, stride: boldFactor, base: 50 * time.Millisecond}
	if limit := c.next(100, sample{rate: 1000, latency: 100 * time.Millisecond, answers: 100, pressed: true}); limit >= 100 {
		t.Errorf("the limit becomes %d, want less than 100", limit)
	}
}

// What is in flight when a window ends is the least peak of the next one.
func TestNextTallyBeginsWithWhatIsInFlight(t *testing.T) {
	l := limiter(t, Options{Min: 10, Max: 10})
	for range 7 {
		take(t, l)
	}
	l.judge(l.window.since.Add(time.Second))
	if l.window.peak != 7 {
		t.Errorf("a peak of %d, want 7", l.window.peak)
	}
}
