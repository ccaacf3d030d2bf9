package inflight

import "time"

const (
	// minWindow is the least length of a window. Shorter ones see bursts and not a rate.
	minWindow = 100 * time.Millisecond
	// minAnswers answers complete a window, or as many as may be in flight if that is fewer.
	minAnswers = 20
)

// window counts for about one round trip, so that the limit moves at most once in each.
type window struct {
	since   time.Time
	grants  int
	tight   int // grants after which nothing was left
	peak    int // in flight
	good    int
	refused int
	latency time.Duration // of the good ones, summed
}

// sample is the result of a window.
type sample struct {
	at      time.Time
	rate    float64       // good answers a second
	latency time.Duration // their mean; 0 without any
	answers int
	refused int  // of these, said overload
	pressed bool // the limit held requests back
	peak    int  // in flight
}

func (t *window) countGrant(inFlight, limit int) {
	t.grants++
	t.peak = max(t.peak, inFlight)
	if inFlight >= limit {
		t.tight++
	}
}

func (t *window) countAnswer(o Outcome) {
	switch o.Signal {
	case Good:
		t.good++
		t.latency += o.Latency
	case Overload:
		t.refused++
	}
}

func (t *window) isComplete(now time.Time, limit int) bool {
	return t.good+t.refused >= min(minAnswers, limit) && now.Sub(t.since) >= max(minWindow, t.mean())
}

func (t *window) mean() time.Duration { return t.latency / time.Duration(max(1, t.good)) }

// sample ends the window. Where nothing was granted, those that are in flight above the limit hold
// the next ones back.
func (t *window) sample(now time.Time, inFlight, limit int) sample {
	return sample{
		at:      now,
		rate:    float64(t.good) / now.Sub(t.since).Seconds(),
		latency: t.mean(),
		answers: t.good + t.refused,
		refused: t.refused,
		pressed: 2*t.tight > t.grants || t.grants == 0 && inFlight >= limit,
		peak:    t.peak,
	}
}

// share of the answers that were refusals.
func (s sample) share() float64 { return float64(s.refused) / float64(s.answers) }
