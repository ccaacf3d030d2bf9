package dispatcher

import (
	"context"
	"slices"

	"fanfare/internal/fcm"
	"fanfare/internal/inflight"
	"fanfare/internal/notification"
	"fanfare/internal/tokens"
)

// push sends deliveries until there are no more. After fetching has stopped, unsent recipients go
// back.
func (d *Dispatcher) push(fetch, work context.Context) {
	for dl := range d.deliveries {
		d.deliver(fetch, work, dl)
	}
}

// deliver sends to one recipient, and again if its token is dead and another one is stored.
func (d *Dispatcher) deliver(fetch, work context.Context, dl *delivery) {
	camp := dl.lease.camp
	for target := dl.recipient.Target; ; {
		if camp.outage.isStopped() {
			d.handBack(dl)
			return
		}
		permit, err := d.waitForTurn(camp)
		if err != nil {
			d.handBack(dl)
			return
		}
		if d.finishIfStopped(fetch, dl) {
			permit.Done(inflight.Outcome{})
			return
		}
		trial, ok := camp.outage.startPush()
		if !ok {
			permit.Done(inflight.Outcome{})
			d.handBack(dl)
			return
		}
		answer := d.send(work, dl, target, permit)
		d.closeGateIfAsked(work, answer)
		d.reporter.countAnswer(work, dl, answer, trial)
		if answer.Class == fcm.NotSent && fetch.Err() != nil {
			d.handBack(dl)
			return
		}
		decided := d.opts.Retry.decide(answer, d.attemptOf(dl, target))
		if decided.deleteToken {
			next, err := d.replaceDeadToken(work, dl, target)
			if !next.IsZero() {
				target = next
				continue
			}
			if err != nil {
				decided = d.opts.Retry.retryLookup(answer, d.attemptOf(dl, target))
			}
		}
		d.finishWith(dl, answer, decided)
		return
	}
}

// finishIfStopped ends the delivery if its campaign closed, its lease or deadline passed, or its
// platform is paused. It reports whether it did.
func (d *Dispatcher) finishIfStopped(fetch context.Context, dl *delivery) bool {
	now := d.now()
	switch {
	case dl.lease.camp.isClosed():
		d.handBack(dl)
	case dl.lease.camp.hold.Load() != nil && !dl.isExpired(now):
		d.handBack(dl)
	case !dl.lease.isValid(now):
		d.metrics.lost.Inc()
		// If another process has the lease, this gives nothing back. If only an extension failed,
		// Redis may still have our lease.
		d.handBack(dl)
	case dl.isExpired(now):
		d.finish(dl, d.outcomeOf(dl, dl.deadlineResult()))
	case dl.lease.camp.isPlatformPaused(dl.recipient.Platform):
		d.postpone(fetch, dl, d.opts.Retry.KeptBack)
	default:
		return false
	}
	return true
}

// send makes one request.
func (d *Dispatcher) send(work context.Context, dl *delivery, target notification.Target, permit *inflight.Permit) fcm.Answer {
	dl.attempts++
	now := d.now()
	dl.sentAt = now
	answer := d.deps.Sender.Send(work, dl.message, dl.envelope(target, now))
	permit.Done(healthOf(answer, d.now().Sub(now)))
	return answer
}

// attemptOf collects what a decision depends on.
func (d *Dispatcher) attemptOf(dl *delivery, target notification.Target) attempt {
	now := d.now()
	s := attempt{
		attempts:      dl.attempts,
		elapsed:       max(0, now.Sub(d.prober.retryStart(dl))),
		outage:        !d.reporter.isOff() && !dl.lease.afterProbe && !d.prober.answeredAround(dl.sentAt),
		lost:          dl.element.Lost > 0,
		onAmbiguous:   dl.lease.camp.settings.Load().onAmbiguous,
		longestGate:   d.deps.Pacer.LongestGate(),
		provenMessage: dl.lease.camp.proven.Load() && !dl.lease.camp.template.IsPersonal(),
		target:        target,
	}
	if deadline := dl.lease.deadline(); !deadline.IsZero() {
		s.hasDeadline, s.remaining = true, deadline.Sub(now)
	}
	return s
}

// replaceDeadToken deletes a dead token if it is still stored and the deletion budget allows. It
// returns another stored token not yet tried, if any. An error means that the stores could not
// tell.
func (d *Dispatcher) replaceDeadToken(work context.Context, dl *delivery, dead notification.Target) (current notification.Target, err error) {
	if user := dl.recipient.UserID; d.reporter.mayDeleteToken(work) {
		dl.dead = append(dl.dead, dead)
		var found tokens.ForgetResult
		found, err = d.deps.Tokens.Forget(work, user, dead, dl.lease.camp.id)
		current = found.Current
		if slices.ContainsFunc(dl.dead, found.InSQL.IsSame) {
			dl.inSQL = found.InSQL
		}
	} else {
		dl.kept = append(dl.kept, dead)
		current, err = d.deps.Tokens.FindAnother(work, user, dead)
	}
	if err != nil {
		d.pauseIfRefused(work, dl.lease.camp, err)
		d.log.Warn("dead token not replaced; recipient deferred", "user", dl.recipient.UserID, "token", dead, "error", err)
		return notification.Target{}, err
	}
	if slices.ContainsFunc(dl.dead, current.IsSame) || slices.ContainsFunc(dl.kept, current.IsSame) {
		return notification.Target{}, nil
	}
	return current, nil
}

// finishWith ends the delivery, or defers it, as decided.
func (d *Dispatcher) finishWith(dl *delivery, answer fcm.Answer, v decision) {
	if v.status == "" {
		attempts := dl.attempts
		if !v.counted {
			attempts--
		}
		d.finish(dl, d.retryIn(dl, v.wait, attempts, cause(answer)))
		return
	}
	if v.status == notification.StatusSent {
		dl.lease.camp.proven.Store(true)
	}
	r := dl.result(v.status, v.code, v.detail)
	r.MessageID = answer.MessageID
	d.finish(dl, d.outcomeOf(dl, r))
}
