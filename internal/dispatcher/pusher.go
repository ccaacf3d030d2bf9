package dispatcher

import (
	"context"

	"fanfare/internal/fcm"
	"fanfare/internal/inflight"
)

// pusher sends messages, as each of the pool's goroutines does. A recipient's way has one
// direction: wait for a turn, send, decide what the answer means, replace a dead address, finish.
type pusher struct {
	*finisher  // ends recipients, or defers them
	deliveries <-chan *delivery
	sender     Sender
	pacer      Pacer
	wire       *inflight.Limiter
	decider    *decider
	replacer   *tokenReplacer
	traffic    *trafficReporter
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
	for {
		trial, ok := p.waitForTurn(fetch, dl, &s.permit)
		if !ok {
			return // it has ended, or goes back
		}
		answer := p.send(work, dl, s)
		next := p.decider.decide(fetch, work, dl, answer, trial)
		if next.deleteToken {
			found := p.replacer.replace(work, dl, answer)
			next = p.decider.decideReplaced(work, dl, answer, trial, found)
		}
		if !next.sendAgain {
			p.finishWith(dl, answer, next)
			return
		}
	}
}

// waitForTurn waits until the push may go, and returns its trial if there is an outage. If it may
// not go, the delivery has ended or goes back.
func (p *pusher) waitForTurn(fetch context.Context, dl *delivery, permit *inflight.Permit) (trial int64, ok bool) {
	camp := dl.lease.camp
	if camp.outage.isStopped() || p.acquire(camp, permit) != nil {
		p.handBack(dl)
		return 0, false
	}
	if p.finishIfStopped(fetch, dl) {
		permit.Done(inflight.Outcome{})
		return 0, false
	}
	if trial, ok = camp.outage.startPush(); !ok {
		permit.Done(inflight.Outcome{})
		p.handBack(dl)
	}
	return trial, ok
}

// acquire waits until the campaign may push and the limiter has room on the wire. The pace comes
// first, because a push that waits for it is not on the wire. If the gate closes during the second
// wait, it starts again.
func (p *pusher) acquire(camp *activeCampaign, permit *inflight.Permit) error {
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
func (p *pusher) send(work context.Context, dl *delivery, s *pushState) fcm.Answer {
	dl.attempts++
	now, target := p.now(), dl.recipient.Target
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
