package responder

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"fanfare/internal/leasekeeper"
	"fanfare/internal/notification"
	"fanfare/internal/queue"
	"fanfare/internal/store"
)

func newTestHalt(t *testing.T, delay time.Duration) *halt {
	t.Helper()
	m, err := newMetrics(nil)
	if err != nil {
		t.Fatal(err)
	}
	return newHalt(delay, m.halted, slog.New(slog.DiscardHandler))
}

// During a halt one worker at a time may try, each a delay after the one before. At its end all
// continue at once.
func TestHaltLetsOneTryAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newTestHalt(t, time.Minute)
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
		h := newTestHalt(t, time.Hour)
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

// failing is a database that is away twice. It records how many results each transaction had.
type failing struct{ sizes []int }

func (f *failing) Apply(_ context.Context, results []notification.Result) error {
	if f.sizes = append(f.sizes, len(results)); len(f.sizes) < 3 {
		return context.Canceled // from the driver, not from our context
	}
	return nil
}

// Only a slow batch is written in parts. A database that is away gets the whole batch again.
func TestAnOutageSplitsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := new(failing)
		m, err := newMetrics(nil)
		if err != nil {
			t.Fatal(err)
		}
		w := writer{
			applier: db, faultOf: func(error) store.Fault { return store.Transient },
			backoff: leasekeeper.Backoff{Base: time.Second, Limit: time.Minute}, metrics: m, log: slog.New(slog.DiscardHandler),
		}
		refused, err := w.write(t.Context(), make([]notification.Result, 8))
		if err != nil || len(refused) != 0 || len(db.sizes) != 3 || db.sizes[2] != 8 {
			t.Errorf("refused %v, %v, transactions of %v", refused, err, db.sizes)
		}
	})
}

// A lease that is lost ends the work for its results, and a released one is extended no more.
func TestLostLeaseEndsItsWork(t *testing.T) {
	w := &worker{leases: leasekeeper.NewSet[*leasekeeper.Lease]()}
	for _, lose := range []bool{true, false} {
		leaseCtx, release := w.hold(t.Context(), queue.Lease{Claim: "c", Until: time.Now().Add(time.Hour)})
		l := w.leases.Get("c")
		if l == nil || leaseCtx.Err() != nil || !l.IsValid(time.Now()) {
			t.Fatal("the lease is not held")
		}
		if lose {
			l.Lose()
		}
		release()
		if lost := errors.Is(context.Cause(leaseCtx), errLeaseLost); lost != lose || leaseCtx.Err() == nil {
			t.Errorf("lost is %v, want %v; %v", lost, lose, leaseCtx.Err())
		}
		if w.leases.Get("c") != nil {
			t.Error("the lease is held after its release")
		}
	}
}
