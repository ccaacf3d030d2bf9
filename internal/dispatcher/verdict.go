package dispatcher

import (
	"fmt"
	"time"

	"fanfare/internal/campaign"
	"fanfare/internal/fcm"
	"fanfare/internal/notification"
)

// verdict is what an answer means for one recipient: an end with a status, or another try after a wait.
type verdict struct {
	end     notification.Status // empty: try again
	code    string
	detail  string
	wait    time.Duration
	counted bool // the try counts as an attempt
	forget  bool // the token is proven dead
}

// situation is what judging an answer depends on besides the answer.
type situation struct {
	attempts    int           // requests made for the recipient, this one included
	elapsed     time.Duration // since the recipient's first claim
	remaining   time.Duration // until the campaign's deadline; negative or zero only when it has passed
	hasDeadline bool
	onAmbiguous campaign.OnAmbiguous
	// provenMessage: FCM accepted this very message for somebody else, so a refusal is about the target.
	provenMessage bool
}

// judge applies the table of FCM's rules to one recipient.
func (r Retry) judge(a fcm.Answer, s situation) verdict {
	v := verdict{code: a.Code, detail: a.Detail, counted: true}
	switch a.Class {
	case fcm.Sent:
		v.end = notification.StatusSent
		return v
	case fcm.Unregistered:
		v.end, v.forget = notification.StatusFailed, true
		return v
	case fcm.BadTarget:
		v.end, v.forget = notification.StatusFailed, s.provenMessage
		return v
	case fcm.Unavailable, fcm.Ambiguous:
		if s.onAmbiguous == campaign.Report {
			v.end = notification.StatusUnknown
			if v.code == "" {
				v.code = notification.CodeOutcomeUnknown
			}
			return v
		}
		v.wait = r.backoff(s.attempts, r.MinBackoff, a.RetryAfter)
	case fcm.Quota:
		asked := a.RetryAfter
		if asked == 0 {
			asked = r.Quota
		}
		v.wait = r.backoff(1, r.Unsent, asked)
	case fcm.NotSent:
		v.wait, v.counted = r.backoff(s.attempts, r.Unsent, a.RetryAfter), false
	case fcm.Credentials:
		v.wait, v.counted = r.Outage, false
		return v.within(s)
	default:
		v.end = notification.StatusFailed
		return v
	}
	return r.limit(v, a, s).within(s)
}

// limit ends what has been tried too often or for too long.
func (r Retry) limit(v verdict, a fcm.Answer, s situation) verdict {
	if (!v.counted || s.attempts < r.MaxAttempts) && s.elapsed+v.wait <= r.MaxElapsed {
		return v
	}
	v.end = notification.StatusFailed
	if a.Class == fcm.Ambiguous {
		v.end = notification.StatusUnknown
	}
	if v.code == "" {
		v.code = notification.CodeGaveUp
	}
	v.detail = fmt.Sprintf("gave up after %d attempts in %s: %s", s.attempts, s.elapsed.Round(time.Second), v.detail)
	return v
}

// within ends what would come back only after the campaign's deadline.
func (v verdict) within(s situation) verdict {
	if v.end == "" && s.hasDeadline && v.wait >= s.remaining {
		v.end, v.code = notification.StatusExpired, notification.CodeDeadline
	}
	return v
}
