package dispatcher

import (
	"fmt"
	"time"

	"fanfare/internal/campaign"
	"fanfare/internal/fcm"
	"fanfare/internal/notification"
)

// verdict is what an answer means for one recipient: an end with a status, or another try after a wait.
type decision struct {
	status     notification.Status // empty: try again
	code    string
	detail  string
	wait    time.Duration
	counted bool // the try counts as an attempt
	deleteToken  bool // the token is proven dead
}

// situation is what judging an answer depends on besides the answer.
type attempt struct {
	attempts    int           // requests made for the recipient, this one included
	elapsed     time.Duration // since the recipient's first claim, or since the campaign or its project last went on
	outage      bool          // FCM answered no one around the time of the push
	lost        bool          // an earlier sender stopped without an outcome
	remaining   time.Duration // until the campaign's deadline; negative or zero only when it has passed
	hasDeadline bool
	onAmbiguous campaign.OnAmbiguous
	// longestGate is what the gate cuts a Retry-After of the project to; 0: nothing is cut.
	longestGate time.Duration
	// provenMessage: FCM accepted this very message for somebody else, so a refusal is about the target.
	provenMessage bool
	// target is what the push was addressed to.
	target notification.Target
}

// isDoubtful reports whether a 400 may be about what was made of the target: it is our reading of
// what was found, or holds what no token of FCM's does. Looking costs most of a microsecond.
func (s *attempt) isDoubtful() bool { return s.target.IsTrimmed() || s.target.IsUnusual() }

// judge applies the table of FCM's rules to one recipient.
func (r Retry) decide(a fcm.Answer, s attempt) decision {
	v := decision{code: a.Code, detail: a.Detail, counted: true}
	if mayHaveArrived(a) {
		return r.decideAmbiguous(v, a, s)
	}
	switch a.Class {
	case fcm.Sent:
		v.status = notification.StatusSent
		return v
	case fcm.Unregistered:
		v.status, v.deleteToken = notification.StatusFailed, true
		return v
	case fcm.BadTarget:
		v.status, v.deleteToken = notification.StatusFailed, s.provenMessage && !s.isDoubtful()
		return v
	case fcm.Quota:
		asked := a.RetryAfter
		if asked == 0 {
			asked = r.Quota
		}
		if a.Scope == fcm.QuotaProject && s.longestGate > 0 { // the gate opens then, and the recipient waits no longer
			asked = min(asked, s.longestGate)
		}
		v.wait = r.backoff(1, r.Unsent, asked)
		if a.Scope == fcm.QuotaProject { // no fault of the recipient's, whom a long gate must not fail
			v.counted = false
			return v.applyDeadline(a, s)
		}
	case fcm.NotSent:
		// FCM cannot be reached: nobody is failed for that, however long it lasts.
		v.wait, v.counted = r.backoff(s.attempts, r.Unsent, a.RetryAfter), false
		return v.applyDeadline(a, s)
	case fcm.NotFCM:
		v.wait, v.counted = r.backoff(s.attempts, r.Outage, a.RetryAfter), !s.outage
	case fcm.Credentials:
		v.wait, v.counted = r.Outage, false
		return v.applyDeadline(a, s)
	default:
		v.status = notification.StatusFailed
		return v
	}
	return r.applyLimits(v, a, s).applyDeadline(a, s)
}

// mayHaveArrived tells that FCM may have delivered the message, though its answer does not say so.
func mayHaveArrived(a fcm.Answer) bool { return a.Class == fcm.Ambiguous || a.Class == fcm.Unavailable }

// uncertain does what the campaign wants with a recipient who may have the message. While FCM answers no one, a push without
// an answer is no attempt: an outage uses up none of them.
func (r Retry) decideAmbiguous(v decision, a fcm.Answer, s attempt) decision {
	if s.onAmbiguous == campaign.Report {
		v.status = notification.StatusUnknown
		if v.code == "" {
			v.code = notification.CodeOutcomeUnknown
		}
		return v
	}
	v.wait, v.counted = r.backoff(s.attempts, r.MinBackoff, a.RetryAfter), !s.outage
	return r.applyLimits(v, a, s).applyDeadline(a, s)
}

// unforgotten puts off a recipient whose token proved dead while the stores did not say whether there is another: the
// next try asks them again.
func (r Retry) retryLookup(a fcm.Answer, s attempt) decision {
	v := decision{code: a.Code, detail: a.Detail, wait: r.backoff(s.attempts, r.Outage, 0), counted: true}
	return r.applyLimits(v, a, s).applyDeadline(a, s)
}

// limit ends what has been tried too often or for too long: as unknown where the last try may have arrived. The time counts
// from the second attempt on: before the first, a recipient may have waited for a paused campaign or for SQL.
func (r Retry) applyLimits(v decision, a fcm.Answer, s attempt) decision {
	if !v.counted {
		return v
	}
	first := s.attempts == 1
	tooOften := s.attempts >= r.MaxAttempts
	tooLong := !first && s.elapsed+v.wait > r.MaxElapsed
	if !tooOften && !tooLong {
		return v
	}
	v.status = notification.StatusFailed
	if mayHaveArrived(a) {
		v.status = notification.StatusUnknown
	}
	if v.code == "" {
		v.code = notification.CodeGaveUp
	}
	v.detail = fmt.Sprintf("gave up after %d attempts in %s: %s", s.attempts, s.elapsed.Round(time.Second), v.detail)
	return v
}

// within ends what would come back only after the campaign's deadline. What may have arrived with this
// try, or by a sender that was lost, is not called expired. That an earlier try was ambiguous is kept only in the books.
func (v decision) applyDeadline(a fcm.Answer, s attempt) decision {
	if v.status != "" || !s.hasDeadline || v.wait < s.remaining {
		return v
	}
	v.status, v.code = notification.StatusExpired, notification.CodeDeadline
	if mayHaveArrived(a) || s.lost {
		v.status, v.code = notification.StatusUnknown, notification.CodeOutcomeUnknown
	}
	return v
}
