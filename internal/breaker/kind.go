package breaker

import "slices"

// Kind is what an answer says of a campaign, whatever it says of its recipient. The words stand in Redis and in what
// operators see.
type Kind string

// What FCM's answers come down to here.
const (
	// Accepted: FCM took the message.
	Accepted Kind = "accepted"
	// BadMessage: a field of the payload is refused; a message that is the same for all is wrong for all.
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
	// Other: a refusal that the rules do not know. Its recipients end as failed, so many of them are a harm.
	Other Kind = "other"
	// Unanswered: nothing came that tells the push's fate: 500, 503, a reset, a timeout, a proxy's page.
	Unanswered Kind = "unanswered"
	// WrongEndpoint: unanswered, by a success that is not FCM's: something else stands at the endpoint.
	WrongEndpoint Kind = "wrong_endpoint"
	// Neutral: nothing sent, or put off by a quota: they neither pass a canary nor trip anything, and are no part of a share.
	Neutral Kind = "neutral"
)

// judged are the kinds that can trip, those first that explain the others.
var judged = []Kind{Credentials, BadMessage, NotFound, SenderMismatch, ThirdPartyAuth, BadTarget, Unregistered, Other}

func (k Kind) valid() bool {
	return k == Accepted || k == Neutral || k.noAnswer() || slices.Contains(judged, k)
}

// noAnswer reports whether the push got no answer of FCM's. Such kinds have a rule of their own; see silence.go.
func (k Kind) noAnswer() bool { return k == Unanswered || k == WrongEndpoint }

// Answer is what a tally counts by.
type Answer struct {
	Kind Kind
	// Platform is android, ios, web…: up to 32 letters a to z, digits and underscores. Whatever else counts as
	// empty, which says that it is not known.
	Platform string
}
