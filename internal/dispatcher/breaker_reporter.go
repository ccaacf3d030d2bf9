package dispatcher

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"fanfare/internal/breaker"
	"fanfare/internal/fcm"
	"fanfare/internal/history"
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
	breakers  *breaker.Breakers  // nil: nothing trips
	deletions *breaker.Deletions // may be nil
	halter    Halter             // nil: a trip of the project pauses the campaign
	fcm       fcmRecord          // the prober
	meter     *answerMeter
	roster    *roster
	pauser    *pauser
	timeout   time.Duration // limits the actions on a trip
	metrics   *metrics
	now       func() time.Time
	log       *slog.Logger

	mu      sync.Mutex
	pending map[*activeCampaign]*breaker.Report

	reporting sync.Mutex // the last report of a stop waits for an earlier one, which may have a trip to act on
}

// fcmRecord remembers what this process learned of FCM from its pushes.
type fcmRecord interface {
	noteRefusal()
	noteAnswer(now time.Time)
	noteOutage(campaign string) (isNew bool)
}

// run reports until keep ends, so that the last answers of a stop are included.
func (r *breakerReporter) run(keep context.Context) {
	periodic.Run(keep, reportInterval, func(keep context.Context) { r.report(keep, reportTimeout) })
}

// areJudged reports whether there are breakers.
func (r *breakerReporter) areJudged() bool { return r.breakers != nil }

// admit returns how many of n recipients a claim may take. It sets the lease's round of the
// breaker.
func (r *breakerReporter) admit(ctx context.Context, l *lease, n int) (admitted int, err error) {
	if !r.areJudged() {
		return n, nil
	}
	a, err := r.breakers.Admit(ctx, l.camp.queue.List(), l.Claim, n)
	if err != nil {
		return 0, err
	}
	r.apply(ctx, l.camp, a.Decision)
	l.round, l.afterProbe = a.Round, a.Probed
	return a.N, nil
}

// countAnswer counts the answer to one request. A request that the end of work cut off says nothing
// about FCM. A dead address is excused if its user has another one: see countDead.
func (r *breakerReporter) countAnswer(work context.Context, dl *delivery, a fcm.Answer, trial int64, excused bool) {
	kind := kindOf(a)
	if work.Err() != nil && !a.IsDecisive() {
		kind = breaker.Neutral
	} else {
		r.meter.count(dl.lease.camp.id, a)
	}
	switch {
	case a.Class == fcm.Credentials:
		r.fcm.noteRefusal()
	case a.IsDecisive():
		r.fcm.noteAnswer(r.now())
	}
	counted := kind
	if excused {
		counted = breaker.Neutral
	}
	r.count(dl.lease, func(t *breaker.Report) {
		t.Add(breaker.Answer{Kind: counted, Platform: dl.recipient.Platform}, 1)
		if kind == breaker.Credentials || kind == breaker.Unanswered || kind == breaker.WrongEndpoint {
			t.AddDetail(kind, a.Detail)
		}
	})
	if r.areJudged() && (kind != breaker.Neutral || trial > 0) {
		r.trackOutage(dl.lease, a, trial)
	}
}

// countUnreachable counts a user with several devices who ended because all are dead. Each answer
// was excused.
func (r *breakerReporter) countUnreachable(l *lease, platform string) {
	r.count(l, func(t *breaker.Report) {
		t.Add(breaker.Answer{Kind: breaker.Unregistered, Platform: platform}, 1)
	})
}

// trackOutage feeds the campaign's outage detector.
func (r *breakerReporter) trackOutage(l *lease, a fcm.Answer, trial int64) {
	camp, silent := l.camp, l.camp.outage.confirmed.Load()
	if camp.outage.observe(a, trial, l.round, r.now()) {
		r.roster.wake()
	}
	if !silent && camp.outage.confirmed.Load() && r.fcm.noteOutage(camp.id) {
		r.log.Warn("pushes get no answers; none are sent until FCM answers a probe", "campaign", camp.id, "last", a.Detail)
	}
}

// countEnded counts recipients of a claim that no longer hold a place in the canary.
func (r *breakerReporter) countEnded(l *lease, n int) {
	if n > 0 {
		r.count(l, func(t *breaker.Report) { t.EndClaim(l.Claim, int64(n)) })
	}
}

// count adds to a campaign's report. Answers of an older round are dropped.
func (r *breakerReporter) count(l *lease, add func(*breaker.Report)) {
	if !r.areJudged() {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	t := r.pending[l.camp]
	if t == nil || t.Round < l.round {
		t = &breaker.Report{Round: l.round, Personal: l.camp.content.IsPersonal()}
		r.pending[l.camp] = t
	}
	if t.Round == l.round {
		add(t)
	}
}

// report is one tick: it sends all reports to the breakers and applies their decisions.
func (r *breakerReporter) report(keep context.Context, bound time.Duration) {
	r.reporting.Lock()
	defer r.reporting.Unlock()
	r.mu.Lock()
	reports := r.pending
	r.pending = make(map[*activeCampaign]*breaker.Report, len(reports))
	r.mu.Unlock()
	r.addOutages(reports)
	periodic.ForEach(keep, bound, slices.Collect(maps.Keys(reports)), func(keep context.Context, camp *activeCampaign) {
		r.reportOne(keep, camp, reports[camp])
	})
}

// addOutages adds the outages that this process detected.
func (r *breakerReporter) addOutages(reports map[*activeCampaign]*breaker.Report) {
	if !r.areJudged() {
		return
	}
	for _, camp := range r.roster.all() {
		run, said, round, due := camp.outage.report(r.now())
		if !due {
			continue
		}
		t := reports[camp]
		if t == nil || t.Round < round {
			t = &breaker.Report{Round: round, Personal: camp.content.IsPersonal()}
			reports[camp] = t
		}
		if t.Round == round {
			t.Outage = run
			t.AddDetail(run.Kind, said)
		}
	}
}

func (r *breakerReporter) reportOne(keep context.Context, camp *activeCampaign, report *breaker.Report) {
	r.countForDeletions(report)
	decision, err := r.breakers.Apply(keep, camp.queue.List(), *report)
	if err != nil {
		r.reportAgain(camp, report.Round)
		r.log.Warn("breaker report failed; retrying", "campaign", camp.id, "error", err)
		return
	}
	r.apply(keep, camp, decision)
}

// reportAgain schedules a report for the next tick even without new answers: the breakers keep what
// did not reach Redis for the next Apply.
func (r *breakerReporter) reportAgain(camp *activeCampaign, round int64) {
	r.count(&lease{camp: camp, round: round}, func(*breaker.Report) {})
}

// countForDeletions tells the deletion budget how many answers there were.
func (r *breakerReporter) countForDeletions(t *breaker.Report) {
	if r.deletions == nil {
		return
	}
	var answers int64
	for _, n := range t.Answers {
		answers += n
	}
	r.deletions.Note(answers)
}

// apply applies a decision. The process that is notified of a trip acts on it for all processes,
// even during a stop. The others only return their recipients.
func (r *breakerReporter) apply(ctx context.Context, camp *activeCampaign, v breaker.Decision) {
	camp.setPausedPlatforms(v.Paused)
	camp.hold.Store(v.Hold)
	if v.Trip != nil {
		r.actOnTrip(context.WithoutCancel(ctx), camp, v.Trip)
	}
	if v.Tripped {
		r.roster.drop(camp)
	}
}

func (r *breakerReporter) actOnTrip(ctx context.Context, camp *activeCampaign, t *breaker.Trip) {
	ctx, cancel := context.WithTimeout(ctx, r.timeout)
	defer cancel()
	r.metrics.trips.WithLabelValues(string(t.Scope), string(t.Kind)).Inc()
	r.log.Error("breaker tripped", "campaign", camp.id, "scope", t.Scope, "platform", t.Platform, "kind", t.Kind, "reason", t.Reason)
	ctx = history.WithActor(ctx, history.NameBreaker(r.pauser.campaigns.Actor(), string(t.Kind)))
	var err error
	paused := false // such a change records itself
	switch {
	case t.Kind == breaker.WrongEndpoint && r.halter != nil:
		err = r.halter.Halt(ctx, pacing.WrongEndpoint+t.Reason)
	case t.Kind == breaker.WrongEndpoint, t.Kind == breaker.Unanswered: // the breaker holds the campaign by itself
	case t.Scope == breaker.Project && r.halter != nil:
		err = r.halter.Halt(ctx, pacing.RefusedCredentials+t.Reason)
	case t.Scope != breaker.Platform:
		paused, err = true, r.pauser.pause(ctx, camp, t.Reason)
	}
	if err == nil && !paused {
		err = r.pauser.noteTrip(ctx, camp, t)
	}
	if err == nil {
		err = r.breakers.Confirm(ctx, camp.queue.List(), t)
	}
	if err != nil {
		r.log.Warn("trip not acted on; another process takes over", "campaign", camp.id, "error", err)
	}
}
