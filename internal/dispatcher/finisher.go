package dispatcher

import (
	"context"
	"time"

	"fanfare/internal/campaign"
	"fanfare/internal/caps"
	"fanfare/internal/fcm"
	"fanfare/internal/notification"
	"fanfare/internal/queue"
	"fanfare/internal/responses"
)

// finisher ends deliveries: it hands their outcomes to the acker and frees their slots.
type finisher struct {
	outcomes chan<- outcome // to the acker
	slots    *slots
	breaker  userCounter // the reporter
	retry    Retry
	metrics  *metrics
	now      func() time.Time
	caps     *caps.Limiter // nil: no user is capped
}

// userCounter takes for the breakers what only shows when a recipient ends.
type userCounter interface {
	countEnded(l *lease, n int)
	countUnreachable(l *lease, platform string)
}

// finishWith ends a delivery, defers it, or gives it back, as decided.
func (f *finisher) finishWith(dl *delivery, a fcm.Answer, v decision) {
	switch {
	case v.goesBack:
		f.handBack(dl)
	case v.status == "":
		attempts := dl.attempts
		if !v.counted {
			attempts--
		}
		f.retryIn(dl, v.wait, attempts, cause(a))
	default:
		r := dl.result(v.status, v.code, v.detail)
		r.MessageID = a.MessageID
		f.end(dl, r)
	}
}

// end ends a delivery with its final result.
func (f *finisher) end(dl *delivery, r *notification.Result) {
	if g := dl.group(); g != nil {
		f.endDevice(dl, g, r)
		return
	}
	if dl.device != nil {
		addMoved(r, dl.device.moved, deviceResultOf(dl, r))
	}
	f.finish(dl, f.outcomeOf(dl, r))
}

// handBack returns a recipient that was not sent to.
func (f *finisher) handBack(dl *delivery) {
	if g := dl.keptGroup(); g != nil {
		f.returnDevice(dl, g)
		return
	}
	f.finish(dl, outcome{lease: dl.lease, goesBack: true, uncounted: f.uncountedUnsent(dl, dl.mayHaveSent())})
}

// postpone defers a recipient after a fault that is not its own. That does not count as an attempt.
// During a stop, the stop itself may be the fault, so the recipient goes back.
func (f *finisher) postpone(fetch context.Context, dl *delivery, floor time.Duration) {
	if fetch.Err() != nil {
		f.handBack(dl)
		return
	}
	wait := f.retry.backoff(1, floor, 0)
	if deadline := dl.lease.deadline(); !deadline.IsZero() && f.now().Add(wait).After(deadline) {
		wait = max(0, deadline.Sub(f.now())) // it ends as expired at the deadline
	}
	f.retryIn(dl, wait, dl.attempts, "")
}

// retryIn has a recipient tried again after wait. It is counted under cause, unless that is empty.
func (f *finisher) retryIn(dl *delivery, wait time.Duration, attempts int, cause string) {
	if g := dl.keptGroup(); g != nil {
		f.deferDevice(dl, g, wait, attempts, cause)
		return
	}
	f.countDeferral(cause)
	f.finish(dl, outcome{lease: dl.lease, uncounted: f.uncountedUnsent(dl, dl.mayHaveSent()), settlement: queue.Settlement{
		Claim: dl.lease.Claim, Pos: dl.element.Pos, Later: true, Delay: wait, Attempts: attempts, Progress: dl.element.Progress, Cause: cause,
	}})
}

// countDeferral counts a recipient that is tried again. A wait for a window is no retry.
func (f *finisher) countDeferral(cause string) {
	if cause == campaign.CauseWindow {
		f.metrics.windowWaits.Inc()
	} else {
		f.metrics.retries.Inc()
	}
}

// usualResult is the length in bytes that most results do not exceed.
const usualResult = 384

// outcomeOf is the outcome of a recipient that has ended.
func (f *finisher) outcomeOf(dl *delivery, r *notification.Result) outcome {
	r.At = f.now()
	rare := 0
	if notification.IsRareCode(r.ErrorCode) {
		rare = notification.MaxRareCodes
	}
	if dl.trace != nil {
		dl.traceEnd(r)
	}
	notes := dl.recordChoice(r, append(dl.notes(), dl.turnNotes(r.Status)...))
	f.metrics.ended(r.Status, r.ErrorCode, r.At.Sub(dl.firstClaimedAt))
	return outcome{lease: dl.lease, unreached: dl.unreached(r.Status), uncounted: f.uncounted(dl, r.Status), settlement: queue.Settlement{
		Claim:   dl.lease.Claim,
		Pos:     dl.element.Pos,
		Status:  string(r.Status),
		Code:    r.ErrorCode,
		Notes:   notes,
		MaxRare: rare,
		Emit:    responses.Append(make([]byte, 0, usualResult), r),
	}}
}

// finish hands an outcome to the acker and frees the recipient's slot.
func (f *finisher) finish(dl *delivery, e outcome) {
	dl.lease.camp.inflight.Add(-1)
	f.metrics.held.Add(-1)
	f.breaker.countEnded(dl.lease, 1)
	if !e.goesBack {
		dl.lease.camp.unwritten.Add(1)
	}
	f.outcomes <- e
	f.slots.release(1)
}
