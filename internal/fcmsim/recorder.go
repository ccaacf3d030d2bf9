package fcmsim

import (
	"sync"
	"time"
)

const (
	tenth       = 100 * time.Millisecond
	keptSeconds = 3600
	keptTenths  = 3000
)

// recorder counts the arrivals of one project. It is a lock and two additions, as it stands in the way of every request.
type recorder struct {
	mu      sync.Mutex
	seconds ring
	tenths  ring
}

// ring holds the latest slots; slots[i%len] is the one with the number i since 1970.
type ring struct {
	slots       []Slot
	first, last int64
}

func (r *recorder) add(now time.Time, v verdict) {
	number := now.UnixNano() / int64(tenth)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.tenths.slots == nil {
		r.seconds.start(number/10, keptSeconds)
		r.tenths.start(number, keptTenths)
	}
	r.seconds.at(number / 10).count(v)
	r.tenths.at(number).count(v)
}

func (s *Slot) count(v verdict) {
	switch {
	case v.outcome.Code.limits():
		s.Limited++
	case v.accepted:
		s.Accepted++
	default:
		s.Other++
	}
}

func (r *ring) start(number int64, kept int) {
	r.slots, r.first, r.last = make([]Slot, kept), number, number
}

// at finds a slot, and empties those that time has passed since the last. One that is older than all counts as the oldest.
func (r *ring) at(number int64) *Slot {
	kept := int64(len(r.slots))
	if number-r.last >= kept {
		clear(r.slots)
		r.last = number
	}
	for r.last < number {
		r.last++
		r.slots[r.last%kept] = Slot{}
	}
	r.first = max(r.first, r.last-kept+1)
	return &r.slots[max(number, r.first)%kept]
}

// series copies the slots up to a number.
func (r *ring) series(number int64, step time.Duration) Series {
	r.at(number)
	s := Series{From: time.Unix(0, r.first*int64(step)).UTC(), Step: Duration(step)}
	for i := r.first; i <= r.last; i++ {
		s.Slots = append(s.Slots, r.slots[i%int64(len(r.slots))])
	}
	return s
}

// arrivals reports false if there were none.
func (r *recorder) arrivals(now time.Time) (Arrivals, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.tenths.slots == nil {
		return Arrivals{}, false
	}
	number := now.UnixNano() / int64(tenth)
	return Arrivals{Seconds: r.seconds.series(number/10, time.Second), Tenths: r.tenths.series(number, tenth)}, true
}

func (r *recorder) reset() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.seconds, r.tenths = ring{}, ring{}
}
