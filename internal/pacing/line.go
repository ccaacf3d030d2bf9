package pacing

import "time"

// waiter is one push that waits in its campaign's line.
type waiter struct {
	line       *flow
	prev, next *waiter
	ready      chan error // holds one: nil when the push may go
}

// line is a campaign: its pushes in the order of their coming, and what it may have of the project's quota.
type flow struct {
	id          string
	weight      float64
	of          *priorityClass
	pass        float64 // what it was given so far, by weight; the smallest comes next
	cap         *permitBuffer  // its own rate; nil where it has none
	first, last *waiter
	waiting     int
	used        time.Time
}

// limit gives the campaign the rate of its own that it has now.
func (l *flow) limit(p Push) {
	switch {
	case p.Cap <= 0:
		l.cap = nil
	case l.cap == nil || l.cap.keys[0] != p.CapKey:
		l.cap = &permitBuffer{keys: []string{p.CapKey}, gap: 1e6 / p.Cap, late: lateCap}
	default:
		l.cap.gap = 1e6 / p.Cap
	}
}

// allowed tells whether the campaign's own rate lets a push go now.
func (l *flow) allowed(now time.Time) bool { return l.cap == nil || l.cap.ready(now) }

// expire drops the permits of the campaign's own rate that are too late.
func (l *flow) expire(now time.Time) {
	if l.cap != nil {
		l.cap.expire(now)
	}
}

// enter lets a campaign that had nobody waiting claim nothing for that time.
func (l *flow) enter() {
	if l.waiting == 0 {
		l.pass = max(l.pass, l.of.now)
	}
}

// charge counts one push of a campaign, and spends what its own rate has for it. Whoever was behind was so by its own rate, and
// claims nothing for that either.
func (l *flow) charge() {
	l.of.now = max(l.of.now, l.pass)
	l.pass = l.of.now + 1/l.weight
	if l.cap != nil {
		l.cap.spend()
	}
}
