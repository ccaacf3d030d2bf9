package dispatcher

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"fanfare/internal/breaker"
	"fanfare/internal/campaign"
	"fanfare/internal/fcm"
	"fanfare/internal/pacing"
	"fanfare/internal/periodic"
)

// reportInterval is how often answers go to the breaker. The canary limits what a bad message can
// do in between.
const reportInterval = 50 * time.Millisecond

// reportTimeout limits one report. A shard that does not answer delays the reports of other
// campaigns this long.
const reportTimeout = time.Second

// breakerReporter asks the breakers how many recipients may be claimed, reports the answers to
// them, and acts on trips.
type breakerReporter struct {
	d *Dispatcher

	mu      sync.Mutex
	pending map[*activeCampaign]*breaker.Report

	reporting sync.Mutex // the last report of a stop waits for an earlier one, which may have a trip to act on
}

func newBreakerReporter(d *Dispatcher) *breakerReporter {
	return &breakerReporter{d: d, pending: make(map[*activeCampaign]*breaker.Report)}
}

// run reports until keep ends, so that the last answers of a stop are included.
func (j *breakerReporter) run(keep context.Context) {
	periodic.Run(keep, reportInterval, func(keep context.Context) { j.report(keep, reportTimeout) })
}

// isOff reports whether there are no breakers.
func (j *breakerReporter) isOff() bool { return j.d.deps.Breakers == nil }

// admit returns how many of n recipients a claim may take. It sets the lease's round of the
// breaker.
func (j *breakerReporter) admit(ctx context.Context, l *lease, n int) (admitted int, err error) {
	if j.isOff() {
		return n, nil
	}
	a, err := j.d.deps.Breakers.Admit(ctx, l.camp.queue.List(), l.claim, n)
	if err != nil {
		return 0, err
	}
	j.apply(ctx, l.camp, a.Decision)
	l.round, l.afterProbe = a.Round, a.Probed
	return a.N, nil
}

// countAnswer counts the answer to one request. A request that the end of work cut off says nothing
// about FCM.
func (j *breakerReporter) countAnswer(work context.Context, dl *delivery, a fcm.Answer, trial int64) {
	kind := kindOf(a)
	if work.Err() != nil && !a.IsDecisive() {
		kind = breaker.Neutral
	}
	switch {
	case a.Class == fcm.Credentials:
		j.d.prober.refused.Store(true)
	case a.IsDecisive():
		j.d.prober.noteAnswer(j.d.now())
	}
	j.count(dl.lease, func(t *breaker.Report) {
		t.Add(breaker.Answer{Kind: kind, Platform: dl.recipient.Platform}, 1)
		if kind == breaker.Credentials || kind == breaker.Unanswered || kind == breaker.WrongEndpoint {
			t.AddDetail(kind, a.Detail)
		}
	})
	if !j.isOff() && (kind != breaker.Neutral || trial > 0) {
		j.trackOutage(dl.lease, a, trial)
	}
}

// trackOutage feeds the campaign's outage detector.
func (j *breakerReporter) trackOutage(l *lease, a fcm.Answer, trial int64) {
	camp, silent := l.camp, l.camp.outage.confirmed.Load()
	if camp.outage.observe(a, trial, l.round, j.d.now()) {
		j.d.roster.wake()
	}
	if !silent && camp.outage.confirmed.Load() && j.d.prober.noteOutage(camp.id) {
		j.d.log.Warn("pushes get no answers; none are sent until FCM answers a probe", "campaign", camp.id, "last", a.Detail)
	}
}

// countEnded counts recipients of a claim that no longer hold a place in the canary.
func (j *breakerReporter) countEnded(l *lease, n int) {
	if n > 0 {
		j.count(l, func(t *breaker.Report) { t.EndClaim(l.claim, int64(n)) })
	}
}

// count adds to a campaign's report. Answers of an older round are dropped.
func (j *breakerReporter) count(l *lease, add func(*breaker.Report)) {
	if j.isOff() {
		return
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	t := j.pending[l.camp]
	if t == nil || t.Round < l.round {
		t = &breaker.Report{Round: l.round, Personal: l.camp.template.IsPersonal()}
		j.pending[l.camp] = t
	}
	if t.Round == l.round {
		add(t)
	}
}

// report is one tick: it sends all reports to the breakers and applies their decisions.
func (j *breakerReporter) report(keep context.Context, bound time.Duration) {
	j.reporting.Lock()
	defer j.reporting.Unlock()
	j.mu.Lock()
	reports := j.pending
	j.pending = make(map[*activeCampaign]*breaker.Report, len(reports))
	j.mu.Unlock()
	j.addOutages(reports)
	forEach(keep, bound, slices.Collect(maps.Keys(reports)), func(keep context.Context, camp *activeCampaign) {
		j.reportOne(keep, camp, reports[camp])
	})
}

// addOutages adds the outages that this process detected.
func (j *breakerReporter) addOutages(reports map[*activeCampaign]*breaker.Report) {
	if j.isOff() {
		return
	}
	for _, camp := range j.d.roster.all() {
		run, said, round, due := camp.outage.report(j.d.now())
		if !due {
			continue
		}
		t := reports[camp]
		if t == nil || t.Round < round {
			t = &breaker.Report{Round: round, Personal: camp.template.IsPersonal()}
			reports[camp] = t
		}
		if t.Round == round {
			t.Outage = run
			t.AddDetail(run.Kind, said)
		}
	}
}

func (j *breakerReporter) reportOne(keep context.Context, camp *activeCampaign, report *breaker.Report) {
	j.countForDeletions(report)
	camp.outage.describe(report)
	decision, err := j.d.deps.Breakers.Apply(keep, camp.queue.List(), *report)
	if err != nil {
		j.reportAgain(camp, report.Round)
		j.d.quietly.Do(func() { j.d.log.Warn("breaker report failed; retrying", "campaign", camp.id, "error", err) })
		return
	}
	j.apply(keep, camp, decision)
}

// reportAgain schedules a report for the next tick even without new answers: the breakers keep what
// did not reach Redis for the next Apply.
func (j *breakerReporter) reportAgain(camp *activeCampaign, round int64) {
	j.count(&lease{camp: camp, round: round}, func(*breaker.Report) {})
}

// countForDeletions tells the deletion budget how many answers there were.
func (j *breakerReporter) countForDeletions(t *breaker.Report) {
	if j.d.deps.Deletions == nil {
		return
	}
	var answers int64
	for _, n := range t.Answers {
		answers += n
	}
	j.d.deps.Deletions.Note(answers)
}

// mayDeleteToken asks whether one more token may be deleted.
func (j *breakerReporter) mayDeleteToken(ctx context.Context) bool {
	if j.d.deps.Deletions == nil {
		return true
	}
	allowed, err := j.d.deps.Deletions.Take(ctx)
	if err != nil {
		j.d.quietly.Do(func() { j.d.log.Warn("deletion budget unknown; dead token kept", "error", err) })
	}
	return allowed
}

// apply applies a decision. The process that is notified of a trip acts on it for all processes,
// even during a stop. The others only return their recipients.
func (j *breakerReporter) apply(ctx context.Context, camp *activeCampaign, v breaker.Decision) {
	camp.setPausedPlatforms(v.Paused)
	camp.hold.Store(v.Hold)
	if v.Trip != nil {
		j.actOnTrip(context.WithoutCancel(ctx), camp, v.Trip)
	}
	if v.Tripped {
		j.d.roster.drop(camp)
	}
}

func (j *breakerReporter) actOnTrip(ctx context.Context, camp *activeCampaign, t *breaker.Trip) {
	ctx, cancel := context.WithTimeout(ctx, j.d.opts.redisTimeout())
	defer cancel()
	j.d.metrics.trips.WithLabelValues(string(t.Scope), string(t.Kind)).Inc()
	j.d.log.Error("breaker tripped", "campaign", camp.id, "scope", t.Scope, "platform", t.Platform, "kind", t.Kind, "reason", t.Reason)
	var err error
	switch {
	case t.Kind == breaker.WrongEndpoint && j.d.deps.Halter != nil:
		err = j.d.deps.Halter.Halt(ctx, pacing.WrongEndpoint+t.Reason)
	case t.Kind == breaker.WrongEndpoint, t.Kind == breaker.Unanswered: // the breaker holds the campaign by itself
	case t.Scope == breaker.Project && j.d.deps.Halter != nil:
		err = j.d.deps.Halter.Halt(ctx, pacing.RefusedCredentials+t.Reason)
	case t.Scope != breaker.Platform:
		err = j.pause(ctx, camp, t.Reason)
	}
	if err == nil {
		err = j.d.deps.Breakers.Confirm(ctx, camp.queue.List(), t)
	}
	if err != nil {
		j.d.log.Warn("trip not acted on; another process takes over", "campaign", camp.id, "error", err)
	}
}

// pause pauses a running campaign. A campaign that has already stopped stays as it is.
func (j *breakerReporter) pause(ctx context.Context, camp *activeCampaign, reason string) error {
	err := j.d.deps.Campaigns.Move(ctx, camp.id, campaign.Paused, reason)
	if _, stopped := errors.AsType[*campaign.TransitionError](err); stopped || errors.Is(err, campaign.ErrNotFound) {
		return nil
	}
	return err
}
