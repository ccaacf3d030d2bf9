package responder

import (
	"sync"
	"sync/atomic"
	"time"
)

// workCount counts what the workers do, for the heartbeat and for the lag.
type workCount struct {
	held    atomic.Int64 // results in leases of this process
	written atomic.Int64 // results written and removed

	mu     sync.Mutex
	oldest map[*batch]time.Time // when the oldest result of each batch was made
}

func newWorkCount() *workCount { return &workCount{oldest: make(map[*batch]time.Time)} }

// begin counts a batch until end is called.
func (c *workCount) begin(b *batch) (end func()) {
	n := int64(len(b.lease.Elements))
	c.held.Add(n)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.oldest[b] = b.oldest()
	return func() {
		c.held.Add(-n)
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.oldest, b)
	}
}

// oldestHeld is when the oldest result in work was made; zero if there is none.
func (c *workCount) oldestHeld() (at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, made := range c.oldest {
		at = earlier(at, made)
	}
	return at
}
