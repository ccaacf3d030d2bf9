package dispatcher

import (
	"time"

	"fanfare/internal/breaker"
	"fanfare/internal/campaign"
	"fanfare/internal/fcm"
	"fanfare/internal/inflight"
)

// kindOf translates the class of an answer, which is about one recipient, to the breaker's kind,
// which is about a campaign.
func kindOf(a fcm.Answer) breaker.Kind {
	switch a.Class {
	case fcm.Sent:
		return breaker.Accepted
	case fcm.BadMessage, fcm.TooLarge:
		return breaker.BadMessage
	case fcm.BadTarget:
		return breaker.BadTarget
	case fcm.Unregistered:
		return breaker.Unregistered
	case fcm.SenderMismatch:
		return breaker.SenderMismatch
	case fcm.NotFound:
		return breaker.NotFound
	case fcm.ThirdPartyAuth:
		return breaker.ThirdPartyAuth
	case fcm.Credentials:
		return breaker.Credentials
	case fcm.Other:
		return breaker.Other
	case fcm.Unavailable, fcm.Ambiguous, fcm.NotFCM:
		if a.Foreign {
			return breaker.WrongEndpoint
		}
		return breaker.Unanswered
	default:
		return breaker.Neutral
	}
}

// healthOf is what an answer says about FCM's health. A 429 of one device or topic is about that
// device. A missing answer says nothing: one in some thousands never comes.
func healthOf(a fcm.Answer, took time.Duration) inflight.Outcome {
	o := inflight.Outcome{Latency: took, Signal: inflight.Good}
	switch {
	case a.HTTPStatus == 0 || a.Class == fcm.Ambiguous || a.Class == fcm.NotFCM:
		o.Signal = inflight.Ignore
	case a.Class == fcm.Unavailable, a.Class == fcm.Quota && a.Scope == fcm.QuotaProject:
		o.Signal = inflight.Overload
	}
	return o
}

// mayHaveArrived reports whether FCM may have delivered the message although its answer does not
// say so.
func mayHaveArrived(a fcm.Answer) bool { return a.Class == fcm.Ambiguous || a.Class == fcm.Unavailable }

// cause is what a deferred recipient is counted under if its message may have been delivered.
func cause(answer fcm.Answer) string {
	if mayHaveArrived(answer) {
		return campaign.CauseAmbiguous
	}
	return ""
}
