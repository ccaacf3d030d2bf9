package responder

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// halt keeps workers from claiming while nothing can be written. After each pause one of them tries again; when a batch
// is written, all go on.
type halt struct {
	pause time.Duration
	trial chan struct{} // held by the one that tries

	mu     sync.Mutex
	why    error         // nil: not halted
	lifted chan struct{} // closed at the end of this halt
}

func newHalt(pause time.Duration) *halt {
	return &halt{pause: pause, trial: make(chan struct{}, 1)}
}

func (h *halt) begin(why error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.why == nil {
		h.lifted = make(chan struct{})
	}
	h.why = why
}

// end tells whether there was a halt to end.
func (h *halt) end() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.why == nil {
		return false
	}
	h.why = nil
	close(h.lifted)
	return true
}

// cause is nil while not halted.
func (h *halt) cause() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.why == nil {
		return nil
	}
	return fmt.Errorf("halted: %w", h.why)
}

func (h *halt) state() (halted bool, lifted <-chan struct{}) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.why != nil, h.lifted
}

// enter lets a worker through when there is no halt, or when it is the one to try again. The worker leaves when its try
// is over. The error is that of ctx.
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
	pause := time.NewTimer(h.pause)
	defer pause.Stop()
	select {
	case <-pause.C:
	case <-lifted:
	case <-ctx.Done():
		leave()
		return nil, ctx.Err()
	}
	return leave, nil
}
