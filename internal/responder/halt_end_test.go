package responder

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// A worker that waits for its try continues at once when the halt ends. A batch that was under way
// before the halt may end it.
func TestHaltEndsTheWaitForATry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newTestHalt(t, time.Hour)
		h.begin(errors.New("no table"))
		begun := time.Now()
		entered := make(chan time.Duration, 1)
		go func() {
			leave, err := h.enter(t.Context())
			if err != nil {
				t.Error(err)
				return
			}
			leave()
			entered <- time.Since(begun)
		}()
		synctest.Wait()
		h.end()
		if waited := <-entered; waited != 0 {
			t.Errorf("the worker waited for %s after the end of the halt", waited)
		}
	})
}
