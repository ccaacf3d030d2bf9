package fcmsim

import (
	"maps"
	"sync"
	"sync/atomic"
	"time"
)

// projectState is what the simulator keeps of one Firebase project.
type projectState struct {
	bucket   bucket
	arrivals arrivalRecorder
}

// projects finds a project without a lock. A new project replaces the map by a larger copy.
type projects struct {
	mu    sync.Mutex
	known atomic.Pointer[map[string]*projectState]
}

func (t *projects) all() map[string]*projectState {
	if known := t.known.Load(); known != nil {
		return *known
	}
	return nil
}

func (t *projects) get(project string) *projectState {
	if found := t.all()[project]; found != nil {
		return found
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if found := t.all()[project]; found != nil {
		return found
	}
	larger := maps.Clone(t.all())
	if larger == nil {
		larger = make(map[string]*projectState)
	}
	added := new(projectState)
	larger[project] = added
	t.known.Store(&larger)
	return added
}

const (
	tenth    = 100 * time.Millisecond
	ringSize = 1 << 12 // slots of a ring: more than an hour of seconds, more than five minutes of tenths
)

// arrivalRecorder counts the arrivals of one project. Every request passes through it, so it costs
// a lock and two additions (BenchmarkRecord).
type arrivalRecorder struct {
	mu      sync.Mutex
	seconds ring
	tenths  ring
}

// ring holds the latest slots. slots[i%ringSize] has the number i since 1970.
type ring struct {
	slots       *[ringSize]Slot
	first, last int64
}

func (r *arrivalRecorder) add(now time.Time, v *decision) {
	number := now.UnixNano() / int64(tenth)
	r.mu.Lock()
	if r.tenths.slots == nil {
		r.seconds.start(number / 10)
		r.tenths.start(number)
	}
	r.seconds.at(number / 10).count(v)
	r.tenths.at(number).count(v)
	r.mu.Unlock()
}

func (s *Slot) count(v *decision) {
	switch {
	case v.outcome.Code.isRateLimit():
		s.Limited++
	case v.accepted:
		s.Accepted++
	default:
		s.Other++
	}
}

func (r *ring) start(number int64) {
	r.slots, r.first, r.last = new([ringSize]Slot), number, number
}

// at returns a slot. A number older than all slots counts as the oldest.
func (r *ring) at(number int64) *Slot {
	if number > r.last {
		r.advance(number)
	}
	return &r.slots[max(number, r.first)%ringSize]
}

// advance clears the slots of the time that has passed.
func (r *ring) advance(number int64) {
	for from := max(r.last+1, number-ringSize+1); from <= number; from++ {
		r.slots[from%ringSize] = Slot{}
	}
	r.last, r.first = number, max(r.first, number-ringSize+1)
}

// copySeries copies the slots up to a number.
func (r *ring) copySeries(number int64, step time.Duration) Series {
	r.at(number)
	s := Series{From: time.Unix(0, r.first*int64(step)).UTC(), Step: Duration(step)}
	for i := r.first; i <= r.last; i++ {
		s.Slots = append(s.Slots, r.slots[i%ringSize])
	}
	return s
}

// snapshot copies the arrivals. It returns false if there were none.
func (r *arrivalRecorder) snapshot(now time.Time) (Arrivals, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.tenths.slots == nil {
		return Arrivals{}, false
	}
	number := now.UnixNano() / int64(tenth)
	return Arrivals{Seconds: r.seconds.copySeries(number/10, time.Second), Tenths: r.tenths.copySeries(number, tenth)}, true
}

func (r *arrivalRecorder) reset() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.seconds, r.tenths = ring{}, ring{}
}
