package responder

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// While halted, one worker at a time is let through, a pause after the one before; at its end all are, at once.
func TestHaltLetsOneTryAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHalt(time.Minute)
		h.begin(errors.New("no table"))
		begun := time.Now()
		var mu sync.Mutex
		var tries []time.Duration
		var workers sync.WaitGroup
		for range 3 {
			workers.Go(func() {
				leave, err := h.enter(t.Context())
				if err != nil {
					t.Error(err)
					return
				}
				defer leave()
				mu.Lock()
				tries = append(tries, time.Since(begun))
				try := len(tries)
				mu.Unlock()
				switch try {
				case 1:
					h.begin(errors.New("still no table"))
				case 2:
					h.end() // it succeeded
				}
			})
		}
		workers.Wait()
		want := []time.Duration{time.Minute, 2 * time.Minute, 2 * time.Minute}
		for i := range want {
			if len(tries) != len(want) || tries[i] != want[i] {
				t.Fatalf("tries after %v, want %v", tries, want)
			}
		}
		if h.cause() != nil {
			t.Errorf("still halted: %v", h.cause())
		}
	})
}

func TestHaltLetsGoOfAStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHalt(time.Hour)
		h.begin(errors.New("no table"))
		fetch, stop := context.WithCancel(t.Context())
		var workers sync.WaitGroup
		for range 2 { // one waits for its try, one for the other
			workers.Go(func() {
				if _, err := h.enter(fetch); !errors.Is(err, context.Canceled) {
					t.Errorf("enter: %v, want the end of fetch", err)
				}
			})
		}
		synctest.Wait()
		stop()
		workers.Wait()
	})
}

func TestBackoffDoublesUpToItsLimit(t *testing.T) {
	b := backoff{base: 100 * time.Millisecond, limit: time.Second}
	for range 2 {
		for i, whole := range []time.Duration{100, 200, 400, 800, 1000, 1000} {
			whole *= time.Millisecond
			if got := b.next(); got < whole/2 || got > whole {
				t.Errorf("wait %d is %s, want between half of %s and all of it", i, got, whole)
			}
		}
		b.reset()
	}
}
