package dispatcher

import (
	"strconv"
	"time"

	"fanfare/internal/campaign"
	"fanfare/internal/content"
	"fanfare/internal/dedupe"
	"fanfare/internal/fcm"
	"fanfare/internal/notification"
	"fanfare/internal/queue"
	"fanfare/internal/tracing"
)

// delivery is one recipient on its way from its claim to its outcome.
type delivery struct {
	lease          *lease
	element        queue.Element
	recipient      notification.Recipient
	final          notification.Result // see result
	message        *content.Message
	values         content.Values // of the recipient's own, until the message is filled
	locale         string         // the language of the message, once isPicked; see language
	isPicked       bool
	firstClaimedAt time.Time             // this process's clock
	sentAt         time.Time             // when the last request was made
	attempts       int                   // requests made, including those of earlier claims
	taken          []dedupe.Address      // what this element alone is sent to, in the order of sending
	dead           []notification.Target // deleted dead tokens
	inSQL          notification.Target   // the deleted token that SQL holds, if known
	kept           []notification.Target // dead tokens kept because the deletion budget is spent
	trace          *tracing.Trace        // of its way; nil for most recipients
	preparedAt     time.Time             // when it was ready for the pool; only with a trace
	device         *deviceDelivery       // nil for a recipient with one address
	suppressed     bool                  // the user gets no push
	turn           *turn                 // nil in a campaign that sends at any time
	entry          capEntry              // what counts against the caps of the user
}

// tracePreparation records the step from the claim to the pool.
func (d *delivery) tracePreparation(from, to time.Time) {
	d.preparedAt = to
	d.trace.Span("prepare", from, to)
}

// traceSend records the waits before a request, and the request.
func (d *delivery) traceSend(from, to time.Time, a fcm.Answer) {
	d.trace.Span("wait", d.preparedAt, from)
	d.trace.Span("send", from, to, "class", a.Class.String(), "code", a.Code)
	d.preparedAt = to
}

// traceEnd records the whole way of the recipient.
func (d *delivery) traceEnd(r *notification.Result) {
	d.trace.Root("recipient", d.firstClaimedAt, r.At,
		"campaign", r.CampaignID, "status", string(r.Status), "code", r.ErrorCode, "attempts", strconv.Itoa(r.Attempts))
}

// result makes the final result of a recipient. A delivery has one.
func (d *delivery) result(status notification.Status, code, detail string) *notification.Result {
	r := &d.final
	*r = notification.Result{
		CampaignID: d.lease.camp.id,
		UserID:     d.recipient.UserID,
		Status:     status,
		ErrorCode:  code,
		Error:      detail,
		Attempts:   d.attempts,
		ResultID:   d.element.ID,
	}
	if n := len(d.dead); n > 0 {
		r.TokenRemoved, r.Token = true, d.dead[n-1].TextInSQL()
	}
	if !d.inSQL.IsZero() { // a result names one token, and only that one is cleared in SQL
		r.Token = d.inSQL.TextInSQL()
	}
	return r
}

// notes counts what the books have of a recipient beside its outcome.
func (d *delivery) notes() []queue.Note {
	if g := d.group(); g != nil {
		return g.notes()
	}
	var notes []queue.Note
	if len(d.kept) > 0 {
		notes = append(notes, queue.Note{Name: campaign.NoteTokenKept, N: 1})
	}
	if d.device != nil && len(d.device.moved) > 0 {
		notes = append(notes, queue.Note{Name: campaign.NoteMoved, N: len(d.device.moved)})
	}
	return notes
}

// invalidDeviceResult ends a device without a usable address.
func (d *delivery) invalidDeviceResult(device notification.Device) *notification.Result {
	if device.Problem == "" {
		return d.invalidTokenResult(device.Target)
	}
	return d.result(notification.StatusFailed, notification.CodeInvalidToken, "the device has no address: "+device.Problem)
}

// lostResult ends a recipient whose sender stopped without an outcome, if its campaign only reports
// that.
func (d *delivery) lostResult() *notification.Result {
	return d.result(notification.StatusUnknown, notification.CodeOutcomeUnknown, "its sender stopped without an outcome")
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

// suppressedResult ends a recipient who is suppressed. It is unknown, not skipped, if an earlier
// push may have arrived.
func (d *delivery) suppressedResult() *notification.Result {
	if d.element.Lost > 0 {
		return d.result(notification.StatusUnknown, notification.CodeOutcomeUnknown, "its sender stopped without an outcome, and then the user was suppressed")
	}
	return d.result(notification.StatusSkipped, notification.CodeSuppressed, "the user is suppressed")
}

// envelope addresses the message. Its TTL ends at the deadline, so that no device shows the message
// later.
func (d *delivery) envelope(target notification.Target, now time.Time) content.Envelope {
	e := content.Envelope{Target: target, Campaign: d.lease.camp.id, User: d.recipient.UserID, Tag: d.recipient.Tag}
	if deadline := d.lease.deadline(); !deadline.IsZero() {
		e.TTL = max(deadline.Sub(now), time.Nanosecond) // zero would mean no limit
	}
	return e
}

// isExpired reports whether the campaign's deadline has passed.
func (d *delivery) isExpired(now time.Time) bool {
	deadline := d.lease.deadline()
	return !deadline.IsZero() && !now.Before(deadline)
}
