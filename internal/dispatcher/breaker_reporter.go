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
func (j *breakerReporter) run(keep context.Context) {
	periodic.Run(keep, reportInterval, func(keep context.Context) { j.report(keep, reportTimeout) })
}

// areJudged reports whether there are breakers.
func (j *breakerReporter) areJudged() bool { return j.breakers != nil }

// admit returns how many of n recipients a claim may take. It sets the lease's round of the
// breaker.
func (j *breakerReporter) admit(ctx context.Context, l *lease, n int) (admitted int, err error) {
	if !j.areJudged() {
		return n, nil
	}
	a, err := j.breakers.Admit(ctx, l.camp.queue.List(), l.Claim, n)
	if err != nil {
		return 0, err
	}
	j.apply(ctx, l.camp, a.Decision)
	l.round, l.afterProbe = a.Round, a.Probed
	return a.N, nil
}

// countAnswer counts the answer to one request. A request that the end of work cut off says nothing
// about FCM. A dead address is excused if its user has another one: see countDead.
func (j *breakerReporter) countAnswer(work context.Context, dl *delivery, a fcm.Answer, trial int64, excused bool) {
	kind := kindOf(a)
	if work.Err() != nil && !a.IsDecisive() {
		kind = breaker.Neutral
	} else {
		j.meter.count(dl.lease.camp.id, a)
	}
	switch {
	case a.Class == fcm.Credentials:
		j.fcm.noteRefusal()
	case a.IsDecisive():
		j.fcm.noteAnswer(j.now())
	}
	counted := kind
	if excused {
		counted = breaker.Neutral
	}
	j.count(dl.lease, func(t *breaker.Report) {
		t.Add(breaker.Answer{Kind: counted, Platform: dl.recipient.Platform}, 1)
		if kind == breaker.Credentials || kind == breaker.Unanswered || kind == breaker.WrongEndpoint {
			t.AddDetail(kind, a.Detail)
		}
	})
	if j.areJudged() && (kind != breaker.Neutral || trial > 0) {
		j.trackOutage(dl.lease, a, trial)
	}
}

// countUnreachable counts a user with several devices who ended because all are dead. Each answer
// was excused.
func (j *breakerReporter) countUnreachable(l *lease, platform string) {
	j.count(l, func(t *breaker.Report) {
		t.Add(breaker.Answer{Kind: breaker.Unregistered, Platform: platform}, 1)
	})
}

// trackOutage feeds the campaign's outage detector.
func (j *breakerReporter) trackOutage(l *lease, a fcm.Answer, trial int64) {
	camp, silent := l.camp, l.camp.outage.confirmed.Load()
	if camp.outage.observe(a, trial, l.round, j.now()) {
		j.roster.wake()
	}
	if !silent && camp.outage.confirmed.Load() && j.fcm.noteOutage(camp.id) {
		j.log.Warn("pushes get no answers; none are sent until FCM answers a probe", "campaign", camp.id, "last", a.Detail)
	}
}

// countEnded counts recipients of a claim that no longer hold a place in the canary.
func (j *breakerReporter) countEnded(l *lease, n int) {
	if n > 0 {
		j.count(l, func(t *breaker.Report) { t.EndClaim(l.Claim, int64(n)) })
	}
}

// count adds to a campaign's report. Answers of an older round are dropped.
func (j *breakerReporter) count(l *lease, add func(*breaker.Report)) {
	if !j.areJudged() {
		return
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	t := j.pending[l.camp]
	if t == nil || t.Round < l.round {
		t = &breaker.Report{Round: l.round, Personal: l.camp.content.IsPersonal()}
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
	periodic.ForEach(keep, bound, slices.Collect(maps.Keys(reports)), func(keep context.Context, camp *activeCampaign) {
		j.reportOne(keep, camp, reports[camp])
	})
}

// addOutages adds the outages that this process detected.
func (j *breakerReporter) addOutages(reports map[*activeCampaign]*breaker.Report) {
	if !j.areJudged() {
		return
	}
	for _, camp := range j.roster.all() {
		run, said, round, due := camp.outage.report(j.now())
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

func (j *breakerReporter) reportOne(keep context.Context, camp *activeCampaign, report *breaker.Report) {
	j.countForDeletions(report)
	decision, err := j.breakers.Apply(keep, camp.queue.List(), *report)
	if err != nil {
		j.reportAgain(camp, report.Round)
		j.log.Warn("breaker report failed; retrying", "campaign", camp.id, "error", err)
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
	if j.deletions == nil {
		return
	}
	var answers int64
	for _, n := range t.Answers {
		answers += n
	}
	j.deletions.Note(answers)
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
		j.roster.drop(camp)
	}
}

func (j *breakerReporter) actOnTrip(ctx context.Context, camp *activeCampaign, t *breaker.Trip) {
	ctx, cancel := context.WithTimeout(ctx, j.timeout)
	defer cancel()
	j.metrics.trips.WithLabelValues(string(t.Scope), string(t.Kind)).Inc()
	j.log.Error("breaker tripped", "campaign", camp.id, "scope", t.Scope, "platform", t.Platform, "kind", t.Kind, "reason", t.Reason)
	ctx = history.WithActor(ctx, history.NameBreaker(j.pauser.campaigns.Actor(), string(t.Kind)))
	var err error
	paused := false // such a change records itself
	switch {
	case t.Kind == breaker.WrongEndpoint && j.halter != nil:
		err = j.halter.Halt(ctx, pacing.WrongEndpoint+t.Reason)
	case t.Kind == breaker.WrongEndpoint, t.Kind == breaker.Unanswered: // the breaker holds the campaign by itself
	case t.Scope == breaker.Project && j.halter != nil:
		err = j.halter.Halt(ctx, pacing.RefusedCredentials+t.Reason)
	case t.Scope != breaker.Platform:
		paused, err = true, j.pauser.pause(ctx, camp, t.Reason)
	}
	if err == nil && !paused {
		err = j.pauser.noteTrip(ctx, camp, t)
	}
	if err == nil {
		err = j.breakers.Confirm(ctx, camp.queue.List(), t)
	}
	if err != nil {
		j.log.Warn("trip not acted on; another process takes over", "campaign", camp.id, "error", err)
	}
}
