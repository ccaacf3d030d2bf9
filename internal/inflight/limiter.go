// Package inflight bounds the requests on the wire, and finds the bound by itself: as many as the service takes at once, and no
// more than an upper limit.
//
// limiter.go hands out permits and tallies what became of them (tally.go); after each round trip climber.go judges the tally.
package inflight

import (
	"container/list"
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Signal is what an outcome says of the service.
type Signal uint8

// The zero Signal is Ignore: what nobody judged changes nothing.
const (
	// Ignore: it says nothing of the service, such as a request that was never sent, or was cut off by us.
	Ignore Signal = iota
	// Good: the service answered, whatever it said of the recipient.
	Good
	// Overload: the service turned the request away because there are too many: 429 for the whole project, 503.
	Overload
)

// Outcome is what became of a request.
type Outcome struct {
	// Latency is from the request's start to its answer's end. It counts only for Good.
	Latency time.Duration
	Signal  Signal
}

// Limiter is safe for concurrent use.
type Limiter struct {
	fewest, most int
	metrics      *metrics

	mu       sync.Mutex // guards what follows, and the permits
	limit    int
	inFlight int
	waiting  list.List // of chan *Permit, in the order of their coming; each has room for its permit
	tally    window
	rule     rule
}

// rule sets the limit after each round trip.
type rule interface {
	next(limit int, s sample) int
}

// Permit is the right to have one request on the wire. Done gives it back.
type Permit struct {
	limiter *Limiter
	done    bool
}

// New makes a limiter that begins at Options.Min: what is more is found within some round trips.
func New(o Options) (*Limiter, error) {
	o = o.withDefaults()
	if err := o.validate(); err != nil {
		return nil, fmt.Errorf("inflight options: %w", err)
	}
	l := &Limiter{
		fewest: o.Min, most: o.Max, limit: o.Min,
		tally: window{since: time.Now()},
		rule:  &climber{min: o.Min, max: o.Max, stride: bold},
	}
	var err error
	if l.metrics, err = newMetrics(o.Registerer, l); err != nil {
		return nil, fmt.Errorf("register metrics: %w", err)
	}
	return l, nil
}

// Acquire waits for its turn, first come first served. It fails only with the context's error.
func (l *Limiter) Acquire(ctx context.Context) (*Permit, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("wait for a permit: %w", err)
	}
	l.mu.Lock()
	if l.inFlight < l.limit { // then nobody waits
		p := l.grant()
		l.mu.Unlock()
		return p, nil
	}
	turn := make(chan *Permit, 1)
	place := l.waiting.PushBack(turn)
	l.mu.Unlock()
	select {
	case p := <-turn:
		return p, nil
	case <-ctx.Done():
		l.leave(turn, place)
		return nil, fmt.Errorf("wait for a permit: %w", ctx.Err())
	}
}

// grant counts one more in flight. Caller holds mu, and has seen that there is room.
func (l *Limiter) grant() *Permit {
	l.inFlight++
	l.tally.granted(l.inFlight, l.limit)
	return &Permit{limiter: l}
}

// leave takes a waiter out of the queue. What it was granted meanwhile goes back.
func (l *Limiter) leave(turn chan *Permit, place *list.Element) {
	l.mu.Lock()
	l.waiting.Remove(place) // does nothing to one who was served
	l.mu.Unlock()
	select {
	case p := <-turn:
		p.Done(Outcome{})
	default:
	}
}

// Done gives the permit back and tells what became of its request. Only the first call counts.
func (p *Permit) Done(o Outcome) {
	l := p.limiter
	now := time.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	if p.done {
		return
	}
	p.done = true
	l.inFlight--
	l.tally.answered(o)
	if l.tally.complete(now, l.limit) {
		l.judge(now)
	}
	for l.waiting.Len() > 0 && l.inFlight < l.limit {
		turn := l.waiting.Remove(l.waiting.Front()).(chan *Permit)
		turn <- l.grant()
	}
}

// judge ends a tally and sets the limit by it. Caller holds mu.
func (l *Limiter) judge(now time.Time) {
	before := l.limit
	l.limit = l.rule.next(l.limit, l.tally.sample(now, l.inFlight, l.limit))
	l.metrics.moved(before, l.limit)
	l.tally = window{since: now, peak: l.inFlight}
}

// Options are the bounds between which the limit is looked for.
type Options struct {
	// Min is what is always allowed in flight, however overloaded the service seems. Capped at Max.
	Min int
	// Max is what is never exceeded, in requests in flight; the pool's size.
	Max int
	// Registerer takes the metrics; nil: none.
	Registerer prometheus.Registerer
}

// DefaultOptions look between 50 and 500.
func DefaultOptions() Options { return Options{Min: 50, Max: 500} }

// withDefaults fills what is not said.
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

// metrics are this room's own; a nil registerer leaves them unregistered.
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

func (m *metrics) moved(before, after int) {
	if after < before {
		m.decreases.Inc()
	}
}
