package responder

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"fanfare/internal/queue"
)

var errLeaseLost = errors.New("lease is lost")

// leases are those that this responder holds.
type leases struct {
	mu   sync.Mutex
	held map[string]*lease
}

type lease struct {
	until time.Time // by this process's monotonic clock
	lose  context.CancelCauseFunc
}

func newLeases() *leases { return &leases{held: make(map[string]*lease)} }

// hold keeps a lease until it is released; the context ends before that when the lease is lost, or when ctx does.
func (l *leases) hold(ctx context.Context, claimed queue.Lease) (held context.Context, release func()) {
	held, lose := context.WithCancelCause(ctx)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.held[claimed.Claim] = &lease{until: claimed.Until, lose: lose}
	return held, func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		delete(l.held, claimed.Claim)
		lose(nil)
	}
}

func (l *leases) claims() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	claims := make([]string, 0, len(l.held))
	for claim := range l.held {
		claims = append(claims, claim)
	}
	return claims
}

// extend takes in what the queue said of claims; some may have been released meanwhile.
func (l *leases) extend(claims, lost []string, until time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, claim := range claims {
		held := l.held[claim]
		switch {
		case held == nil:
		case slices.Contains(lost, claim):
			held.lose(errLeaseLost)
		default:
			held.until = until
		}
	}
}

// expire gives up the leases whose time is over.
func (l *leases) expire(now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, held := range l.held {
		if !now.Before(held.until) {
			held.lose(errLeaseLost)
		}
	}
}
