package breaker

import (
	"fmt"
	"slices"
	"strings"
)

// Kind is what an answer says about a campaign. These words are stored in Redis and shown to
// operators.
type Kind string

// The kinds of FCM's answers.
const (
	// Accepted: FCM took the message.
	Accepted Kind = "accepted"
	// BadMessage: a field of the payload is refused; a message that is the same for all is wrong
	// for all.
	BadMessage Kind = "bad_message"
	// BadTarget: refused as invalid, with nothing said of the payload.
	BadTarget Kind = "bad_target"
	// SenderMismatch: the token belongs to another project.
	SenderMismatch Kind = "sender_mismatch"
	// ThirdPartyAuth: APNs or web push refuse the project's credentials for them.
	ThirdPartyAuth Kind = "third_party_auth"
	// Credentials: FCM refuses ours.
	Credentials Kind = "credentials"
	// NotFound: a 404 that does not speak of the token.
	NotFound Kind = "not_found"
	// Unregistered: the token is dead.
	Unregistered Kind = "unregistered"
	// Other: a refusal that the rules do not know. Its recipients end as failed, so many of them
	// are a harm.
	Other Kind = "other"
	// Unanswered: nothing came that tells the push's fate: 500, 503, a reset, a timeout, a proxy's
	// page.
	Unanswered Kind = "unanswered"
	// WrongEndpoint: unanswered, by a success that is not FCM's: something else stands at the
	// endpoint.
	WrongEndpoint Kind = "wrong_endpoint"
	// Neutral: nothing sent, or put off by a quota: they neither pass a canary nor trip anything,
	// and are no part of a share.
	Neutral Kind = "neutral"
)

// trippingKinds are the kinds that can trip. A kind that explains others comes first.
var trippingKinds = []Kind{Credentials, BadMessage, NotFound, SenderMismatch, ThirdPartyAuth, BadTarget, Unregistered, Other}

func (k Kind) isValid() bool {
	return k == Accepted || k == Neutral || k.isUnanswered() || slices.Contains(trippingKinds, k)
}

// isUnanswered reports whether the push got no answer from FCM. Such kinds have their own rule: see
// silence.go.
func (k Kind) isUnanswered() bool { return k == Unanswered || k == WrongEndpoint }

// Answer is what a report counts by.
type Answer struct {
	Kind Kind
	// Platform is android, ios, web…: up to 32 letters a to z, digits and underscores. Whatever
	// else counts as empty, which says that it is not known.
	Platform string
}

// meanings says for each kind what many of them mean and what to do.
var meanings = map[Kind]string{
	Credentials:    "FCM refuses our credentials; fix the service account or its permissions, and sending continues",
	BadMessage:     "FCM refuses a field of the message; correct the message (fanfare campaign set ID --message FILE), then resume the campaign",
	NotFound:       "FCM does not know what was asked for, and does not mean the token; check the project id and the endpoint, then resume the campaign",
	SenderMismatch: "the tokens belong to another Firebase project; check the project id, and whose audience this is, then resume the campaign",
	ThirdPartyAuth: "APNs or web push refuse the project's keys; renew them in the Firebase console, then resume the campaign",
	BadTarget:      "FCM refuses the requests and names no field; check that the audience's tokens are complete, then resume the campaign",
	Unregistered:   "the tokens are dead; check how old the audience is and where it comes from, then resume the campaign",
	Other:          "FCM refuses in a way that no rule knows; look at the campaign's results, then resume the campaign",
}

const filledWrong = "FCM refuses a field of the message as it was filled; correct the message (fanfare campaign set ID --message FILE) or the values that fill it, then resume the campaign"

// explain returns the sentence for the operator.
func (t *Trip) explain(canary, personal bool, said string) string {
	when := "in the last minute"
	if canary {
		when = "in the canary"
	}
	whose := ""
	if t.Scope == Platform {
		whose = " for " + t.Platform
	}
	meaning := meanings[t.Kind]
	if t.Kind == BadMessage && personal {
		meaning = filledWrong
	}
	return fmt.Sprintf("%d of %d answers%s %s (%.1f%%) are %s%s: %s", t.Count, t.Of, whose, when, percent(t.Count, t.Of), t.Kind, quote(said), meaning)
}

// quote returns FCM's text in parentheses. "; " only separates the observation from the advice.
func quote(said string) string {
	if said == "" {
		return ""
	}
	return " (" + strings.ReplaceAll(said, "; ", ", ") + ")"
}

func percent(part, whole int64) float64 {
	if whole == 0 {
		return 0
	}
	return 100 * float64(part) / float64(whole)
}
