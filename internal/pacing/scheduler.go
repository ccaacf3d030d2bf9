package pacing

import (
	"cmp"
	"iter"
	"slices"
	"time"
)

// forgetAfter is how long a campaign without pushes keeps its place among the others.
const forgetAfter = 10 * time.Second

// class is the campaigns of one priority.
type priorityClass struct {
	priority int
	lines    []*flow
	now      float64 // the pass that was served last: whoever comes begins there, and claims nothing for the past
}

// turns decides whose push goes next: the highest priority, then by weight, then the oldest.
type scheduler struct {
	classes []*priorityClass // highest priority first
	lines   map[string]*flow
	waiting int
}

// all are the campaigns.
func (t *scheduler) all() iter.Seq[*flow] {
	return func(yield func(*flow) bool) {
		for _, c := range t.classes {
			for _, l := range c.lines {
				if !yield(l) {
					return
				}
			}
		}
	}
}

// line finds a push's campaign, and lets it have what the push says of it.
func (t *scheduler) line(p Push, now time.Time) *flow {
	l := t.lines[p.Campaign]
	if l == nil {
		l = &flow{id: p.Campaign}
		t.lines[p.Campaign] = l
	}
	l.weight, l.used = float64(max(1, p.Weight)), now
	l.limit(p)
	if l.of == nil || l.of.priority != p.Priority {
		t.leave(l)
		l.of = t.class(p.Priority)
		l.of.lines = append(l.of.lines, l)
		l.pass = l.of.now
	}
	return l
}

func (t *scheduler) class(priority int) *priorityClass {
	at, found := slices.BinarySearchFunc(t.classes, priority, func(c *priorityClass, p int) int { return cmp.Compare(p, c.priority) })
	if !found {
		t.classes = slices.Insert(t.classes, at, &priorityClass{priority: priority})
	}
	return t.classes[at]
}

// leave takes a campaign out of its class.
func (t *scheduler) leave(l *flow) {
	if l.of == nil {
		return
	}
	l.of.lines = slices.DeleteFunc(l.of.lines, func(other *flow) bool { return other == l })
	if len(l.of.lines) == 0 {
		t.classes = slices.DeleteFunc(t.classes, func(c *priorityClass) bool { return c == l.of })
	}
	l.of = nil
}

// push puts a waiter at the end of its campaign's line.
func (t *scheduler) push(l *flow, w *waiter) {
	l.enter()
	w.line, w.prev, w.next = l, l.last, nil
	if l.last == nil {
		l.first = w
	} else {
		l.last.next = w
	}
	l.last = w
	l.waiting++
	t.waiting++
}

// remove takes a waiter out of its line, wherever in it.
func (t *scheduler) remove(w *waiter) {
	l := w.line
	if w.prev == nil {
		l.first = w.next
	} else {
		w.prev.next = w.next
	}
	if w.next == nil {
		l.last = w.prev
	} else {
		w.next.prev = w.prev
	}
	w.prev, w.next = nil, nil
	l.waiting--
	t.waiting--
}

// next is the campaign whose push goes now; nil where none may.
func (t *scheduler) next(now time.Time) *flow {
	for _, c := range t.classes {
		var best *flow
		for _, l := range c.lines {
			if l.waiting > 0 && (best == nil || l.pass < best.pass) && l.allowed(now) {
				best = l
			}
		}
		if best != nil {
			return best
		}
	}
	return nil
}

// demand is how many of the waiting pushes need nothing but the project's quota.
func (t *scheduler) demand(now time.Time) int {
	n := 0
	for l := range t.all() {
		if l.cap == nil {
			n += l.waiting
		} else if l.waiting > 0 {
			n += l.cap.due(now, l.waiting)
		}
	}
	return n
}

// sweep forgets campaigns that have had no pushes for a while.
func (t *scheduler) sweep(now time.Time) {
	for id, l := range t.lines {
		if l.waiting == 0 && now.Sub(l.used) > forgetAfter && (l.cap == nil || !l.cap.asking) {
			t.leave(l)
			delete(t.lines, id)
		}
	}
}

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
	pass        float64       // what it was given so far, by weight; the smallest comes next
	cap         *permitBuffer // its own rate; nil where it has none
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
