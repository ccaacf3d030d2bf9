package dispatcher

import (
	"context"
	"slices"

	"fanfare/internal/campaign"
	"fanfare/internal/fcm"
	"fanfare/internal/inflight"
	"fanfare/internal/notification"
	"fanfare/internal/tokens"
)

// push takes deliveries until there are no more. Once fetching has stopped, what has not been sent goes back.
func (d *Dispatcher) push(fetch, work context.Context) {
	for dl := range d.deliveries {
		d.deliver(fetch, work, dl)
	}
}

// deliver sends to one recipient, and again where its token proves dead while another one is stored.
func (d *Dispatcher) deliver(fetch, work context.Context, dl *delivery) {
	camp := dl.lease.camp
	for target := dl.recipient.Target; ; {
		if camp.silence.stopped() {
			d.handBack(dl)
			return
		}
		permit, err := d.turn(camp)
		if err != nil {
			d.handBack(dl)
			return
		}
		if d.barred(fetch, dl) {
			permit.Done(inflight.Outcome{})
			return
		}
		trial, ok := camp.silence.enter()
		if !ok {
			permit.Done(inflight.Outcome{})
			d.handBack(dl)
			return
		}
		answer := d.send(work, dl, target, permit)
		d.heed(work, answer)
		d.jury.answered(work, dl, answer, trial)
		if answer.Class == fcm.NotSent && fetch.Err() != nil {
			d.handBack(dl)
			return
		}
		verdict := d.opts.Retry.judge(answer, d.situation(dl, target))
		if verdict.forget {
			next, err := d.outlived(work, dl, target)
			if !next.IsZero() {
				target = next
				continue
			}
			if err != nil {
				verdict = d.opts.Retry.unforgotten(answer, d.situation(dl, target))
			}
		}
		d.conclude(dl, answer, verdict)
		return
	}
}

// barred tells that a recipient may be sent to no more, after the wait for a turn; the delivery has ended then.
func (d *Dispatcher) barred(fetch context.Context, dl *delivery) bool {
	now := d.now()
	switch {
	case dl.lease.camp.closed():
		d.handBack(dl)
	case dl.lease.camp.hold.Load() != nil && !dl.expired(now):
		d.handBack(dl)
	case !dl.lease.valid(now):
		d.metrics.lost.Inc()
		// Where the lease is another's by now, this gives back nothing; where only its extension failed, Redis may still hold it.
		d.handBack(dl)
	case dl.expired(now):
		d.finish(dl, d.settled(dl, dl.late()))
	case dl.lease.camp.keptBack(dl.recipient.Platform):
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
	dl.sent = now
	answer := d.deps.Sender.Send(work, dl.message, dl.envelope(target, now))
	permit.Done(experience(answer, d.now().Sub(now)))
	return answer
}

// situation gathers what judging needs.
func (d *Dispatcher) situation(dl *delivery, target notification.Target) situation {
	now := d.now()
	s := situation{
		attempts:      dl.attempts,
		elapsed:       max(0, now.Sub(d.warden.clockFrom(dl))),
		outage:        !d.jury.off() && !dl.lease.probed && !d.warden.heardAround(dl.sent),
		lost:          dl.element.Lost > 0,
		onAmbiguous:   dl.lease.camp.terms.Load().onAmbiguous,
		longestGate:   d.deps.Pacer.LongestGate(),
		provenMessage: dl.lease.camp.proven.Load() && !dl.lease.camp.template.IsPersonal(),
		target:        target,
	}
	if deadline := dl.lease.deadline(); !deadline.IsZero() {
		s.hasDeadline, s.remaining = true, deadline.Sub(now)
	}
	return s
}

// outlived deals with a token that is proven dead: it is removed wherever it is stored, comparing first, unless too many are. It
// returns a stored token that has not been tried: the dead one was stale. An error means that nobody knows whether there is one.
func (d *Dispatcher) outlived(work context.Context, dl *delivery, dead notification.Target) (current notification.Target, err error) {
	if user := dl.recipient.UserID; d.jury.mayForget(work) {
		dl.dead = append(dl.dead, dead)
		var found tokens.Forgotten
		found, err = d.deps.Tokens.Forget(work, user, dead, dl.lease.camp.id)
		current = found.Current
		if slices.ContainsFunc(dl.dead, found.InSQL.IsSame) {
			dl.inSQL = found.InSQL
		}
	} else {
		dl.spared = append(dl.spared, dead)
		current, err = d.deps.Tokens.Another(work, user, dead)
	}
	if err != nil {
		d.pauseIfRefused(work, dl.lease.camp, err)
		d.log.Warn("deal with dead token: its user is tried again later", "user", dl.recipient.UserID, "token", dead, "error", err)
		return notification.Target{}, err
	}
	if slices.ContainsFunc(dl.dead, current.IsSame) || slices.ContainsFunc(dl.spared, current.IsSame) {
		return notification.Target{}, nil
	}
	return current, nil
}

// conclude hands on what the verdict says.
func (d *Dispatcher) conclude(dl *delivery, answer fcm.Answer, v verdict) {
	if v.end == "" {
		attempts := dl.attempts
		if !v.counted {
			attempts--
		}
		d.finish(dl, d.later(dl, v.wait, attempts, cause(answer)))
		return
	}
	if v.end == notification.StatusSent {
		dl.lease.camp.proven.Store(true)
	}
	r := dl.end(v.end, v.code, v.detail)
	r.MessageID = answer.MessageID
	d.finish(dl, d.settled(dl, r))
}

// cause is what a recipient is counted under who is tried again after an answer that tells nothing of the outcome: the
// message may have been delivered already.
func cause(answer fcm.Answer) string {
	if mayHaveArrived(answer) {
		return campaign.CauseAmbiguous
	}
	return ""
}
