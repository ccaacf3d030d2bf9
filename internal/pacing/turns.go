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
