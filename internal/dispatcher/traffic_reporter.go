package dispatcher

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"fanfare/internal/fcm"
	"fanfare/internal/periodic"
	"fanfare/internal/traffic"
)

// trafficInterval is how often counts go to Redis: one script for each campaign that pushes, which
// is nothing beside its claims and settlements.
const trafficInterval = 2 * time.Second

// trafficStore adds counts to the records of campaigns; *traffic.Store implements it.
type trafficStore interface {
	Add(ctx context.Context, batches []traffic.Batch) []error
}

// trafficReporter counts answers and their latency in memory, and adds them to the campaigns'
// records.
type trafficReporter struct {
	store   trafficStore // nil: nothing is recorded
	process string       // unique
	timeout time.Duration
	log     *slog.Logger

	mu      sync.Mutex
	pending map[*activeCampaign]*traffic.Batch

	reporting sync.Mutex // one batch of a process follows the other
	number    int64
}

// count counts the answer to one request. BenchmarkTrafficCount measures what it costs a push.
func (r *trafficReporter) count(camp *activeCampaign, a fcm.Answer, took time.Duration) {
	if r.store == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	b := r.pending[camp]
	if b == nil {
		b = &traffic.Batch{Process: r.process}
		r.pending[camp] = b
	}
	b.Counts.Answers++
	switch a.Class {
	case fcm.Sent:
		b.Counts.Latency.Observe(took)
	case fcm.Quota:
		b.Counts.Limited++
	case fcm.Unavailable, fcm.Ambiguous:
		b.Counts.Unavailable++
	}
}

// run reports until keep ends.
func (r *trafficReporter) run(keep context.Context) { periodic.Run(keep, trafficInterval, r.report) }

// report adds what was counted. What Redis does not confirm is given up: go-redis has repeated it,
// and a chart is no book.
func (r *trafficReporter) report(ctx context.Context) {
	r.reporting.Lock()
	defer r.reporting.Unlock()
	var camps []*activeCampaign
	var batches []traffic.Batch
	r.mu.Lock()
	for camp, b := range r.pending {
		r.number++
		b.List, b.Number = camp.queue.List(), r.number
		camps, batches = append(camps, camp), append(batches, *b)
	}
	clear(r.pending)
	r.mu.Unlock()
	if len(batches) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, r.timeout)
	defer cancel()
	for i, err := range r.store.Add(ctx, batches) {
		if err != nil {
			r.log.Warn("traffic not recorded; charts lack some seconds", "campaign", camps[i].id, "error", err)
		}
	}
}
