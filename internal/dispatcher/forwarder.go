package dispatcher

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"fanfare/internal/keys"
	"fanfare/internal/redisx"

	"golang.org/x/time/rate"
)

// forwardRest is between two passes: results that gather meanwhile go together, which saves Redis round trips.
const forwardPause = 50 * time.Millisecond

// forwarder carries results from the campaigns' outboxes to notification:responses.
type forwarder struct {
	d     *Dispatcher
	woken chan struct{}

	mu   sync.Mutex
	owed map[string]keys.List // outboxes that hold something of ours, also of campaigns that are served no more
	busy map[string]bool      // outboxes under way: two passes over one would each see what the other has not trimmed yet
	free *sync.Cond           // one of these is free again

	blocked rate.Sometimes // for what only a person mends, and each pass meets
}

func newForwarder(d *Dispatcher) *forwarder {
	f := &forwarder{
		d: d, woken: make(chan struct{}, 1), owed: make(map[string]keys.List), busy: make(map[string]bool),
		blocked: rate.Sometimes{First: 1, Interval: time.Minute},
	}
	f.free = sync.NewCond(&f.mu)
	return f
}

// wake asks for a campaign's outbox to be forwarded soon.
func (f *forwarder) wake(campaign keys.List) {
	f.owe(campaign)
	signal(f.woken)
}

func (f *forwarder) owe(campaign keys.List) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.owed[campaign.Plain()] = campaign
}

func (f *forwarder) run(keep context.Context) {
	tick := time.NewTicker(f.d.opts.Discover)
	defer tick.Stop()
	for {
		select {
		case <-keep.Done():
			return
		case <-f.woken:
			f.forwardOwed(keep, f.d.opts.redisTimeout())
			select {
			case <-keep.Done():
			case <-time.After(forwardPause):
			}
		case <-tick.C:
			f.forwardAll(keep, f.d.opts.redisTimeout())
		}
	}
}

// forwardAll also finds the outboxes that a process which died has left behind.
func (f *forwarder) forwardAll(keep context.Context, bound time.Duration) {
	for _, camp := range f.d.roster.all() {
		f.owe(camp.queue.List())
	}
	f.forwardOwed(keep, bound)
}

// forwardOwed is one tick. What could not be forwarded is owed until the next.
func (f *forwarder) forwardOwed(keep context.Context, bound time.Duration) {
	f.mu.Lock()
	owed := slices.Collect(maps.Values(f.owed))
	clear(f.owed)
	f.mu.Unlock()
	forEach(keep, bound, owed, f.forward)
}

// forward carries one campaign's results. It waits for a pass over the same outbox to end: what that one has taken is not left
// behind by a stop.
func (f *forwarder) forward(ctx context.Context, campaign keys.List) {
	f.take(campaign)
	defer f.leave(campaign)
	n, err := f.d.deps.Outbox.Forward(ctx, campaign)
	f.d.metrics.forwarded.Add(float64(n))
	if err == nil {
		return
	}
	f.owe(campaign)
	if _, mistyped := errors.AsType[*redisx.TypeError](err); mistyped {
		f.blocked.Do(func() {
			f.d.log.Error("forward results: they wait in the outbox, and no campaign completes, until that key is mended", "list", campaign.Plain(), "error", err)
		})
	} else if !isStopping(ctx) {
		f.d.log.Warn("forward results: they stay in the outbox until the next pass", "list", campaign.Plain(), "error", err)
	}
}

func (f *forwarder) take(campaign keys.List) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for f.busy[campaign.Plain()] {
		f.free.Wait()
	}
	f.busy[campaign.Plain()] = true
}

func (f *forwarder) leave(campaign keys.List) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.busy, campaign.Plain())
	f.free.Broadcast()
}
