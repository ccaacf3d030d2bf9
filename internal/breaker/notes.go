package breaker

import (
	"sync"
	"time"
)

// notes are answers that this replica has not told of yet. They have a lock of their own: nobody who only notes waits
// for Redis.
type notes struct {
	mu      sync.Mutex
	answers int64
	since   time.Time
}

func (n *notes) add(answers int64, now time.Time) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.answers == 0 {
		n.since = now
	}
	n.answers += answers
}

// pending are the answers, and how old the first of them is.
func (n *notes) pending(now time.Time) (answers int64, age time.Duration) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.answers == 0 {
		return 0, 0
	}
	return n.answers, now.Sub(n.since)
}

// told takes away what others know by now; the age stays that of the first, which errs towards fewer deletions.
func (n *notes) told(answers int64) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.answers -= answers
}
