package dispatcher

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
)

func TestSlotsWaitForEnough(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSlots(10)
		if n, _ := s.take(t.Context(), 1, 8); n != 8 {
			t.Fatalf("took %d of 10, want 8", n)
		}
		took := make(chan int)
		go func() {
			n, _ := s.take(t.Context(), 5, 50)
			took <- n
		}()
		s.release(2)
		synctest.Wait()
		select {
		case n := <-took:
			t.Fatalf("took %d with 4 free, want to wait for 5", n)
		default:
		}
		s.release(1)
		if n := <-took; n != 5 {
			t.Fatalf("took %d, want 5", n)
		}
	})
}

func TestSlotsStopWaiting(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, free := range []int{0, 1} {
		if _, err := newSlots(free).take(ctx, 1, 1); !errors.Is(err, context.Canceled) {
			t.Fatalf("take after cancel with %d free: %v", free, err)
		}
	}
}
