// Package dispatcher drains running campaigns: it claims recipients no faster than it has room for them, finds their
// tokens, sends through FCM with a bounded pool, and writes down every outcome.
//
// Each goroutine role has a file of its own: discoverer, claimer (with prepare), pusher, acker, extender, reaper, forwarder,
// completer.
package dispatcher

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"fanfare/internal/campaign"
	"fanfare/internal/fcm"
	"fanfare/internal/profiles"
	"fanfare/internal/queue"
	"fanfare/internal/responses"
	"fanfare/internal/tokens"
)

// Sender sends one message to one target. It never fails: what went wrong is in the answer.
type Sender interface {
	Send(ctx context.Context, m *fcm.Message, e fcm.Envelope) fcm.Answer
}

// Deps are the rooms that a dispatcher stands on. Pacer and Registerer may be nil.
type Deps struct {
	Names      queue.Names
	Campaigns  *campaign.Campaigns
	Tokens     *tokens.Store
	Profiles   *profiles.Cache
	Sender     Sender
	Outbox     *responses.Outbox
	Pacer      Pacer
	Logger     *slog.Logger
	Registerer prometheus.Registerer
}

// Dispatcher serves campaigns until it is stopped, or one campaign until it is drained.
type Dispatcher struct {
	deps    Deps
	opts    Options
	log     *slog.Logger
	now     func() time.Time
	metrics *metrics

	roster     *roster
	slots      *slots
	held       *held
	deliveries chan *delivery
	acker      *acker
	forwarder  *forwarder
}

// New checks the options and makes a dispatcher that Run starts.
func New(deps Deps, opts Options) (*Dispatcher, error) {
	if err := opts.validate(); err != nil {
		return nil, fmt.Errorf("dispatcher options: %w", err)
	}
	if deps.Pacer == nil {
		deps.Pacer = unpaced{}
	}
	d := &Dispatcher{
		deps:       deps,
		opts:       opts,
		log:        deps.Logger,
		now:        time.Now,
		roster:     newRoster(),
		slots:      newSlots(opts.Concurrency),
		held:       newHeld(),
		deliveries: make(chan *delivery, opts.Concurrency),
	}
	d.acker = &acker{d: d, events: make(chan event, opts.Concurrency), groups: make(map[*served][]queue.Settlement)}
	d.forwarder = &forwarder{d: d, woken: make(chan *served, 64)}
	var err error
	if d.metrics, err = newMetrics(deps.Registerer, d); err != nil {
		return nil, fmt.Errorf("register metrics: %w", err)
	}
	return d, nil
}

// Run serves until fetch ends, or until the Job's campaign does. A stop adds no duplicate: claiming ends with fetch,
// pushes on the wire may finish until work ends, and everybody else is given back in the old order.
//
// For a Job it returns nil when the campaign is drained, else ErrLeftover, an *EndedError or campaign.ErrNotFound.
func (d *Dispatcher) Run(fetch, work context.Context) error {
	stopped := fetch
	fetch, stopFetching := context.WithCancel(fetch)
	defer stopFetching()

	var keepers errgroup.Group // they serve the pool, and so outlive it
	keep, stopKeepers := context.WithCancel(context.WithoutCancel(work))
	defer stopKeepers()
	keepers.Go(func() error { return extender{d}.run(keep) })
	keepers.Go(func() error { return d.forwarder.run(keep) })

	var ackers, pushers sync.WaitGroup
	ackers.Go(func() { d.acker.run(context.WithoutCancel(work)) })
	for range d.opts.Concurrency {
		pushers.Go(func() { d.push(fetch, work) })
	}

	fetchers, fctx := errgroup.WithContext(fetch)
	fetchers.Go(func() error { return (&discoverer{d: d, told: make(map[string]string)}).run(fctx) })
	fetchers.Go(func() error { return (&claimer{d: d}).run(fctx, work) })
	fetchers.Go(func() error { return reaper{d}.run(fctx) })
	fetchers.Go(func() error { return completer{d}.run(fctx) })
	fetchers.Go(func() error { return d.job(fctx) })
	err := fetchers.Wait()

	// Senders stop before receivers: the claimer has returned, so nobody adds deliveries; then the pool ends, so nobody
	// adds outcomes; then the acker writes the last of them and gives the rest back; the leases are extended till then.
	stopFetching()
	close(d.deliveries)
	pushers.Wait()
	close(d.acker.events)
	ackers.Wait()
	d.forwarder.forwardAll(keep)
	stopKeepers()
	return d.verdict(stopped, errors.Join(err, keepers.Wait()))
}

// persist repeats a write to Redis until it succeeds: for a while longer than the lease, after which the recipients
// are another process's.
func (d *Dispatcher) persist(ctx context.Context, verb string, camp *served, write func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, 2*d.opts.Lease)
	defer cancel()
	for wait := 50 * time.Millisecond; ; wait = min(2*wait, time.Second) {
		err := write(ctx)
		if err == nil {
			return nil
		}
		d.log.Warn(verb+": trying again", "campaign", camp.id, "error", err)
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s: %w", verb, err)
		case <-time.After(wait):
		}
	}
}
