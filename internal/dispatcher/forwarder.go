package dispatcher

import (
	"context"
	"sync"
	"time"

	"fanfare/internal/queue"
)

// forwarder carries results from the campaigns' outboxes to notification:responses.
type forwarder struct {
	d     *Dispatcher
	woken chan *served
	mu    sync.Mutex // two passes of one process over an outbox would each see what the other has not trimmed yet
}

// wake asks for a campaign's outbox to be forwarded soon. A lost wake is made up for by the tick.
func (f *forwarder) wake(camp *served) {
	select {
	case f.woken <- camp:
	default:
	}
}

func (f *forwarder) run(work context.Context) error {
	tick := time.NewTicker(f.d.opts.Discover)
	defer tick.Stop()
	for {
		select {
		case <-work.Done():
			return nil
		case camp := <-f.woken:
			f.forward(work, camp.list)
		case <-tick.C:
			f.forwardAll(work)
		}
	}
}

// forwardAll also finds the outboxes that a process which died has left behind.
func (f *forwarder) forwardAll(work context.Context) {
	for _, camp := range f.d.roster.all() {
		f.forward(work, camp.list)
	}
}

func (f *forwarder) forward(work context.Context, campaign queue.List) {
	f.mu.Lock()
	defer f.mu.Unlock()
	n, err := f.d.deps.Outbox.Forward(work, campaign)
	if err != nil {
		if work.Err() == nil {
			f.d.log.Warn("forward results: they stay in the outbox until the next pass", "list", campaign.Plain(), "error", err)
		}
		return
	}
	f.d.metrics.forwarded.Add(float64(n))
}
