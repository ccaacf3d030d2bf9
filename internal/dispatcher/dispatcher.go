// Package dispatcher drains running campaigns: it claims recipients no faster than it has room for them, finds their
// tokens, sends through FCM with a bounded pool, and writes down every outcome.
//
// Each goroutine role has a file of its own: discoverer, claimer (with prepare), pusher, acker, extender, reaper, forwarder,
// completer, jury, warden.
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
	"fanfare/internal/redisx"
	"fanfare/internal/responses"
	"fanfare/internal/tokens"
)

// Sender sends one message to one target. It never fails: what went wrong is in the answer.
type Sender interface {
	Send(ctx context.Context, m *fcm.Message, e fcm.Envelope) fcm.Answer
	// Validate asks for the same answer, and has nothing delivered.
	Validate(ctx context.Context, m *fcm.Message, e fcm.Envelope) fcm.Answer
}

// Deps are the rooms that a dispatcher stands on. Without a Pacer every push goes at once, without Wire the pool alone bounds
// the requests in flight. Breakers and Deletions may be nil, and then nothing trips; a Halter that is nil, and then what
// should stop the project stops the campaign; and the Registerer.
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
	held atomic.Int64   // recipients, from claim to outcome, those of campaigns that are served no more included
	quietly rate.Sometimes // for what would be logged with each claim while a store is down

	roster     *roster
	slots      *slots
	leases       *leaseSet
	deliveries chan *delivery
	acker      *acker
	reporter       *breakerReporter
	prober     *credentialsProber
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
		leases:       newLeaseSet(),
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

// Run serves until fetch ends, or until the Job's campaign does. A stop adds no duplicate: claiming ends with fetch,
// pushes on the wire may finish until work ends, and everybody else is given back in the old order. What is known by
// then is written down within one lease more, for whoever comes after must not repeat it.
//
// For a Job it returns nil when the campaign is drained, else ErrLeftover, an *EndedError, campaign.ErrNotFound, or what
// is wrong with the campaign: a *campaign.SpecError, a *campaign.ProjectError, notification.Faults, *keys.IDError or *redisx.TypeError, or
// what Redis denies us: see redisx.Denied.
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

	// Senders stop before receivers: the claimer has returned, so nobody adds deliveries; then the pool ends, so nobody
	// adds outcomes; then the acker writes the last of them and gives the rest back; the leases are extended till then.
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

// discover finds what is to be served: all that runs, or a Job's one campaign.
func (d *Dispatcher) discover(fetch context.Context) error {
	finder := &discoverer{d: d, logged: make(map[string]string)}
	if d.opts.Campaign != "" {
		return job{d, finder}.run(fetch)
	}
	finder.run(fetch)
	return nil
}

// outlive makes a context that ends a grace after work does, or when it is stopped.
func withGrace(work context.Context, grace time.Duration) (keep context.Context, stop func()) {
	keep, cancel := context.WithCancel(context.WithoutCancel(work))
	release := context.AfterFunc(work, func() {
		select {
		case <-keep.Done():
		case <-time.After(grace):
			cancel()
		}
	})
	return keep, func() { release(); cancel() }
}

// persist repeats a write to Redis until it succeeds or keep ends. Even after the lease has run out it is worth trying:
// after an outage, whoever writes before the first reaper looks saves a recipient from being sent to again. What waiting does not
// fix is not waited for: see redisx.Permanent. A permission that is denied is: the scripts finish what it cut as soon as it is granted.
func (d *Dispatcher) persist(keep context.Context, verb string, camp *activeCampaign, write func(context.Context) error) error {
	defer camp.unwritable.Store(false)
	told := rate.Sometimes{First: 1, Interval: 10 * time.Second}
	for wait := 50 * time.Millisecond; ; wait = min(2*wait, time.Second) {
		err := d.withRedisTimeout(keep, write)
		if err == nil {
			return nil
		}
		if redisx.Permanent(err) && !redisx.Denied(err) || keep.Err() != nil {
			return fmt.Errorf("%s: %w", verb, err)
		}
		camp.unwritable.Store(true)
		told.Do(func() {
			if redisx.Denied(err) {
				d.log.Error(verb+": Redis denies a command; fanfare check names it; trying until it is granted", "campaign", camp.id, "error", err)
				return
			}
			d.log.Warn(verb+": trying until it succeeds", "campaign", camp.id, "error", err)
		})
		select {
		case <-keep.Done():
		case <-time.After(wait):
		}
	}
}

// behind tells that outcomes of a campaign cannot be written, or that too many wait for it: the batch on its way and the next one.
// It is not claimed from then: more and more people would be sent to of whom nothing is written.
func (d *Dispatcher) isBehind(camp *activeCampaign) bool {
	return camp.unwritable.Load() || camp.unwritten.Load() >= int64(2*d.opts.AckBatch)
}
