package dispatcher

import (
	"crypto/rand"

	"fanfare/internal/breaker"
	"fanfare/internal/traffic"
)

// addRoles makes the roles, each with what it needs. A role that others call comes before them.
func (d *Dispatcher) addRoles(deps Deps) {
	pauses := &pauser{campaigns: deps.Campaigns, roster: d.roster, timeout: d.opts.redisTimeout(), log: deps.Logger}
	d.addKeepers(deps)
	d.addBreakers(deps, pauses)
	d.addTraffic(deps)
	d.addPool(deps, pauses)
	d.addClaims(deps, pauses)
	d.addDiscovery(deps)
}

// addKeepers makes the roles that look after leases and results.
func (d *Dispatcher) addKeepers(deps Deps) {
	d.extender = newExtender(d.leases, deps.Breakers, deps.Names, d.opts, deps.Logger)
	d.reaper = newReaper(d.roster, deps.Names, d.opts, d.metrics, deps.Logger)
	d.forwarder = newForwarder(deps.Outbox, d.roster, d.opts, d.metrics, deps.Logger)
}

// addBreakers makes the roles that report FCM's answers.
func (d *Dispatcher) addBreakers(deps Deps, pauses *pauser) {
	d.prober = &credentialsProber{
		sender: deps.Sender, halter: deps.Halter, breakers: deps.Breakers, roster: d.roster, pauser: pauses,
		interval: d.opts.Retry.Outage, now: deps.now, log: deps.Logger,
		outages: make(map[string]bool),
	}
	d.meter = newAnswerMeter(deps.Logger)
	d.reporter = &breakerReporter{
		meter:    d.meter,
		breakers: deps.Breakers, deletions: deps.Deletions, halter: deps.Halter,
		fcm: d.prober, roster: d.roster, pauser: pauses, timeout: d.opts.redisTimeout(),
		metrics: d.metrics, now: deps.now, log: deps.Logger,
		pending: make(map[*activeCampaign]*breaker.Report),
	}
}

// addTraffic makes the role that records how the pushes went.
func (d *Dispatcher) addTraffic(deps Deps) {
	d.traffic = &trafficReporter{
		store: deps.Traffic, process: rand.Text(), timeout: d.opts.redisTimeout(), log: deps.Logger,
		pending: make(map[*activeCampaign]*traffic.Batch),
	}
}

// addPool makes the roles that take a claimed recipient to its outcome.
func (d *Dispatcher) addPool(deps Deps, pauses *pauser) {
	ends := &finisher{
		outcomes: d.outcomes, slots: d.slots, breaker: d.reporter, retry: d.opts.Retry, metrics: d.metrics, now: deps.now,
		caps: deps.Caps,
	}
	dedupes := &deduper{log: deps.Logger}
	d.preparer = &preparer{
		finisher: ends, deliveries: d.deliveries, tokens: deps.Tokens, profiles: deps.Profiles, suppressed: deps.Suppressed,
		deduper: dedupes, tracer: deps.Tracer, pauser: pauses, log: deps.Logger,
	}
	replacer := &tokenReplacer{tokens: deps.Tokens, deletions: deps.Deletions, deduper: dedupes, pauser: pauses, log: deps.Logger}
	d.pusher = &pusher{
		finisher: ends, deliveries: d.deliveries, sender: deps.Sender, pacer: deps.Pacer, wire: deps.Wire,
		replacer: replacer, traffic: d.traffic,
		decider: &decider{
			retry: d.opts.Retry, answers: d.reporter, history: d.prober, pacer: deps.Pacer, now: deps.now, log: deps.Logger,
		},
	}
}

// addClaims makes the roles that take recipients from Redis and write their outcomes.
func (d *Dispatcher) addClaims(deps Deps, pauses *pauser) {
	writer := redisWriter{timeout: d.opts.redisTimeout(), log: deps.Logger}
	d.claimer = &claimer{
		opts: d.opts, roster: d.roster, slots: d.slots, leases: d.leases,
		canary: d.reporter, fcm: d.prober, prepare: d.preparer.prepare,
		redis: writer, metrics: d.metrics, now: deps.now, log: deps.Logger,
	}
	d.acker = &acker{
		batchSize: d.opts.AckBatch, interval: d.opts.AckInterval, events: d.outcomes, leases: d.leases, roster: d.roster,
		redis: writer, pauser: pauses, forwarder: d.forwarder, metrics: d.metrics, log: deps.Logger, caps: deps.Caps, now: deps.now,
		buffers: make(map[*activeCampaign]*outcomeBuffer), written: make(chan *outcomeBatch),
	}
}

// addDiscovery makes the roles that follow campaigns from their start to their end.
func (d *Dispatcher) addDiscovery(deps Deps) {
	d.ends = &endLogger{campaigns: deps.Campaigns, timeout: d.opts.redisTimeout(), log: deps.Logger}
	d.discoverer = &discoverer{
		campaigns: deps.Campaigns, roster: d.roster, ends: d.ends, reap: d.reaper.ReapQueue, forward: d.forwarder.forward,
		interval: d.opts.Discover, timeout: d.opts.redisTimeout(), metrics: d.metrics, log: deps.Logger,
		logged: make(map[string]string),
	}
	d.job = &job{
		campaign: d.opts.Campaign, campaigns: deps.Campaigns, serve: d.discoverer.serve, logLate: d.discoverer.logLate, roster: d.roster,
		interval: d.opts.Poll, log: deps.Logger,
	}
	d.progress = &progressLogger{
		campaign: d.opts.Campaign, campaigns: deps.Campaigns, timeout: d.opts.redisTimeout(), now: deps.now, log: deps.Logger,
	}
	d.completer = &completer{
		campaigns: deps.Campaigns, roster: d.roster, forward: d.forwarder.forward,
		interval: d.opts.Poll, timeout: d.opts.redisTimeout(), ends: d.ends, log: deps.Logger,
	}
}
