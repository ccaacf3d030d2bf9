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
const hearings = 50 * time.Millisecond

// heard bounds one hearing: while a shard does not answer, the other campaigns are judged this much later.
const heard = time.Second

// jury asks the breakers how many recipients of a campaign may be claimed, tells them what became of these, and stops
// what has tripped.
type jury struct {
	d *Dispatcher

	mu    sync.Mutex
	tally map[*served]*breaker.Tally

	pass sync.Mutex // the last hearing of a stop waits for the one before it, which may have a trip to act on
}

func newJury(d *Dispatcher) *jury { return &jury{d: d, tally: make(map[*served]*breaker.Tally)} }

// run judges until keep ends: the last answers of a stop are told, too.
func (j *jury) run(keep context.Context) {
	tick := time.NewTicker(hearings)
	defer tick.Stop()
	for {
		select {
		case <-keep.Done():
			return
		case <-tick.C:
			j.hear(keep, heard)
		}
	}
}

// off tells that nothing is judged.
func (j *jury) off() bool { return j.d.deps.Breakers == nil }

// admit is how many of n recipients a claim may take. The lease notes the round of the breaker that they belong to.
func (j *jury) admit(ctx context.Context, l *lease, n int) (admitted int, err error) {
	if j.off() {
		return n, nil
	}
	a, err := j.d.deps.Breakers.Admit(ctx, l.camp.queue.List(), l.claim, n)
	if err != nil {
		return 0, err
	}
	j.obey(ctx, l.camp, a.Verdict)
	l.round, l.probed = a.Round, a.Probed
	return a.N, nil
}

// answered counts an answer, or what came instead; the recipient may go on to another token. What the end of work cut off
// says nothing of FCM.
func (j *jury) answered(work context.Context, dl *delivery, a fcm.Answer, trial int64) {
	kind := kindOf(a)
	if work.Err() != nil && !a.IsDecisive() {
		kind = breaker.Neutral
	}
	switch {
	case a.Class == fcm.Credentials:
		j.d.warden.refused.Store(true)
	case a.IsDecisive():
		j.d.warden.heard(j.d.now())
	}
	j.count(dl.lease, func(t *breaker.Tally) {
		t.Answered(breaker.Answer{Kind: kind, Platform: dl.recipient.Platform}, 1)
		if kind == breaker.Credentials || kind == breaker.Unanswered || kind == breaker.WrongEndpoint {
			t.Says(kind, a.Detail)
		}
	})
	if !j.off() && (kind != breaker.Neutral || trial > 0) {
		j.listen(dl.lease, a, trial)
	}
}

// listen follows whether the campaign's pushes get answers.
func (j *jury) listen(l *lease, a fcm.Answer, trial int64) {
	camp, silent := l.camp, l.camp.silence.silent.Load()
	if camp.silence.hear(a, trial, l.round, j.d.now()) {
		j.d.roster.wake()
	}
	if !silent && camp.silence.silent.Load() && j.d.warden.silence(camp.id) {
		j.d.log.Warn("pushes get no answers; this process sends none until FCM answers a probe", "campaign", camp.id, "last", a.Detail)
	}
}

// ended counts recipients of a claim who have no more business with the canary.
func (j *jury) ended(l *lease, n int) {
	if n > 0 {
		j.count(l, func(t *breaker.Tally) { t.End(l.claim, int64(n)) })
	}
}

// count adds to a campaign's tally. What belongs to an older round is of no use to anybody.
func (j *jury) count(l *lease, add func(*breaker.Tally)) {
	if j.off() {
		return
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	t := j.tally[l.camp]
	if t == nil || t.Round < l.round {
		t = &breaker.Tally{Round: l.round, Personal: l.camp.template.IsPersonal()}
		j.tally[l.camp] = t
	}
	if t.Round == l.round {
		add(t)
	}
}

// hear is one tick: it tells the breakers all that was counted, and obeys them.
func (j *jury) hear(keep context.Context, bound time.Duration) {
	j.pass.Lock()
	defer j.pass.Unlock()
	j.mu.Lock()
	tallies := j.tally
	j.tally = make(map[*served]*breaker.Tally, len(tallies))
	j.mu.Unlock()
	j.addSilences(tallies)
	sideBySide(keep, bound, slices.Collect(maps.Keys(tallies)), func(keep context.Context, camp *served) {
		j.conclude(keep, camp, tallies[camp])
	})
}

// addSilences adds what the breakers are to know of campaigns that get no answers here.
func (j *jury) addSilences(tallies map[*served]*breaker.Tally) {
	if j.off() {
		return
	}
	for _, camp := range j.d.roster.all() {
		run, said, round, due := camp.silence.report(j.d.now())
		if !due {
			continue
		}
		t := tallies[camp]
		if t == nil || t.Round < round {
			t = &breaker.Tally{Round: round, Personal: camp.template.IsPersonal()}
			tallies[camp] = t
		}
		if t.Round == round {
			t.Silence = run
			t.Says(run.Kind, said)
		}
	}
}

func (j *jury) conclude(keep context.Context, camp *served, tally *breaker.Tally) {
	j.note(tally)
	verdict, err := j.d.deps.Breakers.Conclude(keep, camp.queue.List(), *tally)
	if err != nil {
		j.owe(camp, tally.Round)
		j.d.quietly.Do(func() { j.d.log.Warn("judge answers: they are judged later", "campaign", camp.id, "error", err) })
		return
	}
	j.obey(keep, camp, verdict)
}

// owe has a campaign judged with the next tick, even if nobody has anything more to tell by then: the breakers keep what did
// not reach Redis for the next Conclude.
func (j *jury) owe(camp *served, round int64) {
	j.count(&lease{camp: camp, round: round}, func(*breaker.Tally) {})
}

// note tells how many answers the deletions of tokens are a share of.
func (j *jury) note(t *breaker.Tally) {
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
func (j *jury) mayForget(ctx context.Context) bool {
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
func (j *jury) obey(ctx context.Context, camp *served, v breaker.Verdict) {
	camp.keepBack(v.Paused)
	camp.hold.Store(v.Hold)
	if v.Trip != nil {
		j.stop(context.WithoutCancel(ctx), camp, v.Trip)
	}
	if v.Tripped {
		j.d.roster.drop(camp)
	}
}

func (j *jury) stop(ctx context.Context, camp *served, t *breaker.Trip) {
	ctx, cancel := context.WithTimeout(ctx, j.d.opts.brief())
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
func (j *jury) pause(ctx context.Context, camp *served, reason string) error {
	err := j.d.deps.Campaigns.Move(ctx, camp.id, campaign.Paused, reason)
	if _, stopped := errors.AsType[*campaign.TransitionError](err); stopped || errors.Is(err, campaign.ErrNotFound) {
		return nil
	}
	return err
}
