package dispatcher

import (
	"context"
	"strings"
	"time"

	"fanfare/internal/fcm"
	"fanfare/internal/notification"
	"fanfare/internal/queue"
	"fanfare/internal/responses"
)

// delivery is one recipient on its way from its claim to its outcome.
type delivery struct {
	lease          *lease
	element        queue.Element
	recipient      notification.Recipient
	message        *fcm.Message
	firstClaimedAt time.Time             // this process's clock
	sentAt         time.Time             // when the last request was made
	attempts       int                   // requests made, including those of earlier claims
	dead           []notification.Target // deleted dead tokens
	inSQL          notification.Target   // the deleted token that SQL holds, if known
	kept           []notification.Target // dead tokens kept because the deletion budget is spent
}

// result makes the final result of a recipient.
func (d *delivery) result(status notification.Status, code, detail string) *notification.Result {
	r := &notification.Result{
		CampaignID: d.lease.camp.id,
		UserID:     d.recipient.UserID,
		Status:     status,
		ErrorCode:  code,
		Error:      detail,
		Attempts:   d.attempts,
		ResultID:   d.element.ID,
	}
	if n := len(d.dead); n > 0 {
		r.TokenRemoved, r.Token = true, spelledInSQL(d.dead[n-1])
	}
	if !d.inSQL.IsZero() { // a result names one token, and only that one is cleared in SQL
		r.Token = spelledInSQL(d.inSQL)
	}
	return r
}

// spelledInSQL is a token as SQL may store it. A text in SQL contains no NUL.
func spelledInSQL(t notification.Target) string {
	if text := t.Text(); strings.IndexByte(text, 0) < 0 {
		return text
	}
	return t.Value
}

// invalidTokenResult ends a recipient that has only a value that cannot be a token.
func (d *delivery) invalidTokenResult(found notification.Target) *notification.Result {
	return d.result(notification.StatusFailed, notification.CodeInvalidToken, "what stands for the token cannot be one: "+found.Problem())
}

// deadlineResult ends a recipient that was not sent to before the deadline. It is unknown, not
// expired, if an earlier push may have arrived.
func (d *delivery) deadlineResult() *notification.Result {
	if d.element.Lost > 0 {
		return d.result(notification.StatusUnknown, notification.CodeOutcomeUnknown, "its sender stopped without an outcome, and then the campaign's deadline passed")
	}
	return d.result(notification.StatusExpired, notification.CodeDeadline, "the campaign's deadline has passed")
}

// envelope addresses the message. Its TTL ends at the deadline, so that no device shows the message
// later.
func (d *delivery) envelope(target notification.Target, now time.Time) fcm.Envelope {
	e := fcm.Envelope{Target: target, Campaign: d.lease.camp.id, User: d.recipient.UserID}
	if deadline := d.lease.deadline(); !deadline.IsZero() {
		e.TTL = max(deadline.Sub(now), time.Nanosecond) // zero would mean no limit
	}
	return e
}

// outcomeOf is the outcome of a recipient that has ended.
func (d *Dispatcher) outcomeOf(dl *delivery, r *notification.Result) outcome {
	r.At = d.now()
	rare := 0
	if notification.IsRareCode(r.ErrorCode) {
		rare = notification.MaxRareCodes
	}
	d.metrics.ended(r.Status, r.ErrorCode)
	return outcome{lease: dl.lease, settlement: queue.Settlement{
		Claim:   dl.lease.claim,
		Pos:     dl.element.Pos,
		Status:  string(r.Status),
		Code:    r.ErrorCode,
		MaxRare: rare,
		Emit:    responses.Append(make([]byte, 0, usualResult), r),
	}}
}

// retryIn is the outcome of a recipient that is tried again after wait. It is counted under cause,
// unless that is empty.
func (d *Dispatcher) retryIn(dl *delivery, wait time.Duration, attempts int, cause string) outcome {
	d.metrics.retries.Inc()
	return outcome{lease: dl.lease, settlement: queue.Settlement{
		Claim: dl.lease.claim, Pos: dl.element.Pos, Later: true, Delay: wait, Attempts: attempts, Cause: cause,
	}}
}

// postpone defers a recipient after a fault that is not its own. That does not count as an attempt.
// During a stop, the stop itself may be the fault, so the recipient goes back.
func (d *Dispatcher) postpone(fetch context.Context, dl *delivery, floor time.Duration) {
	if fetch.Err() != nil {
		d.handBack(dl)
		return
	}
	wait := d.opts.Retry.backoff(1, floor, 0)
	if deadline := dl.lease.deadline(); !deadline.IsZero() && d.now().Add(wait).After(deadline) {
		wait = max(0, deadline.Sub(d.now())) // it ends as expired at the deadline
	}
	d.finish(dl, d.retryIn(dl, wait, dl.attempts, ""))
}

// finish hands a recipient's outcome to the acker and frees its slot.
func (d *Dispatcher) finish(dl *delivery, e outcome) {
	dl.lease.camp.inflight.Add(-1)
	d.held.Add(-1)
	d.reporter.countEnded(dl.lease, 1)
	if !e.goesBack {
		dl.lease.camp.unwritten.Add(1)
	}
	d.acker.events <- e
	d.slots.release(1)
}

// handBack returns a recipient that was not sent to.
func (d *Dispatcher) handBack(dl *delivery) {
	d.finish(dl, outcome{lease: dl.lease, goesBack: true})
}

// isExpired reports whether the campaign's deadline has passed.
func (d *delivery) isExpired(now time.Time) bool {
	deadline := d.lease.deadline()
	return !deadline.IsZero() && !now.Before(deadline)
}

// usualResult is the length in bytes that most results do not exceed.
const usualResult = 384
