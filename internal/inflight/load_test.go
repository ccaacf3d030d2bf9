package inflight

import (
	"context"
	"math"
	"sync"
	"time"
)

// bound is a limiter under test: ours or another.
type bound interface {
	acquire(context.Context) (done func(Outcome), err error)
	limit() int
}

// ours is the Limiter as a bound.
type ours struct{ *Limiter }

func (o ours) acquire(ctx context.Context) (func(Outcome), error) {
	p := new(Permit)
	if err := o.Acquire(ctx, p); err != nil {
		return nil, err
	}
	return p.Done, nil
}

func (o ours) limit() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.Limiter.limit
}

// load is a pool whose pushes come evenly, as the governor lets them: what the pool does not take
// in time is lost.
type load struct {
	bound   bound
	service *service
	pool    int
	turns   chan struct{}

	mu    sync.Mutex
	rate  float64 // a second
	start time.Time
	ticks []tick
}

// tick is a tenth of a second.
type tick struct {
	good, refused int
	queued        time.Duration // of the good ones, summed: the time in the service's queue
	limit         int
}

const tickTime = 100 * time.Millisecond

// run drives the pool until the script returns. It must be called in a bubble.
func (l *load) run(ctx context.Context, script func(*load)) {
	ctx, stop := context.WithCancel(ctx)
	var work sync.WaitGroup
	l.start, l.turns = time.Now(), make(chan struct{}, max(1, int(l.rate/100)))
	for range l.pool {
		work.Go(func() {
			for range l.turns {
				l.push(ctx)
			}
		})
	}
	work.Go(func() { l.deal(ctx) })
	work.Go(func() {
		for ctx.Err() == nil {
			l.mu.Lock()
			l.now().limit = l.bound.limit()
			l.mu.Unlock()
			<-time.After(tickTime)
		}
	})
	script(l)
	stop()
	work.Wait()
}

// deal hands out turns evenly. A turn that no one takes within ten milliseconds is lost.
func (l *load) deal(ctx context.Context) {
	for next := time.Now(); ctx.Err() == nil; <-time.After(time.Until(next)) {
		l.mu.Lock()
		next = next.Add(time.Duration(float64(time.Second) / l.rate))
		l.mu.Unlock()
		select {
		case l.turns <- struct{}{}:
		default:
		}
	}
	close(l.turns)
}

func (l *load) setRate(rate float64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.rate = rate
}

func (l *load) push(ctx context.Context) {
	done, err := l.bound.acquire(ctx)
	if err != nil {
		return
	}
	outcome, bare := l.service.answer()
	done(outcome)
	l.mu.Lock()
	defer l.mu.Unlock()
	t := l.now()
	if outcome.Signal != Good {
		t.refused++
		return
	}
	t.good++
	t.queued += outcome.Latency - bare
}

// now is the tick under way. Caller holds mu.
func (l *load) now() *tick {
	for n := int(time.Since(l.start) / tickTime); len(l.ticks) <= n; {
		t := tick{}
		if len(l.ticks) > 0 {
			t.limit = l.ticks[len(l.ticks)-1].limit
		}
		l.ticks = append(l.ticks, t)
	}
	return &l.ticks[len(l.ticks)-1]
}

// span is a part of a run.
type span []tick

func (l *load) between(from, to time.Duration) span {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.ticks[from/tickTime : min(to/tickTime, time.Duration(len(l.ticks)))]
}

// rate is in good answers a second.
func (s span) rate() float64 {
	good := 0
	for _, t := range s {
		good += t.good
	}
	return float64(good) / (time.Duration(len(s)) * tickTime).Seconds()
}

// lost is for how long the pace was lost, had all of it been lost.
func (s span) lost(pace float64) time.Duration {
	return time.Duration(float64(len(s)) * float64(tickTime) * max(0, 1-s.rate()/pace))
}

// refused is a share of all answers.
func (s span) refused() float64 {
	var good, refused int
	for _, t := range s {
		good, refused = good+t.good, refused+t.refused
	}
	return float64(refused) / float64(max(1, good+refused))
}

// queued is the mean time in the service's queue.
func (s span) queued() time.Duration {
	var sum time.Duration
	good := 0
	for _, t := range s {
		sum, good = sum+t.queued, good+t.good
	}
	return sum / time.Duration(max(1, good))
}

// limit tells the mean of the limit, its standard deviation as a share of that, and its most.
func (s span) limit() (mean, deviation float64, most int) {
	for _, t := range s {
		mean += float64(t.limit) / float64(len(s))
		most = max(most, t.limit)
	}
	for _, t := range s {
		deviation += (float64(t.limit) - mean) * (float64(t.limit) - mean) / float64(len(s))
	}
	return mean, math.Sqrt(deviation) / mean, most
}

// until is how long it took before half a second of it was good, in the judgement of a function;
// the whole span if never.
func (s span) until(good func(span) bool) time.Duration {
	const half = 5
	for i := 0; i+half <= len(s); i++ {
		if good(s[i : i+half]) {
			return time.Duration(i) * tickTime
		}
	}
	return time.Duration(len(s)) * tickTime
}
