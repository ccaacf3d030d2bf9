package responder

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	"fanfare/internal/periodic"
	"fanfare/internal/queue"
)

var errLeaseLost = errors.New("lease is lost")

// leases are the leases of this responder's batches.
type leases struct {
	mu      sync.Mutex
	byClaim map[string]*lease
}

type lease struct {
	until time.Time // by this process's monotonic clock
	lose  context.CancelCauseFunc
}

func newLeases() *leases { return &leases{byClaim: make(map[string]*lease)} }

// track adds a lease until untrack is called. leaseCtx ends when the lease is lost or ctx ends.
func (l *leases) track(ctx context.Context, claimed queue.Lease) (leaseCtx context.Context, untrack func()) {
	leaseCtx, lose := context.WithCancelCause(ctx)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.byClaim[claimed.Claim] = &lease{until: claimed.Until, lose: lose}
	return leaseCtx, func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		delete(l.byClaim, claimed.Claim)
		lose(nil)
	}
}

func (l *leases) claims() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	claims := make([]string, 0, len(l.byClaim))
	for claim := range l.byClaim {
		claims = append(claims, claim)
	}
	return claims
}

// update records the reply to an extension. Some of the claims may be untracked by now.
func (l *leases) update(claims, lost []string, until time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, claim := range claims {
		tracked := l.byClaim[claim]
		switch {
		case tracked == nil:
		case slices.Contains(lost, claim):
			tracked.lose(errLeaseLost)
		default:
			tracked.until = until
		}
	}
}

// expire gives up the leases that have ended by now.
func (l *leases) expire(now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, tracked := range l.byClaim {
		if !now.Before(tracked.until) {
			tracked.lose(errLeaseLost)
		}
	}
}

// extender extends the leases of batches, so that a slow database does not lose them.
type extender struct {
	queue  *queue.Queue
	leases *leases
	log    *slog.Logger
}

func (e extender) run(ctx context.Context) {
	periodic.Run(ctx, extendInterval(e.queue.LeaseTTL()), e.extend)
}

// extendInterval leaves time for two more tries before a lease ends.
func extendInterval(leaseTTL time.Duration) time.Duration { return leaseTTL / 3 }

// extend extends all leases once. A batch is dropped when its lease could not be extended in time:
// another responder may have its results.
func (e extender) extend(ctx context.Context) {
	claims := e.leases.claims()
	if len(claims) == 0 {
		return
	}
	until := time.Now().Add(e.queue.LeaseTTL())
	lost, err := e.queue.Extend(ctx, claims...)
	if err != nil {
		if ctx.Err() == nil {
			e.log.Warn("lease extension failed; retrying", "leases", len(claims), "error", err)
		}
		e.leases.expire(time.Now())
		return
	}
	e.leases.update(claims, lost, until)
}
