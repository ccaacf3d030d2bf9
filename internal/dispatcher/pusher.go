package dispatcher

import (
	"context"
	"log/slog"
	"time"

	"fanfare/internal/fcm"
	"fanfare/internal/inflight"
	"fanfare/internal/notification"
)

// pusher sends messages, as each of the pool's goroutines does.
type pusher struct {
	*finisher  // ends recipients, or defers them
	deliveries <-chan *delivery
	sender     Sender
	pacer      Pacer
	wire       *inflight.Limiter
	tokens     *tokenReplacer
	answers    answerCounter // the reporter
	traffic    *trafficReporter
	history    answerHistory // the prober
	log        *slog.Logger
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

// run sends deliveries until there are no more. After fetching has stopped, unsent recipients go
// back.
func (p *pusher) run(fetch, work context.Context) {
	s := new(pushState)
	for dl := range p.deliveries {
		p.deliver(fetch, work, dl, s)
	}
}

// pushState is what a goroutine of the pool uses again for each push.
type pushState struct {
	permit inflight.Permit
	body   []byte // of the request
}

// maxSpareBody limits in bytes the buffers for bodies that are kept, of which the pool has many.
const maxSpareBody = 8 << 10

// deliver sends to one recipient, and again if the address is dead and there is another one.
func (p *pusher) deliver(fetch, work context.Context, dl *delivery, s *pushState) {
	camp := dl.lease.camp
	for {
		target := dl.recipient.Target
		if camp.outage.isStopped() {
			p.handBack(dl)
			return
		}
		if p.waitForTurn(camp, &s.permit) != nil {
			p.handBack(dl)
			return
		}
		if p.finishIfStopped(fetch, dl) {
			s.permit.Done(inflight.Outcome{})
			return
		}
		trial, ok := camp.outage.startPush()
		if !ok {
			s.permit.Done(inflight.Outcome{})
			p.handBack(dl)
			return
		}
		answer := p.send(work, dl, target, s)
		p.closeGateIfAsked(work, answer)
		successor, err := p.tokens.findSuccessor(work, dl, target, answer)
		if answer.Class != fcm.Unregistered {
			p.answers.countAnswer(work, dl, answer, trial, false)
		}
		if answer.Class == fcm.NotSent && fetch.Err() != nil {
			p.handBack(dl)
			return
		}
		decided := p.retry.decide(answer, p.attemptOf(dl, target))
		var next replacement
		if decided.deleteToken && err == nil {
			next, err = p.tokens.replace(work, dl, target, successor)
		}
		if answer.Class == fcm.Unregistered {
			p.countDead(work, dl, answer, trial, err == nil && next.target.IsZero())
		}
		if !next.target.IsZero() {
			dl.recipient.Target = next.target
		}
		switch {
		case next.isDuplicate:
			p.end(dl, dl.duplicateResult())
			return
		case err == nil && !next.target.IsZero():
			continue
		case err != nil:
			decided = p.retry.retryLookup(answer, p.attemptOf(dl, target))
		}
		p.finishWith(dl, answer, decided)
		return
	}
}

// countDead counts the answer that an address is dead. The breaker judges users: the answer counts
// for one whose last address it was. A device among others counts when its user ends without any.
func (p *pusher) countDead(work context.Context, dl *delivery, a fcm.Answer, trial int64, isLast bool) {
	isOneOfSeveral := dl.group() != nil
	p.answers.countAnswer(work, dl, a, trial, !isLast || isOneOfSeveral)
	if isLast && isOneOfSeveral {
		dl.device.dead = true
	}
}

// waitForTurn waits until the campaign may push and the limiter has room on the wire. The pace
// comes first, because a push that waits for it is not on the wire. If the gate closes during the
// second wait, it starts again.
func (p *pusher) waitForTurn(camp *activeCampaign, permit *inflight.Permit) error {
	for {
		if err := p.pacer.Wait(camp.ctx, camp.pacingPush()); err != nil {
			return err
		}
		if err := p.wire.Acquire(camp.ctx, permit); err != nil {
			return err
		}
		if !p.pacer.IsBlocked() {
			return nil
		}
		permit.Done(inflight.Outcome{})
	}
}

// finishIfStopped ends the delivery if its campaign closed, its lease or deadline passed, or its
// platform is paused. It reports whether it did.
func (p *pusher) finishIfStopped(fetch context.Context, dl *delivery) bool {
	now := p.now()
	switch {
	case dl.lease.camp.isClosed():
		p.handBack(dl)
	case dl.lease.camp.hold.Load() != nil && !dl.isExpired(now):
		p.handBack(dl)
	case !dl.lease.IsValid(now):
		p.metrics.lost.Inc()
		// If another process has the lease, this gives nothing back. If only an extension failed,
		// Redis may still have our lease.
		p.handBack(dl)
	case dl.isExpired(now):
		p.end(dl, dl.deadlineResult())
	case dl.lease.camp.isPlatformPaused(dl.recipient.Platform):
		p.postpone(fetch, dl, p.retry.KeptBack)
	default:
		return p.waitIfClosed(dl, now)
	}
	return true
}

// send makes one request.
func (p *pusher) send(work context.Context, dl *delivery, target notification.Target, s *pushState) fcm.Answer {
	dl.attempts++
	now := p.now()
	dl.sentAt = now
	body := dl.message.AppendRequest(s.body, dl.envelope(target, now), now)
	if cap(body) <= maxSpareBody {
		s.body = body[:0]
	}
	answer := p.sender.Send(work, body, target)
	answered := p.now()
	s.permit.Done(healthOf(answer, answered.Sub(now)))
	p.traffic.count(dl.lease.camp, answer, answered.Sub(now))
	if dl.trace != nil {
		dl.traceSend(now, answered, answer)
	}
	return answer
}

// closeGateIfAsked closes the gate after a project-wide 429.
func (p *pusher) closeGateIfAsked(work context.Context, a fcm.Answer) {
	if a.Class != fcm.Quota || a.Scope != fcm.QuotaProject {
		return
	}
	if err := p.pacer.CloseGate(work, a.RetryAfter, "429: "+a.Detail); err != nil {
		p.log.Warn("gate not closed in Redis; this process waits, and retries", "error", err)
	}
}

// attemptOf collects what a decision depends on.
func (p *pusher) attemptOf(dl *delivery, target notification.Target) attempt {
	now := p.now()
	s := attempt{
		attempts:      dl.attempts,
		elapsed:       max(0, now.Sub(p.history.retryStart(dl))),
		outage:        p.answers.areJudged() && !dl.lease.afterProbe && !p.history.answeredAround(dl.sentAt),
		lost:          dl.element.Lost > 0,
		onAmbiguous:   dl.lease.camp.settings.Load().onAmbiguous,
		longestGate:   p.pacer.LongestGate(),
		provenMessage: dl.lease.camp.proven.Load() && !dl.lease.camp.content.IsPersonal(),
		target:        target,
	}
	if deadline := dl.lease.deadline(); !deadline.IsZero() {
		s.hasDeadline, s.remaining = true, deadline.Sub(now)
	}
	return s
}

// finishWith ends the delivery, or defers it, as decided.
func (p *pusher) finishWith(dl *delivery, answer fcm.Answer, v decision) {
	if v.status == "" {
		attempts := dl.attempts
		if !v.counted {
			attempts--
		}
		p.retryIn(dl, v.wait, attempts, cause(answer))
		return
	}
	if v.status == notification.StatusSent {
		dl.lease.camp.proven.Store(true)
	}
	r := dl.result(v.status, v.code, v.detail)
	r.MessageID = answer.MessageID
	p.end(dl, r)
}
