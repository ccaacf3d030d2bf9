package dispatcher

import (
	"context"
	"log/slog"
	"time"

	"fanfare/internal/fcm"
	"fanfare/internal/notification"
)

// decider decides what an answer means for its recipient. It counts the answer for the breakers,
// closes the gate if FCM asks for that, and applies the rules of Retry.
type decider struct {
	retry   Retry
	answers answerCounter // the reporter
	history answerHistory // the prober
	pacer   Pacer
	now     func() time.Time
	log     *slog.Logger
}

// answerCounter takes the answers for the breakers.
type answerCounter interface {
	areJudged() bool // by breakers
	countAnswer(work context.Context, dl *delivery, a fcm.Answer, trial int64, excused bool)
}

// answerHistory knows when FCM answered, and since when a recipient is tried.
type answerHistory interface {
	answeredAround(sent time.Time) bool
	retryStart(dl *delivery) time.Time
}

// decide decides what follows an answer. A dead address counts for the breakers only when it is
// known whether there is another one: see decideReplaced.
func (d *decider) decide(fetch, work context.Context, dl *delivery, a fcm.Answer, trial int64) decision {
	if a.Class == fcm.Quota && a.Scope == fcm.QuotaProject {
		d.closeGate(work, a)
	}
	if a.Class != fcm.Unregistered {
		d.answers.countAnswer(work, dl, a, trial, false)
	}
	if a.Class == fcm.NotSent && fetch.Err() != nil {
		return decision{goesBack: true}
	}
	s := d.attemptOf(dl)
	next := d.retry.applyRules(a, s)
	if next.status == notification.StatusSent {
		dl.lease.camp.proven.Store(true)
	}
	return next
}

// decideReplaced decides what follows an answer that an address is dead, once the replacer has
// looked for another one.
func (d *decider) decideReplaced(work context.Context, dl *delivery, a fcm.Answer, trial int64, found replacement) decision {
	if a.Class == fcm.Unregistered {
		d.countDead(work, dl, a, trial, found == noReplacement)
	}
	switch found {
	case replaced:
		return decision{sendAgain: true}
	case replacedByDuplicate:
		return decision{status: notification.StatusSkipped, code: notification.CodeDuplicate, detail: dl.duplicateReason()}
	case unknownReplacement:
		s := d.attemptOf(dl)
		return d.retry.retryLookup(a, s)
	default:
		return decision{status: notification.StatusFailed, code: a.Code, detail: a.Detail}
	}
}

// countDead counts the answer that an address is dead. The breaker judges users: the answer counts
// for one whose last address it was. A device among others counts when its user ends without any.
func (d *decider) countDead(work context.Context, dl *delivery, a fcm.Answer, trial int64, isLast bool) {
	isOneOfSeveral := dl.group() != nil
	d.answers.countAnswer(work, dl, a, trial, !isLast || isOneOfSeveral)
	if isLast && isOneOfSeveral {
		dl.device.dead = true
	}
}

// closeGate closes the gate after a project-wide 429.
func (d *decider) closeGate(work context.Context, a fcm.Answer) {
	if err := d.pacer.CloseGate(work, a.RetryAfter, "429: "+a.Detail); err != nil {
		d.log.Warn("gate not closed in Redis; this process waits, and retries", "error", err)
	}
}

// attemptOf collects what a decision depends on.
func (d *decider) attemptOf(dl *delivery) attempt {
	now := d.now()
	s := attempt{
		attempts:      dl.attempts,
		elapsed:       max(0, now.Sub(d.history.retryStart(dl))),
		outage:        d.answers.areJudged() && !dl.lease.afterProbe && !d.history.answeredAround(dl.sentAt),
		lost:          dl.element.Lost > 0,
		onAmbiguous:   dl.lease.camp.settings.Load().onAmbiguous,
		longestGate:   d.pacer.LongestGate(),
		provenMessage: dl.lease.camp.proven.Load() && !dl.lease.camp.content.IsPersonal(),
		target:        dl.recipient.Target,
	}
	if deadline := dl.lease.deadline(); !deadline.IsZero() {
		s.hasDeadline, s.remaining = true, deadline.Sub(now)
	}
	return s
}
