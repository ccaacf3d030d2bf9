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
)

// hearings is how often what was answered is judged: what a bad message does meanwhile is bounded by the canary.
const reportInterval = 50 * time.Millisecond

// heard bounds one hearing: while a shard does not answer, the other campaigns are judged this much later.
const reportTimeout = time.Second

// jury asks the breakers how many recipients of a campaign may be claimed, tells them what became of these, and stops
// what has tripped.
type breakerReporter struct {
	d *Dispatcher

	mu    sync.Mutex
	pending map[*activeCampaign]*breaker.Report

	reporting sync.Mutex // the last hearing of a stop waits for the one before it, which may have a trip to act on
}

func newBreakerReporter(d *Dispatcher) *breakerReporter { return &breakerReporter{d: d, pending: make(map[*activeCampaign]*breaker.Report)} }

// run judges until keep ends: the last answers of a stop are told, too.
func (j *breakerReporter) run(keep context.Context) {
	tick := time.NewTicker(reportInterval)
	defer tick.Stop()
	for {
		select {
		case <-keep.Done():
			return
		case <-tick.C:
			j.report(keep, reportTimeout)
		}
	}
}

// off tells that nothing is judged.
func (j *breakerReporter) isOff() bool { return j.d.deps.Breakers == nil }

// admit is how many of n recipients a claim may take. The lease notes the round of the breaker that they belong to.
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

// answered counts an answer, or what came instead; the recipient may go on to another token. What the end of work cut off
// says nothing of FCM.
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

// listen follows whether the campaign's pushes get answers.
func (j *breakerReporter) trackOutage(l *lease, a fcm.Answer, trial int64) {
	camp, silent := l.camp, l.camp.outage.confirmed.Load()
	if camp.outage.observe(a, trial, l.round, j.d.now()) {
		j.d.roster.wake()
	}
	if !silent && camp.outage.confirmed.Load() && j.d.prober.noteOutage(camp.id) {
		j.d.log.Warn("pushes get no answers; this process sends none until FCM answers a probe", "campaign", camp.id, "last", a.Detail)
	}
}

// ended counts recipients of a claim who have no more business with the canary.
func (j *breakerReporter) countEnded(l *lease, n int) {
	if n > 0 {
		j.count(l, func(t *breaker.Report) { t.EndClaim(l.claim, int64(n)) })
	}
}

// count adds to a campaign's tally. What belongs to an older round is of no use to anybody.
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

// hear is one tick: it tells the breakers all that was counted, and obeys them.
func (j *breakerReporter) report(keep context.Context, bound time.Duration) {
	j.reporting.Lock()
	defer j.reporting.Unlock()
	j.mu.Lock()
	tallies := j.pending
	j.pending = make(map[*activeCampaign]*breaker.Report, len(tallies))
	j.mu.Unlock()
	j.addOutages(tallies)
	forEach(keep, bound, slices.Collect(maps.Keys(tallies)), func(keep context.Context, camp *activeCampaign) {
		j.reportOne(keep, camp, tallies[camp])
	})
}

// addSilences adds what the breakers are to know of campaigns that get no answers here.
func (j *breakerReporter) addOutages(tallies map[*activeCampaign]*breaker.Report) {
	if j.isOff() {
		return
	}
	for _, camp := range j.d.roster.all() {
		run, said, round, due := camp.outage.report(j.d.now())
		if !due {
			continue
		}
		t := tallies[camp]
		if t == nil || t.Round < round {
			t = &breaker.Report{Round: round, Personal: camp.template.IsPersonal()}
			tallies[camp] = t
		}
		if t.Round == round {
			t.Outage = run
			t.AddDetail(run.Kind, said)
		}
	}
}

func (j *breakerReporter) reportOne(keep context.Context, camp *activeCampaign, tally *breaker.Report) {
	j.countForDeletions(tally)
	verdict, err := j.d.deps.Breakers.Apply(keep, camp.queue.List(), *tally)
	if err != nil {
		j.reportAgain(camp, tally.Round)
		j.d.quietly.Do(func() { j.d.log.Warn("judge answers: they are judged later", "campaign", camp.id, "error", err) })
		return
	}
	j.apply(keep, camp, verdict)
}

// owe has a campaign judged with the next tick, even if nobody has anything more to tell by then: the breakers keep what did
// not reach Redis for the next Conclude.
func (j *breakerReporter) reportAgain(camp *activeCampaign, round int64) {
	j.count(&lease{camp: camp, round: round}, func(*breaker.Report) {})
}

// note tells how many answers the deletions of tokens are a share of.
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

// mayForget asks whether one more token may be deleted.
func (j *breakerReporter) mayDeleteToken(ctx context.Context) bool {
	if j.d.deps.Deletions == nil {
		return true
	}
	allowed, err := j.d.deps.Deletions.Take(ctx)
	if err != nil {
		j.d.quietly.Do(func() { j.d.log.Warn("ask whether a dead token may be deleted: it is kept", "error", err) })
	}
	return allowed
}

// obey stops what has tripped. Whoever is told of a trip acts on it for all, even when told in the midst of a stop: the others
// only let go of what they hold.
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
	j.d.log.Error("breaker has tripped", "campaign", camp.id, "scope", t.Scope, "platform", t.Platform, "kind", t.Kind, "reason", t.Reason)
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
		j.d.log.Warn("act on a tripped breaker: another process takes it over", "campaign", camp.id, "error", err)
	}
}

// pause stops a campaign that runs; one that somebody has stopped already is as it should be.
func (j *breakerReporter) pause(ctx context.Context, camp *activeCampaign, reason string) error {
	err := j.d.deps.Campaigns.Move(ctx, camp.id, campaign.Paused, reason)
	if _, stopped := errors.AsType[*campaign.TransitionError](err); stopped || errors.Is(err, campaign.ErrNotFound) {
		return nil
	}
	return err
}
