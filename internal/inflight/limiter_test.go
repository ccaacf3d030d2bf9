package inflight

import (
	"context"
	"errors"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func limiter(t testing.TB, o Options) *Limiter {
	t.Helper()
	l, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func take(t testing.TB, l *Limiter) *Permit {
	t.Helper()
	p := new(Permit)
	if err := l.Acquire(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	return p
}

func TestOptionsAreChecked(t *testing.T) {
	for _, o := range []Options{{Min: -1}, {Max: -1}, {Min: -2, Max: -1}} {
		if _, err := New(o); err == nil {
			t.Errorf("%+v is taken", o)
		}
	}
	if l := limiter(t, Options{Max: 7}); l.limit != 7 {
		t.Errorf("a pool of 7 begins at %d", l.limit)
	}
}

// A second Done must not give back a permit that is another's by now.
func TestDoneTwice(t *testing.T) {
	l := limiter(t, Options{Min: 1, Max: 1})
	first := take(t, l)
	first.Done(Outcome{})
	take(t, l)
	first.Done(Outcome{})
	impatient, leave := context.WithCancel(t.Context())
	leave()
	if err := l.Acquire(impatient, new(Permit)); !errors.Is(err, context.Canceled) {
		t.Errorf("left: %v", err)
	}
	if l.inFlight != 1 {
		t.Errorf("%d in flight, want 1", l.inFlight)
	}
}

// What a waiter is granted while it leaves goes to the next.
func TestAPermitIsNotLostOnALeaver(t *testing.T) {
	l := limiter(t, Options{Min: 1, Max: 1})
	p := take(t, l)
	p.ready = make(chan struct{}, 1)
	place := l.waiting.PushBack(p)
	l.waiting.Remove(place)
	p.ready <- struct{}{}
	l.leave(p, place)
	if l.inFlight != 0 {
		t.Errorf("%d in flight, want none", l.inFlight)
	}
}

func TestMetrics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reg := prometheus.NewRegistry()
		l := limiter(t, Options{Min: 2, Max: 10, Registerer: reg})
		held := []*Permit{take(t, l), take(t, l)}
		waiting, leave := context.WithCancel(t.Context())
		go func() { _ = l.Acquire(waiting, new(Permit)) }()
		synctest.Wait()
		check := func(name string, want float64) {
			t.Helper()
			families, err := reg.Gather()
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range families {
				if f.GetName() != "fanfare_inflight_"+name {
					continue
				}
				m := f.GetMetric()[0]
				if got := m.GetGauge().GetValue() + m.GetCounter().GetValue(); got != want {
					t.Errorf("%s is %v, want %v", name, got, want)
				}
				return
			}
			t.Errorf("there is no %s", name)
		}
		check("limit", 2)
		check("requests", 2)
		check("waiting", 1)
		l.metrics.countMove(2, 2)
		l.metrics.countMove(2, 3)
		check("decreases_total", 0)
		leave()
		synctest.Wait()
		check("waiting", 0)
		l.limit = 10
		<-time.After(time.Second)
		for len(held) < 10 {
			held = append(held, take(t, l))
		}
		for _, p := range held {
			p.Done(Outcome{Signal: Overload})
		}
		check("decreases_total", 1)
	})
}

// A push costs below 300 ns of CPU, alone and among 2,000 who contend.
func BenchmarkPush(b *testing.B) {
	ctx := b.Context()
	push := func(l *Limiter, p *Permit) {
		if err := l.Acquire(ctx, p); err != nil {
			b.Error(err)
			return
		}
		p.Done(Outcome{Signal: Good, Latency: 50 * time.Millisecond})
	}
	b.Run("alone", func(b *testing.B) {
		b.ReportAllocs()
		var p Permit
		for l := limiter(b, Options{Min: 2000, Max: 2000}); b.Loop(); {
			push(l, &p)
		}
	})
	b.Run("among 2000", func(b *testing.B) {
		l := limiter(b, Options{Min: 2000, Max: 2000})
		b.SetParallelism(2000 / runtime.GOMAXPROCS(0))
		b.ReportAllocs()
		b.RunParallel(func(pb *testing.PB) {
			var p Permit
			for pb.Next() {
				push(l, &p)
			}
		})
	})
}
