package pacing

import (
	"context"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"fanfare/internal/keys"
)

// fleet is some replicas on one Redis, and the pushes that they sent.
type fleet struct {
	t    *testing.T
	mem  *memory
	o    Options
	work sync.WaitGroup

	mu    sync.Mutex
	sent  []time.Duration // since began, in order
	by    map[string]int  // campaign to pushes
	began time.Time
}

// replica is one Governor.
type replica struct {
	*Governor
	ctx  context.Context // ends with stop
	stop context.CancelFunc
	done chan struct{}
}

func project() keys.ProjectKeys { return keys.Default().Project("test") }

func steady(perSecond int) Options {
	o := DefaultOptions()
	o.Quota, o.Headroom, o.Ramp = perSecond*60, 0, 0
	return o
}

// inBubble runs a test with a fleet in fake time, and waits for everything it started.
func inBubble(t *testing.T, o Options, test func(f *fleet)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		f := &fleet{t: t, mem: newMemory(), o: o, by: map[string]int{}, began: time.Now()}
		f.mem.latency = 300 * time.Microsecond
		test(f)
		f.work.Wait()
	})
}

// governor returns one that does not run.
func (f *fleet) governor() *Governor {
	f.t.Helper()
	g, err := newGovernor(f.mem, project(), f.o)
	if err != nil {
		f.t.Fatal(err)
	}
	return g
}

// start runs a replica without pushes.
func (f *fleet) start() *replica {
	f.t.Helper()
	ctx, cancel := context.WithCancel(f.t.Context())
	r := &replica{Governor: f.governor(), ctx: ctx, stop: cancel, done: make(chan struct{})}
	f.work.Go(func() {
		r.Run(ctx)
		close(r.done)
	})
	return r
}

// serve starts workers that push as fast as they may until the replica stops.
func (f *fleet) serve(r *replica, workers int, p Push) {
	for range workers {
		f.work.Go(func() {
			for r.Wait(context.Background(), p) == nil {
				f.record(p.Campaign)
			}
		})
	}
}

// replicas starts some that always have pushes.
func (f *fleet) replicas(n, workers int) []*replica {
	all := make([]*replica, n)
	for i := range all {
		all[i] = f.start()
		f.serve(all[i], workers, Push{Campaign: "42"})
	}
	return all
}

func (f *fleet) stop(all []*replica) {
	for _, r := range all {
		r.stop()
	}
}

func (f *fleet) record(campaign string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.sent = append(f.sent, time.Since(f.began))
	f.by[campaign]++
}

// of returns how many pushes of a campaign went so far.
func (f *fleet) of(campaign string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.by[campaign]
}

func (f *fleet) count(from, to time.Duration) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	first, _ := slices.BinarySearch(f.sent, from)
	last, _ := slices.BinarySearch(f.sent, to)
	return last - first
}

// pass advances the bubble's time.
func (f *fleet) pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

func (f *fleet) now() time.Duration { return time.Since(f.began) }

func wantBetween[T int | int64 | float64 | time.Duration](t *testing.T, what string, got, low, high T) {
	t.Helper()
	if got < low || got > high {
		t.Errorf("%s: %v, want %v to %v", what, got, low, high)
	}
}

func wantEqual[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
