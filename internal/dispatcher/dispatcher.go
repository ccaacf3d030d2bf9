// Package dispatcher drains running campaigns. It claims recipients while it has free slots, finds
// their tokens, sends through FCM with a bounded pool, and writes every outcome.
//
// Follow a recipient through these files: claimer, lease, preparer, delivery, pusher, answer,
// decision, token_replacer, finisher, acker. The other goroutine roles have a file each: discoverer
// or job, forwarder, completer, breaker_reporter and credentials_prober. Leases are extended and
// reaped by the leasekeeper. Each role is a struct of what it needs; roles.go puts them together.
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

	"fanfare/internal/breaker"
	"fanfare/internal/campaign"
	"fanfare/internal/caps"
	"fanfare/internal/fcm"
	"fanfare/internal/fleet"
	"fanfare/internal/inflight"
	"fanfare/internal/keys"
	"fanfare/internal/leasekeeper"
	"fanfare/internal/notification"
	"fanfare/internal/profiles"
	"fanfare/internal/responses"
	"fanfare/internal/suppression"
	"fanfare/internal/tokens"
	"fanfare/internal/tracing"
)

// Sender sends one message to one target. It returns no error: a failure is part of the answer.
type Sender interface {
	// Send makes one request with a body that names the target. It does not keep the body.
	Send(ctx context.Context, body []byte, target notification.Target) fcm.Answer
	// Validate asks for the same answer. Nothing is delivered.
	Validate(ctx context.Context, body []byte, target notification.Target) fcm.Answer
}

// Deps are the rooms that a dispatcher uses. Pacer, Wire, Breakers, Deletions, Halter, Traffic and
// Registerer may be nil. Without a Pacer, no push waits for the quota. Without Wire, only the pool
// limits the requests in flight. Without Breakers and Deletions, nothing trips. Without a Halter, a
// trip that concerns the project pauses the campaign. Without Traffic, there are no charts.
type Deps struct {
	Names      keys.Names
	Campaigns  *campaign.Campaigns
	Tokens     *tokens.Store
	Profiles   *profiles.Cache
	Suppressed *suppression.Set
	Caps       *caps.Limiter // nil: no user is capped
	Sender     Sender
	Outbox     *responses.Outbox
	Pacer      Pacer
	Wire       *inflight.Limiter
	Breakers   *breaker.Breakers
	Deletions  *breaker.Deletions
	Halter     Halter
	Tracer     *tracing.Tracer // nil: no traces
	Traffic    trafficStore
	Logger     *slog.Logger
	Registerer prometheus.Registerer

	now func() time.Time // for tests; nil: time.Now
}

// Dispatcher serves campaigns until it is stopped, or one campaign until it is drained.
type Dispatcher struct {
	opts    Options
	metrics *metrics
	roster  *roster
	slots   *slots
	leases  *leasekeeper.Set[*lease]

	wire       *inflight.Limiter
	deliveries chan *delivery // from the claims to the pool
	outcomes   chan outcome   // from the pool to the acker; short: a crash repeats the pushes whose outcomes wait here

	discoverer *discoverer
	job        *job
	claimer    *claimer
	preparer   *preparer
	pusher     *pusher
	acker      *acker
	extender   *leasekeeper.Extender
	reaper     *leasekeeper.Reaper
	forwarder  *forwarder
	completer  *completer
	ends       *endLogger
	reporter   *breakerReporter
	traffic    *trafficReporter
	prober     *credentialsProber
	meter      *answerMeter
	progress   *progressLogger
}

// AwaitAcceptance has the dispatcher claim nothing until FCM accepts its credentials in a probe. It
// is for credentials that FCM refused before Run.
func (d *Dispatcher) AwaitAcceptance() { d.prober.noteRefusal() }

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
	if deps.now == nil {
		deps.now = time.Now
	}
	d := &Dispatcher{
		opts:       opts,
		wire:       deps.Wire,
		roster:     newRoster(),
		slots:      newSlots(opts.Concurrency + opts.ahead()),
		leases:     leasekeeper.NewSet[*lease](),
		deliveries: make(chan *delivery, opts.Concurrency+opts.ahead()),
		outcomes:   make(chan outcome, opts.AckBatch),
	}
	var err error
	if d.metrics, err = newMetrics(deps.Registerer, d.roster); err != nil {
		return nil, fmt.Errorf("register metrics: %w", err)
	}
	d.addRoles(deps)
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
	keep, stopKeeping := leasekeeper.WithGrace(work, d.opts.Lease)
	defer stopKeeping()
	fetchers, fetching := errgroup.WithContext(fetch) // ends with the Job's campaign, too

	var keepers, ackers, pushers sync.WaitGroup
	keepers.Go(func() { d.extender.Run(keep) })
	keepers.Go(func() { d.forwarder.run(keep) })
	keepers.Go(func() { d.reporter.run(keep) })
	keepers.Go(func() { d.meter.run(keep) })
	keepers.Go(func() { d.traffic.run(keep) })
	ackers.Go(func() { d.acker.run(fetching, keep) })
	for range d.opts.Concurrency {
		pushers.Go(func() { d.pusher.run(fetching, work) })
	}

	fetchers.Go(func() error { return d.claimer.run(fetching) })
	fetchers.Go(func() error { d.reaper.Run(fetching); return nil })
	fetchers.Go(func() error { d.completer.run(fetching); return nil })
	fetchers.Go(func() error { d.prober.run(fetching); return nil })
	fetchers.Go(func() error { return d.discover(fetching) })
	if d.isJob() {
		fetchers.Go(func() error { d.progress.run(fetching); return nil })
	}
	err := fetchers.Wait()

	// Senders stop before receivers. The claimer has returned, so no delivery is added. Then the
	// pool ends, so no outcome is added. Then the acker writes the last outcomes and gives the rest
	// back. Leases are extended until then.
	close(d.deliveries)
	pushers.Wait()
	close(d.outcomes)
	ackers.Wait()
	d.forwarder.forwardAll(keep, d.opts.Lease)
	d.reporter.report(keep, d.opts.Lease)
	d.traffic.report(keep)
	d.ends.logEndOfJob(keep, d.opts.Campaign, err)
	stopKeeping()
	keepers.Wait()
	return d.resultOf(fetch, err)
}

// Load returns what this process works on, for its heartbeat.
func (d *Dispatcher) Load() fleet.Load {
	load := fleet.Load{Held: d.metrics.held.Load(), OnWire: int64(d.wire.InFlight()), Done: d.metrics.done.Load()}
	var since time.Time
	if load.Leases, since = d.leases.Oldest(); load.Leases > 0 {
		load.OldestLease = time.Since(since)
	}
	return load
}

// discover looks for running campaigns, or follows a Job's one campaign.
func (d *Dispatcher) discover(fetch context.Context) error {
	if d.isJob() {
		return d.job.run(fetch)
	}
	d.discoverer.run(fetch)
	return nil
}

func (d *Dispatcher) isJob() bool { return d.opts.Campaign != "" }

// resultOf turns the error of the roles into the result of Run.
func (d *Dispatcher) resultOf(stopped context.Context, err error) error {
	switch {
	case errors.Is(err, errDrained):
		return nil
	case err != nil:
		return err
	case d.isJob() && stopped.Err() != nil:
		return ErrLeftover
	}
	return nil
}
