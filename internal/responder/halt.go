package responder

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"fanfare/internal/redisx"
)

// halt keeps workers from claiming while nothing can be written. After each delay one of them tries
// again. Once a batch is written, all continue.
type halt struct {
	delay time.Duration
	gauge prometheus.Gauge
	log   *slog.Logger
	trial chan struct{} // has one element while a worker tries

	mu     sync.Mutex
	reason error         // nil: not halted
	lifted chan struct{} // closed at the end of this halt
}

func newHalt(delay time.Duration, gauge prometheus.Gauge, log *slog.Logger) *halt {
	return &halt{delay: delay, gauge: gauge, log: log, trial: make(chan struct{}, 1)}
}

// beginIfPermanent begins a halt if err lasts until a person acts. It reports whether it does.
func (h *halt) beginIfPermanent(err error) bool {
	next, permanent := nextStep(err)
	if !permanent {
		return false
	}
	h.begin(err)
	h.gauge.Set(1)
	h.log.Error("writing halted; results stay in Redis, no restart needed", "next_step", next, "retry_delay", h.delay, "error", err)
	return true
}

// nextStep returns what a person must do about an error, and whether it lasts until then.
func nextStep(err error) (next string, permanent bool) {
	if _, ok := errors.AsType[*databaseHaltError](err); ok {
		return "The database refuses every result. Repair its tables, permissions or statements. Writing then resumes by itself.", true
	}
	if _, ok := errors.AsType[*redisx.TypeError](err); ok {
		return "A Redis key holds another type. Rename or delete it.", true
	}
	if redisx.IsDenied(err) {
		return "Redis refuses the credentials or a command. Fix the password or the ACL.", true
	}
	return "Redis refuses a command. Fix what the error names.", redisx.IsPermanent(err)
}

func (h *halt) begin(reason error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.reason == nil {
		h.lifted = make(chan struct{})
	}
	h.reason = reason
}

// endIfRedisRefused ends a halt that Redis caused, after Redis has accepted a claim. An empty claim
// proves nothing about the database.
func (h *halt) endIfRedisRefused() {
	if redisx.IsPermanent(h.cause()) {
		h.end()
	}
}

// end ends the halt, if there is one.
func (h *halt) end() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.reason == nil {
		return
	}
	h.reason = nil
	close(h.lifted)
	h.gauge.Set(0)
	h.log.Info("writing resumed")
}

// cause returns the error of the halt, or nil if there is none.
func (h *halt) cause() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.reason == nil {
		return nil
	}
	return fmt.Errorf("writing halted: %w", h.reason)
}

func (h *halt) state() (halted bool, lifted <-chan struct{}) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.reason != nil, h.lifted
}

// enter blocks while there is a halt, unless it is the caller's turn to try again. The caller calls
// leave after its try. The error is that of ctx.
func (h *halt) enter(ctx context.Context) (leave func(), err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	halted, lifted := h.state()
	if !halted {
		return func() {}, nil
	}
	select {
	case h.trial <- struct{}{}:
	case <-lifted:
		return func() {}, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	leave = func() { <-h.trial }
	delay := time.NewTimer(h.delay)
	defer delay.Stop()
	select {
	case <-delay.C:
	case <-lifted:
	case <-ctx.Done():
		leave()
		return nil, ctx.Err()
	}
	return leave, nil
}
