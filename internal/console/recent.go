package console

import (
	"sync"
	"time"
)

// recent remembers what was read of each campaign, so that all its pages share one reading.
type recent[T any] struct {
	age time.Duration // after which it is read again

	mu   sync.Mutex
	byID map[string]remembered[T]
}

type remembered[T any] struct {
	at    time.Time
	value T
}

func newRecent[T any](age time.Duration) *recent[T] {
	return &recent[T]{age: age, byID: make(map[string]remembered[T])}
}

// find returns what was read of a campaign and how long ago, unless it is too old.
func (r *recent[T]) find(id string, now time.Time) (value T, age time.Duration, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	known, ok := r.byID[id]
	age = max(0, now.Sub(known.at))
	if !ok || age >= r.age {
		return value, 0, false
	}
	return known.value, age, true
}

// keep remembers what was read, and forgets what is too old.
func (r *recent[T]) keep(id string, now time.Time, value T) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for other, known := range r.byID {
		if now.Sub(known.at) >= r.age {
			delete(r.byID, other)
		}
	}
	r.byID[id] = remembered[T]{now, value}
}
