// Package dispatcher drains running campaigns. It claims recipients while it has free slots, finds
// their tokens, sends through FCM with a bounded pool, and writes every outcome.
//
// Each goroutine role has a file of its own: discoverer, claimer (with prepare), pusher, acker,
// extender, reaper, forwarder, completer, breaker_reporter and credentials_prober.
package dispatcher

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"
	"golang.org/x/time/rate"

	"fanfare/internal/breaker"
	"fanfare/internal/campaign"
	"fanfare/internal/fcm"
	"fanfare/internal/inflight"
	"fanfare/internal/keys"
	"fanfare/internal/profiles"
	"fanfare/internal/responses"
	"fanfare/internal/tokens"
)

// Sender sends one message to one target. It returns no error: a failure is part of the answer.
type Sender interface {
	Send(ctx context.Context, m *fcm.Message, e fcm.Envelope) fcm.Answer
	// Validate asks for the same answer. Nothing is delivered.
	Validate(ctx context.Context, m *fcm.Message, e fcm.Envelope) fcm.Answer
}

// Deps are the rooms that a dispatcher uses. Pacer, Wire, Breakers, Deletions, Halter and
// Registerer may be nil. Without a Pacer, no push waits for the quota. Without Wire, only the pool
// limits the requests in flight. Without Breakers and Deletions, nothing trips. Without a Halter, a
// trip that concerns the project pauses the campaign.
type Deps struct {
	Names      keys.Names
	Campaigns  *campaign.Campaigns
	Tokens     *tokens.Store
	Profiles   *profiles.Cache
	Sender     Sender
	Outbox     *responses.Outbox
	Pacer      Pacer
	Wire       *inflight.Limiter
	Breakers   *breaker.Breakers
	Deletions  *breaker.Deletions
	Halter     Halter
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
	held    atomic.Int64   // recipients from claim to outcome, of closed campaigns too
	quietly rate.Sometimes // limits warnings that each claim would repeat while a store is down

	roster     *roster
	slots      *slots
	leases     *leaseSet
	deliveries chan *delivery
	acker      *acker
	reporter   *breakerReporter
	prober     *credentialsProber
	forwarder  *forwarder
}

// New checks the options and makes a dispatcher. Run starts it.
func New(deps Deps, opts Options) (*Dispatcher, error) {
	if err := opts.validate(); err != nil {
		return nil, fmt.Errorf("dispatcher options: %w", err)
	}
	if deps.Pacer == nil {
		deps.Pacer = unpaced{}
	}
	if deps.Wire == nil {
		wire, err := inflight.New(inflight.Options{Min: opts.Concurrency, Max: opts.Concurrency})
		if err != nil {
			return nil, fmt.Errorf("dispatcher options: %w", err)
		}
		deps.Wire = wire
	}
	d := &Dispatcher{
		deps:       deps,
		opts:       opts,
		quietly:    rate.Sometimes{First: 1, Interval: 10 * time.Second},
		log:        deps.Logger,
		now:        time.Now,
		roster:     newRoster(),
		slots:      newSlots(opts.Concurrency + opts.ahead()),
		leases:     newLeaseSet(),
		deliveries: make(chan *delivery, opts.Concurrency+opts.ahead()),
	}
	d.acker = newAcker(d)
	d.forwarder = newForwarder(d)
	d.reporter = newBreakerReporter(d)
	var err error
	if d.prober, err = newCredentialsProber(d); err != nil {
		return nil, fmt.Errorf("make probe: %w", err)
	}
	if d.metrics, err = newMetrics(deps.Registerer, d); err != nil {
		return nil, fmt.Errorf("register metrics: %w", err)
	}
	return d, nil
}

// Run serves until fetch ends, or until the Job's campaign is drained. A graceful stop adds no
// duplicate: claiming ends with fetch, and pushes on the wire may finish until work ends. All other
// recipients are given back in their old order. Outcomes are written for one lease longer, so that
// no other process repeats a push.
//
// For a Job it returns nil when the campaign is drained, else ErrLeftover, an *EndedError or
// campaign.ErrNotFound. A campaign that cannot be served is a *campaign.SpecError, a
// *campaign.ProjectError, notification.Faults, a *keys.IDError or a *redisx.TypeError. An error
// that redisx.IsDenied recognizes says that Redis refuses our user.
func (d *Dispatcher) Run(fetch, work context.Context) error {
	keep, stopKeeping := withGrace(work, d.opts.Lease)
	defer stopKeeping()
	fetchers, fetching := errgroup.WithContext(fetch) // ends with the Job's campaign, too

	var keepers, ackers, pushers sync.WaitGroup
	keepers.Go(func() { extender{d}.run(keep) })
	keepers.Go(func() { d.forwarder.run(keep) })
	keepers.Go(func() { d.reporter.run(keep) })
	ackers.Go(func() { d.acker.run(fetching, keep) })
	for range d.opts.Concurrency {
		pushers.Go(func() { d.push(fetching, work) })
	}

	fetchers.Go(func() error { return newClaimer(d).run(fetching) })
	fetchers.Go(func() error { reaper{d}.run(fetching); return nil })
	fetchers.Go(func() error { completer{d}.run(fetching); return nil })
	fetchers.Go(func() error { d.prober.run(fetching); return nil })
	fetchers.Go(func() error { return d.discover(fetching) })
	err := fetchers.Wait()

	// Senders stop before receivers. The claimer has returned, so no delivery is added. Then the
	// pool ends, so no outcome is added. Then the acker writes the last outcomes and gives the rest
	// back. Leases are extended until then.
	close(d.deliveries)
	pushers.Wait()
	close(d.acker.events)
	ackers.Wait()
	d.forwarder.forwardAll(keep, d.opts.Lease)
	d.reporter.report(keep, d.opts.Lease)
	stopKeeping()
	keepers.Wait()
	return d.runResult(fetch, err)
}

// discover looks for running campaigns, or follows a Job's one campaign.
func (d *Dispatcher) discover(fetch context.Context) error {
	finder := &discoverer{d: d, logged: make(map[string]string)}
	if d.opts.Campaign != "" {
		return job{d, finder}.run(fetch)
	}
	finder.run(fetch)
	return nil
}
