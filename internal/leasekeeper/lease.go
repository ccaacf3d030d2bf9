// Package leasekeeper does what every daemon does for its leases. A Set holds those of this
// process, an Extender extends them, and a Reaper takes back those of processes that died. The
// waits around them are here too: Backoff, Jitter, Sleep and WithGrace.
//
// What a daemon does differently is a function that it sets, such as Lease.OnLost.
package leasekeeper

import (
	"sync"
	"sync/atomic"
	"time"

	"fanfare/internal/queue"
)

// Lease is a claim of this process. A daemon may embed it in a type of its own. The fields do not
// change once the lease is in a Set.
type Lease struct {
	Queue *queue.Queue
	Claim string
	// OnLost, if set, is called when the lease is lost. It may be called again, and must not block.
	OnLost func()

	until   atomic.Pointer[time.Time] // this process's monotonic clock; nil: not extended yet
	addedAt time.Time                 // to a Set
}

// IsValid reports whether no other process can have this lease's elements.
func (l *Lease) IsValid(now time.Time) bool {
	until := l.until.Load()
	return until != nil && now.Before(*until)
}

// ExtendTo makes the lease valid until then, by this process's clock.
func (l *Lease) ExtendTo(until time.Time) { l.until.Store(&until) }

// Lose ends the lease: another process may have its elements.
func (l *Lease) Lose() {
	l.ExtendTo(time.Time{})
	if l.OnLost != nil {
		l.OnLost()
	}
}

func (l *Lease) lease() *Lease { return l }

// Member is what a Set contains: a *Lease, or a pointer to a type that embeds one.
type Member interface{ lease() *Lease }

// Set is the set of leases that an Extender extends.
type Set[M Member] struct {
	mu      sync.Mutex
	byClaim map[string]M
}

// NewSet returns an empty set.
func NewSet[M Member]() *Set[M] { return &Set[M]{byClaim: make(map[string]M)} }

// Add adds a lease until Remove is called.
func (s *Set[M]) Add(m M) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m.lease().addedAt = time.Now()
	s.byClaim[m.lease().Claim] = m
}

// Remove ends the extension of a lease, because it is settled or given back.
func (s *Set[M]) Remove(m M) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.byClaim, m.lease().Claim)
}

// Get returns the lease of a claim, or the zero value.
func (s *Set[M]) Get(claim string) M {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.byClaim[claim]
}

// CountOf counts the leases of a queue.
func (s *Set[M]) CountOf(q *queue.Queue) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, m := range s.byClaim {
		if m.lease().Queue == q {
			n++
		}
	}
	return n
}

// Oldest counts the leases, and returns since when the oldest one is in the set.
func (s *Set[M]) Oldest() (n int, since time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range s.byClaim {
		if at := m.lease().addedAt; since.IsZero() || at.Before(since) {
			since = at
		}
	}
	return len(s.byClaim), since
}

// byQueue groups all leases by their queue.
func (s *Set[M]) byQueue() map[*queue.Queue][]*Lease {
	s.mu.Lock()
	defer s.mu.Unlock()
	groups := make(map[*queue.Queue][]*Lease)
	for _, m := range s.byClaim {
		l := m.lease()
		groups[l.Queue] = append(groups[l.Queue], l)
	}
	return groups
}
