// Package inflight limits the requests in flight and finds the limit by itself: as many as the
// service can take at once, up to a maximum. The Limiter hands out permits and counts outcomes in a
// window of one round trip. The climber then sets the limit from that window.
package inflight

import (
	"container/list"
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Signal is what an outcome says about the service.
type Signal uint8

// The zero Signal is Ignore, so an outcome without a signal changes nothing.
const (
	// Ignore says nothing about the service, such as a request that was never sent or that we
	// cancelled.
	Ignore Signal = iota
	// Good means that the service answered, whatever it said about the recipient.
	Good
	// Overload means that the service refused the request because of too many: a project-wide 429,
	// or a 503.
	Overload
)

// Outcome is the result of a request.
type Outcome struct {
	// Latency is the time from the request's start to the end of its answer. It counts only for
	// Good.
	Latency time.Duration
	Signal  Signal
}

// Limiter is safe for concurrent use.
type Limiter struct {
	fewest, most int
	metrics      *metrics

	mu       sync.Mutex // guards the fields below and the permits
	limit    int
	inFlight int
	waiting  list.List // of *Permit, first come first served
	window   window
	rule     rule
}

// rule sets the limit after each round trip.
type rule interface {
	next(limit int, s sample) int
}

// Permit allows one request in flight. Done gives it back. Its zero value can be used again and
// again, by one goroutine at a time.
type Permit struct {
	limiter *Limiter
	ready   chan struct{} // has room for one signal; made at the first wait
	isHeld  bool
}

// New returns a limiter that begins at Options.Min. It finds more within some round trips.
func New(o Options) (*Limiter, error) {
	o = o.withDefaults()
	if err := o.validate(); err != nil {
		return nil, fmt.Errorf("inflight options: %w", err)
	}
	l := &Limiter{
		fewest: o.Min, most: o.Max, limit: o.Min,
		window: window{since: time.Now()},
		rule:   &climber{min: o.Min, max: o.Max, stride: boldFactor},
	}
	var err error
	if l.metrics, err = newMetrics(o.Registerer, l); err != nil {
		return nil, fmt.Errorf("register metrics: %w", err)
	}
	return l, nil
}

// Acquire waits until p, which is not held, allows a request: first come first served. It fails
// only with the context's error.
func (l *Limiter) Acquire(ctx context.Context, p *Permit) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("wait for a permit: %w", err)
	}
	l.mu.Lock()
	p.limiter = l
	if l.inFlight < l.limit { // then no one waits
		l.grant(p)
		l.mu.Unlock()
		return nil
	}
	if p.ready == nil {
		p.ready = make(chan struct{}, 1)
	}
	place := l.waiting.PushBack(p)
	l.mu.Unlock()
	select {
	case <-p.ready:
		return nil
	case <-ctx.Done():
		l.leave(p, place)
		return fmt.Errorf("wait for a permit: %w", ctx.Err())
	}
}

// grant counts one more request in flight. The caller holds mu and has checked that there is room.
func (l *Limiter) grant(p *Permit) {
	l.inFlight++
	l.window.countGrant(l.inFlight, l.limit)
	p.isHeld = true
}

// leave takes a waiter out of the queue and gives back a permit that it has got meanwhile.
func (l *Limiter) leave(p *Permit, place *list.Element) {
	l.mu.Lock()
	l.waiting.Remove(place) // does nothing if it has left the queue
	l.mu.Unlock()
	select {
	case <-p.ready:
		p.Done(Outcome{})
	default:
	}
}

// Done gives the permit back with the outcome of its request. Only the first call counts.
func (p *Permit) Done(o Outcome) {
	l := p.limiter
	now := time.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	if !p.isHeld {
		return
	}
	p.isHeld = false
	l.inFlight--
	l.window.countAnswer(o)
	if l.window.isComplete(now, l.limit) {
		l.judge(now)
	}
	for l.waiting.Len() > 0 && l.inFlight < l.limit {
		next := l.waiting.Remove(l.waiting.Front()).(*Permit)
		l.grant(next)
		next.ready <- struct{}{}
	}
}

// InFlight counts the requests in flight.
func (l *Limiter) InFlight() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.inFlight
}

// judge ends a window and sets the limit from it. The caller holds mu.
func (l *Limiter) judge(now time.Time) {
	before := l.limit
	l.limit = l.rule.next(l.limit, l.window.sample(now, l.inFlight, l.limit))
	l.metrics.countMove(before, l.limit)
	l.window = window{since: now, peak: l.inFlight}
}

// Options are the bounds of the limit.
type Options struct {
	// Min is always allowed in flight, even when the service seems overloaded. Max caps it.
	Min int
	// Max is never exceeded. It is the size of the connection pool in requests.
	Max int
	// Registerer takes the metrics; nil: none.
	Registerer prometheus.Registerer
}

// DefaultOptions search between 50 and 500.
func DefaultOptions() Options { return Options{Min: 50, Max: 500} }

// withDefaults fills in what is missing.
func (o Options) withDefaults() Options {
	d := DefaultOptions()
	if o.Max == 0 {
		o.Max = d.Max
	}
	if o.Min == 0 {
		o.Min = d.Min
	}
	o.Min = min(o.Min, o.Max)
	return o
}

func (o Options) validate() error {
	if o.Min < 0 || o.Max < 0 {
		return fmt.Errorf("at least %d and at most %d in flight: both must be above zero", o.Min, o.Max)
	}
	return nil
}

// metrics are this package's own. A nil registerer leaves them unregistered.
type metrics struct {
	decreases prometheus.Counter
}

func newMetrics(reg prometheus.Registerer, l *Limiter) (*metrics, error) {
	const namespace, subsystem = "fanfare", "inflight"
	gauge := func(name, help string, read func() int) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Namespace: namespace, Subsystem: subsystem, Name: name, Help: help}, func() float64 {
			l.mu.Lock()
			defer l.mu.Unlock()
			return float64(read())
		})
	}
	m := &metrics{decreases: prometheus.NewCounter(prometheus.CounterOpts{
		Namespace: namespace, Subsystem: subsystem, Name: "decreases_total", Help: "Times that the limit was lowered.",
	})}
	if reg == nil {
		return m, nil
	}
	for _, c := range []prometheus.Collector{
		m.decreases,
		gauge("limit", "Requests that may be in flight now.", func() int { return l.limit }),
		gauge("requests", "Requests in flight.", func() int { return l.inFlight }),
		gauge("waiting", "Pushes that may go and wait for room on the wire.", l.waiting.Len),
	} {
		if err := reg.Register(c); err != nil {
			return nil, err
		}
	}
	return m, nil
}

func (m *metrics) countMove(before, after int) {
	if after < before {
		m.decreases.Inc()
	}
}
