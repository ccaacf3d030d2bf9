package pacing

import (
	"cmp"
	"iter"
	"slices"
	"time"
)

// flowTTL is how long the scheduler remembers a campaign without pushes.
const flowTTL = 10 * time.Second

// priorityClass holds the campaigns of one priority.
type priorityClass struct {
	priority int
	flows    []*flow
	now      float64 // the virtual time: a campaign that joins begins here and has no claim on the past
}

// scheduler picks the push that goes next: the highest priority first, then by weight, then the
// oldest. Campaigns of one priority share by stride scheduling (Waldspurger and Weihl, 1995).
type scheduler struct {
	classes []*priorityClass // highest priority first
	flows   map[string]*flow
	waiting int
}

// all returns the campaigns in the order of their priority.
func (s *scheduler) all() iter.Seq[*flow] {
	return func(yield func(*flow) bool) {
		for _, c := range s.classes {
			for _, l := range c.flows {
				if !yield(l) {
					return
				}
			}
		}
	}
}

// flowOf returns the campaign of a push and updates its weight, priority and rate.
func (s *scheduler) flowOf(p Push, now time.Time) *flow {
	l := s.flows[p.Campaign]
	if l == nil {
		l = &flow{id: p.Campaign}
		s.flows[p.Campaign] = l
	}
	l.weight, l.used = float64(max(1, p.Weight)), now
	l.limit(p)
	if l.class == nil || l.class.priority != p.Priority {
		s.leave(l)
		l.class = s.class(p.Priority)
		l.class.flows = append(l.class.flows, l)
		l.pass = l.class.now
	}
	return l
}

func (s *scheduler) class(priority int) *priorityClass {
	at, found := slices.BinarySearchFunc(s.classes, priority, func(c *priorityClass, p int) int { return cmp.Compare(p, c.priority) })
	if !found {
		s.classes = slices.Insert(s.classes, at, &priorityClass{priority: priority})
	}
	return s.classes[at]
}

// leave removes a campaign from its class.
func (s *scheduler) leave(l *flow) {
	if l.class == nil {
		return
	}
	l.class.flows = slices.DeleteFunc(l.class.flows, func(other *flow) bool { return other == l })
	if len(l.class.flows) == 0 {
		s.classes = slices.DeleteFunc(s.classes, func(c *priorityClass) bool { return c == l.class })
	}
	l.class = nil
}

// push appends a waiter to its campaign's queue.
func (s *scheduler) push(l *flow, w *waiter) {
	l.enter()
	w.flow, w.prev, w.next = l, l.last, nil
	if l.last == nil {
		l.first = w
	} else {
		l.last.next = w
	}
	l.last = w
	l.waiting++
	s.waiting++
}

// remove takes a waiter out of its queue, at any place in it.
func (s *scheduler) remove(w *waiter) {
	l := w.flow
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
	s.waiting--
}

// next returns the campaign whose push goes now, or nil if none may.
func (s *scheduler) next(now time.Time) *flow {
	for _, c := range s.classes {
		var best *flow
		for _, l := range c.flows {
			if l.waiting > 0 && (best == nil || l.pass < best.pass) && l.isAllowed(now) {
				best = l
			}
		}
		if best != nil {
			return best
		}
	}
	return nil
}

// demand returns how many waiting pushes need nothing but the project's quota.
func (s *scheduler) demand(now time.Time) int {
	n := 0
	for l := range s.all() {
		if l.cap == nil {
			n += l.waiting
		} else if l.waiting > 0 {
			n += l.cap.countDue(now, l.waiting)
		}
	}
	return n
}

// sweep forgets campaigns that had no pushes for a while.
func (s *scheduler) sweep(now time.Time) {
	for id, l := range s.flows {
		if l.waiting == 0 && now.Sub(l.used) > flowTTL && (l.cap == nil || !l.cap.asking) {
			s.leave(l)
			delete(s.flows, id)
		}
	}
}

// waiter is one push in its campaign's queue.
type waiter struct {
	flow       *flow
	prev, next *waiter
	ready      chan error // has room for one result: nil when the push may go
}

// flow is one campaign in the scheduler, with its pushes in the order of arrival.
type flow struct {
	id          string
	weight      float64
	class       *priorityClass
	pass        float64       // its virtual time: permits used, divided by weight; the smallest goes next
	cap         *permitBuffer // permits of its own rate; nil if it has none
	first, last *waiter
	waiting     int
	used        time.Time
}

// limit sets the campaign's own rate.
func (f *flow) limit(p Push) {
	switch {
	case p.Cap <= 0:
		f.cap = nil
	case f.cap == nil || f.cap.keys[0] != p.CapKey:
		f.cap = &permitBuffer{keys: []string{p.CapKey}, interval: 1e6 / p.Cap, ttl: capPermitTTL}
	default:
		f.cap.interval = 1e6 / p.Cap
	}
}

// isAllowed reports whether the campaign's own rate permits a push now.
func (f *flow) isAllowed(now time.Time) bool { return f.cap == nil || f.cap.isReady(now) }

// expire drops the permits of the campaign's own rate that are too late.
func (f *flow) expire(now time.Time) {
	if f.cap != nil {
		f.cap.expire(now)
	}
}

// enter moves an idle campaign to the present. It has no claim on the time in which it had no
// pushes.
func (f *flow) enter() {
	if f.waiting == 0 {
		f.pass = max(f.pass, f.class.now)
	}
}

// charge counts one push and spends a permit of the campaign's own rate. A campaign that its own
// rate held back has no claim on that time either.
func (f *flow) charge() {
	f.class.now = max(f.class.now, f.pass)
	f.pass = f.class.now + 1/f.weight
	if f.cap != nil {
		f.cap.spend()
	}
}
