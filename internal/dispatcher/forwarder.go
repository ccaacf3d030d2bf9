package dispatcher

import (
	"context"
	"sync"
	"time"

	"fanfare/internal/queue"
)

// forwardRest is between two passes: results that gather meanwhile go together, which saves Redis round trips.
const forwardRest = 50 * time.Millisecond

// forwarder carries results from the campaigns' outboxes to notification:responses.
type forwarder struct {
	d     *Dispatcher
	woken chan struct{}

	mu   sync.Mutex
	owed map[string]queue.List // outboxes that hold something of ours, also of campaigns that are served no more

	pass sync.Mutex // two passes of one process over an outbox would each see what the other has not trimmed yet
}

func newForwarder(d *Dispatcher) *forwarder {
	return &forwarder{d: d, woken: make(chan struct{}, 1), owed: make(map[string]queue.List)}
}

// wake asks for a campaign's outbox to be forwarded soon.
func (f *forwarder) wake(campaign queue.List) {
	f.owe(campaign)
	select {
	case f.woken <- struct{}{}:
	default:
	}
}

func (f *forwarder) owe(campaign queue.List) {
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
			f.forwardOwed(keep)
			select {
			case <-keep.Done():
			case <-time.After(forwardRest):
			}
		case <-tick.C:
			f.forwardAll(keep)
		}
	}
}

// forwardAll also finds the outboxes that a process which died has left behind.
func (f *forwarder) forwardAll(keep context.Context) {
	for _, camp := range f.d.roster.all() {
		f.owe(camp.queue.List())
	}
	f.forwardOwed(keep)
}

// forwardOwed is one tick. What could not be forwarded is owed until the next. The last tick waits for the one before it
// to end: what that one has taken is not left behind.
func (f *forwarder) forwardOwed(keep context.Context) {
	f.pass.Lock()
	defer f.pass.Unlock()
	f.mu.Lock()
	owed := f.owed
	f.owed = make(map[string]queue.List)
	f.mu.Unlock()
	for _, campaign := range owed {
		if !f.carry(keep, campaign) {
			f.owe(campaign)
		}
	}
}

// forward carries one campaign's results now.
func (f *forwarder) forward(ctx context.Context, campaign queue.List) {
	f.pass.Lock()
	defer f.pass.Unlock()
	f.carry(ctx, campaign)
}

func (f *forwarder) carry(ctx context.Context, campaign queue.List) bool {
	n, err := f.d.deps.Outbox.Forward(ctx, campaign)
	f.d.metrics.forwarded.Add(float64(n))
	if err != nil && ctx.Err() == nil {
		f.d.log.Warn("forward results: they stay in the outbox until the next pass", "list", campaign.Plain(), "error", err)
	}
	return err == nil
}
