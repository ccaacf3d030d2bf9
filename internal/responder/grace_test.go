package responder

import (
	"context"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"fanfare/internal/notification"
	"fanfare/internal/queue"
	"fanfare/internal/store"
)

// What has begun may end for as long as the grace, and no longer.
func TestTheGraceEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &Responder{opts: Options{Grace: 5 * time.Second}}
		work, stop := context.WithCancel(t.Context())
		ctx, cancel := r.graceful(work)
		defer cancel()
		stop()
		began := time.Now()
		<-ctx.Done()
		if took := time.Since(began); took != 5*time.Second {
			t.Errorf("it ended after %s", took)
		}
	})
}

// A lease that is released is extended no more.
func TestReleasedLeasesAreForgotten(t *testing.T) {
	l := newLeases()
	held, release := l.hold(t.Context(), queue.Lease{Claim: "c"})
	if len(l.claims()) != 1 || held.Err() != nil {
		t.Error("it is not held")
	}
	release()
	if len(l.claims()) != 0 || held.Err() == nil {
		t.Error("it is held after its release")
	}
}

// A lease is extended before two thirds of it are over.
func TestLeasesAreExtendedInTime(t *testing.T) {
	if got := extendInterval(3 * time.Second); got != time.Second {
		t.Errorf("every %s", got)
	}
}

// failing is a database that is away twice, and notes how many results each transaction had.
type failing struct{ sizes []int }

func (f *failing) Apply(_ context.Context, results []notification.Result) error {
	if f.sizes = append(f.sizes, len(results)); len(f.sizes) < 3 {
		return context.Canceled // of the driver's own
	}
	return nil
}

// Only what takes too long is written in parts: a database that is away gets the whole batch again.
func TestAnOutageSplitsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := new(failing)
		m, err := newMetrics(nil)
		if err != nil {
			t.Fatal(err)
		}
		r := &Responder{
			deps: Deps{Applier: db, FaultOf: func(error) store.Fault { return store.Transient }},
			opts: DefaultOptions(), log: slog.New(slog.DiscardHandler), metrics: m,
		}
		refused, err := r.apply(t.Context(), make([]notification.Result, 8))
		if err != nil || len(refused) != 0 || len(db.sizes) != 3 || db.sizes[2] != 8 {
			t.Errorf("refused %v, %v, transactions of %v", refused, err, db.sizes)
		}
	})
}
