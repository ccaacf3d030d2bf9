package dispatcher

import (
	"context"
	"slices"
	"testing"
	"time"

	"fanfare/internal/campaign"
	"fanfare/internal/fcm"
	"fanfare/internal/notification"
)

// countedAnswers records for each counted answer whether it was excused.
type countedAnswers struct{ excused []bool }

func (c *countedAnswers) areJudged() bool { return true }

func (c *countedAnswers) countAnswer(_ context.Context, _ *delivery, _ fcm.Answer, _ int64, excused bool) {
	c.excused = append(c.excused, excused)
}

// decides returns a decider that counts into the record, and a delivery for it.
func (w *world) decides(counted *countedAnswers) (*decider, *delivery) {
	d := w.dispatcher()
	decider := d.pusher.decider
	decider.answers = counted
	now := time.Now()
	return decider, &delivery{lease: &lease{camp: w.served(d, "42"), claimedAt: now, claimedAtServer: now}, firstClaimedAt: now, sentAt: now, attempts: 1}
}

// An answer counts at once, except that of a dead address. A stop gives back what was not sent.
func TestAnswersAreDecidedAbout(t *testing.T) {
	w := newWorld(t)
	w.campaign(campaign.Spec{ID: "42"})
	stopping, stop := context.WithCancel(t.Context())
	stop()
	for name, c := range map[string]struct {
		answer  fcm.Answer
		fetch   context.Context
		status  notification.Status
		deletes bool
		back    bool
		proven  bool
		excused []bool
	}{
		"sent":               {answer: fcm.Answer{Class: fcm.Sent}, status: notification.StatusSent, proven: true, excused: []bool{false}},
		"dead":               {answer: fcm.Answer{Class: fcm.Unregistered}, status: notification.StatusFailed, deletes: true},
		"refused":            {answer: fcm.Answer{Class: fcm.BadMessage}, status: notification.StatusFailed, excused: []bool{false}},
		"not sent":           {answer: fcm.Answer{Class: fcm.NotSent}, excused: []bool{false}},
		"not sent in a stop": {answer: fcm.Answer{Class: fcm.NotSent}, fetch: stopping, back: true, excused: []bool{false}},
	} {
		counted := &countedAnswers{}
		d, dl := w.decides(counted)
		if c.fetch == nil {
			c.fetch = t.Context()
		}
		next := d.decide(c.fetch, t.Context(), dl, c.answer, 0)
		if next.status != c.status || next.deleteToken != c.deletes || next.goesBack != c.back || next.sendAgain {
			t.Errorf("%s: %+v", name, next)
		}
		if got := dl.lease.camp.proven.Load(); got != c.proven || !slices.Equal(counted.excused, c.excused) {
			t.Errorf("%s: proven %v, counted %v; want %v, %v", name, got, counted.excused, c.proven, c.excused)
		}
	}
}

// The breakers judge users: a dead address counts if it was its user's last one.
func TestReplacementsAreDecidedAbout(t *testing.T) {
	w := newWorld(t)
	w.campaign(campaign.Spec{ID: "42"})
	dead := fcm.Answer{Class: fcm.Unregistered, Code: "UNREGISTERED"}
	for name, c := range map[string]struct {
		answer  fcm.Answer
		found   replacement
		several bool
		again   bool
		status  notification.Status
		code    string
		excused []bool
		isDead  bool
	}{
		"another":            {answer: dead, found: replaced, again: true, excused: []bool{true}},
		"none":               {answer: dead, found: noReplacement, status: notification.StatusFailed, code: "UNREGISTERED", excused: []bool{false}},
		"a duplicate":        {answer: dead, found: replacedByDuplicate, status: notification.StatusSkipped, code: notification.CodeDuplicate, excused: []bool{true}},
		"unknown":            {answer: dead, found: unknownReplacement, code: "UNREGISTERED", excused: []bool{true}},
		"none of one device": {answer: dead, found: noReplacement, several: true, status: notification.StatusFailed, code: "UNREGISTERED", excused: []bool{true}, isDead: true},
		"another of one":     {answer: dead, found: replaced, several: true, again: true, excused: []bool{true}},
		"a refused address":  {answer: fcm.Answer{Class: fcm.BadTarget, Code: "INVALID_ARGUMENT"}, status: notification.StatusFailed, code: "INVALID_ARGUMENT"},
	} {
		counted := &countedAnswers{}
		d, dl := w.decides(counted)
		if c.several {
			dl.addresses().group = &deviceGroup{}
		}
		next := d.decideReplaced(t.Context(), dl, c.answer, 0, c.found)
		if next.sendAgain != c.again || next.status != c.status || next.code != c.code || next.goesBack {
			t.Errorf("%s: %+v", name, next)
		}
		if retried := next.wait > 0; retried != (c.found == unknownReplacement) {
			t.Errorf("%s: the wait is %s", name, next.wait)
		}
		isDead := dl.device != nil && dl.device.dead
		if !slices.Equal(counted.excused, c.excused) || isDead != c.isDead {
			t.Errorf("%s: counted %v, dead %v; want %v, %v", name, counted.excused, isDead, c.excused, c.isDead)
		}
	}
}

// A push without an answer is an attempt where FCM answered this process around that time, or a
// probe just before the round. The time that a recipient is tried for counts from when the campaign
// or its project last continued.
func TestWhatADecisionDependsOn(t *testing.T) {
	now := time.Date(2030, 1, 1, 12, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		change  func(d *Dispatcher, dl *delivery)
		outage  bool
		elapsed time.Duration
	}{
		"nothing":          {func(*Dispatcher, *delivery) {}, true, time.Hour},
		"probed":           {func(_ *Dispatcher, dl *delivery) { dl.lease.afterProbe = true }, false, time.Hour},
		"answered":         {func(d *Dispatcher, _ *delivery) { d.prober.noteAnswer(now.Add(-answerWindow)) }, false, time.Hour},
		"answered earlier": {func(d *Dispatcher, _ *delivery) { d.prober.noteAnswer(now.Add(-answerWindow - 1)) }, true, time.Hour},
		"gate":             {func(d *Dispatcher, _ *delivery) { d.prober.haltSeenAt.Store(now.Add(-time.Minute).UnixNano()) }, true, time.Minute},
		"round":            {func(_ *Dispatcher, dl *delivery) { dl.lease.round = now.Add(-time.Second).UnixMilli() }, true, time.Second},
	} {
		w := newWorld(t)
		w.useBreakers()
		w.campaign(campaign.Spec{ID: "42"})
		w.deps.now = func() time.Time { return now }
		d := w.dispatcher()
		dl := &delivery{lease: &lease{camp: w.served(d, "42"), claimedAt: now, claimedAtServer: now}, firstClaimedAt: now.Add(-time.Hour), sentAt: now}
		c.change(d, dl)
		if s := d.pusher.decider.attemptOf(dl); s.outage != c.outage || s.elapsed != c.elapsed {
			t.Errorf("%s: outage %v after %s, want %v after %s", name, s.outage, s.elapsed, c.outage, c.elapsed)
		}
	}
}
