package dispatcher

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"fanfare/internal/keys"
	"fanfare/internal/periodic"
	"fanfare/internal/redisx"
	"fanfare/internal/responses"
)

// forwardPause is the pause between two passes. Results that arrive meanwhile go together, which
// saves round trips.
const forwardPause = 50 * time.Millisecond

// forwarder moves results from the campaigns' outboxes to notification:responses.
type forwarder struct {
	outbox   *responses.Outbox
	roster   *roster
	interval time.Duration // of looks at all outboxes
	timeout  time.Duration // limits one tick
	metrics  *metrics
	log      *slog.Logger

	woken chan struct{}

	mu   sync.Mutex
	owed map[string]keys.List // outboxes with results of this process, also of closed campaigns
	busy map[string]bool      // outboxes being forwarded: two passes over one would copy results twice
	free *sync.Cond           // signals that one of these is free
}

func newForwarder(outbox *responses.Outbox, campaigns *roster, opts Options, m *metrics, log *slog.Logger) *forwarder {
	f := &forwarder{
		outbox: outbox, roster: campaigns, interval: opts.Discover, timeout: opts.redisTimeout(), metrics: m, log: log,
		woken: make(chan struct{}, 1), owed: make(map[string]keys.List), busy: make(map[string]bool),
	}
	f.free = sync.NewCond(&f.mu)
	return f
}

// wake schedules a campaign's outbox.
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
	tick := time.NewTicker(f.interval)
	defer tick.Stop()
	for {
		select {
		case <-keep.Done():
			return
		case <-f.woken:
			f.forwardOwed(keep, f.timeout)
			select {
			case <-keep.Done():
			case <-time.After(forwardPause):
			}
		case <-tick.C:
			f.forwardAll(keep, f.timeout)
		}
	}
}

// forwardAll also forwards outboxes that a dead process left behind.
func (f *forwarder) forwardAll(keep context.Context, bound time.Duration) {
	for _, camp := range f.roster.all() {
		f.owe(camp.queue.List())
	}
	f.forwardOwed(keep, bound)
}

// forwardOwed is one tick. Results that could not be forwarded are left for the next one.
func (f *forwarder) forwardOwed(keep context.Context, bound time.Duration) {
	f.mu.Lock()
	owed := slices.Collect(maps.Values(f.owed))
	clear(f.owed)
	f.mu.Unlock()
	periodic.ForEach(keep, bound, owed, f.forward)
}

// forward forwards one campaign's results. It waits for an earlier pass over the same outbox, so
// that a stop leaves nothing behind.
func (f *forwarder) forward(ctx context.Context, campaign keys.List) {
	f.take(campaign)
	defer f.leave(campaign)
	n, err := f.outbox.Forward(ctx, campaign)
	f.metrics.forwarded.Add(float64(n))
	if err == nil {
		return
	}
	f.owe(campaign)
	if _, mistyped := errors.AsType[*redisx.TypeError](err); mistyped {
		f.log.Error("results not forwarded: a key has the wrong type; no campaign completes until it is fixed", "list", campaign.Plain(), "error", err)
	} else if !isStopping(ctx) {
		f.log.Warn("results not forwarded; they stay in the outbox", "list", campaign.Plain(), "error", err)
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
