package dispatcher

import (
	"fanfare/internal/breaker"
	"fanfare/internal/fcm"
)

// kindOf translates what an answer is to a recipient into what it is to a campaign.
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
