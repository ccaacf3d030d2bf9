package dispatcher

import (
	"strings"
	"time"

	"fanfare/internal/fcm"
	"fanfare/internal/notification"
	"fanfare/internal/queue"
)

// delivery is one recipient on the way from its claim to its end.
type delivery struct {
	lease     *lease
	element   queue.Element
	recipient notification.Recipient
	message   *fcm.Message
	firstClaimedAt     time.Time             // of the first claim; by this process's clock
	sentAt      time.Time             // when the last request was made
	attempts  int                   // requests made, those of earlier claims included
	dead      []notification.Target // removed
	inSQL     notification.Target   // the one of these that SQL holds, if that is known
	kept    []notification.Target // dead, too, and kept: too many are
}

// end makes the outcome of a recipient who needs no more tries.
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
	if !d.inSQL.IsZero() { // a result names one token, and SQL is cleared of no other
		r.Token = spelledInSQL(d.inSQL)
	}
	return r
}

// spelledInSQL is a token as SQL may hold it. No text in SQL holds a NUL.
func spelledInSQL(t notification.Target) string {
	if text := t.Text(); strings.IndexByte(text, 0) < 0 {
		return text
	}
	return t.Value
}

// invalid is the end of a recipient for whom nothing is stored but a value that can be no token.
func (d *delivery) invalidTokenResult(found notification.Target) *notification.Result {
	return d.result(notification.StatusFailed, notification.CodeInvalidToken, "what stands for the token cannot be one: "+found.Problem())
}

// late is the end of a recipient whose turn did not come before the deadline. What may have arrived is not called expired.
func (d *delivery) deadlineResult() *notification.Result {
	if d.element.Lost > 0 {
		return d.result(notification.StatusUnknown, notification.CodeOutcomeUnknown, "its sender stopped without an outcome, and then the campaign's deadline passed")
	}
	return d.result(notification.StatusExpired, notification.CodeDeadline, "the campaign's deadline has passed")
}

// envelope addresses the message. Nobody is to see it after the deadline, so no device is waited for any longer.
func (d *delivery) envelope(target notification.Target, now time.Time) fcm.Envelope {
	e := fcm.Envelope{Target: target, Campaign: d.lease.camp.id, User: d.recipient.UserID}
	if deadline := d.lease.deadline(); !deadline.IsZero() {
		e.TTL = max(deadline.Sub(now), time.Nanosecond) // zero would be no bound
	}
	return e
}
