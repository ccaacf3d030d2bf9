package fcm

import (
	"strings"
	"time"
	"unicode"

	"fanfare/internal/notification"
	"fanfare/internal/redact"
)

// Class is what an answer means for the recipient, its token and the campaign. docs/tokens.md
// and docs/breakers.md describe the consequences.
type Class uint8

// Every Send ends in exactly one of these.
const (
	// Sent: FCM accepted the message. Answer.MessageID names it.
	Sent Class = iota + 1
	// BadMessage: FCM refused a field of the payload, so the message is wrong for everyone. The
	// token is not at fault.
	BadMessage
	// BadTarget: INVALID_ARGUMENT without a word about the payload. The token is probably at fault,
	// but this alone is no proof.
	BadTarget
	// Unregistered: the token is proven dead.
	Unregistered
	// SenderMismatch: the token belongs to the sender of another project.
	SenderMismatch
	// NotFound: a 404 without FCM's error code, so the project or endpoint is wrong. The token is
	// not at fault.
	NotFound
	// ThirdPartyAuth: APNs or a web push service refused the credentials that the project stores
	// for it.
	ThirdPartyAuth
	// Credentials: FCM refused our credentials (403, or 401 for a new access token), or the token
	// endpoint did.
	Credentials
	// Quota: 429. Answer.Scope says whose quota is exhausted.
	Quota
	// Unavailable: 500 or 503. Retry after 10 s at the earliest. The message may have been
	// delivered.
	Unavailable
	// Ambiguous: the request was written, and there is no readable answer. The message may have
	// been delivered.
	Ambiguous
	// NotSent: FCM cannot have acted on the request. It was not written, or FCM says that it was
	// not processed.
	NotSent
	// TooLarge: the message is above FCM's size limit, by FCM's count.
	TooLarge
	// Other: an answer in FCM's form that the rules do not cover.
	Other
	// NotFCM: something in front of FCM refused the request, such as a proxy with a page of its
	// own. FCM did not receive it.
	NotFCM
)

var classNames = [...]string{
	Sent: "sent", BadMessage: "bad_message", BadTarget: "bad_target", Unregistered: "unregistered",
	SenderMismatch: "sender_mismatch", NotFound: "not_found", ThirdPartyAuth: "third_party_auth", Credentials: "credentials",
	Quota: "quota", Unavailable: "unavailable", Ambiguous: "ambiguous", NotSent: "not_sent", TooLarge: "too_large", Other: "other", NotFCM: "not_fcm",
}

// String returns the class as metrics label it.
func (c Class) String() string {
	if c < Sent || int(c) >= len(classNames) {
		return "invalid"
	}
	return classNames[c]
}

// QuotaScope says whose quota a 429 reports as exhausted.
type QuotaScope uint8

// A 429 without a scope counts as the project's.
const (
	// QuotaNone is the scope of every answer other than a 429.
	QuotaNone QuotaScope = iota
	// QuotaProject: no one in the project can receive a message for now.
	QuotaProject
	// QuotaDevice: only this recipient has to wait.
	QuotaDevice
	// QuotaTopic: only this topic has to wait.
	QuotaTopic
)

// IsDecisive reports whether the answer has FCM's form and settles what happened to the message. A
// 500 or 503 does not settle it.
func (a Answer) IsDecisive() bool {
	switch a.Class {
	case Unavailable, Ambiguous, NotSent, NotFCM:
		return false
	case Credentials:
		return a.HTTPStatus != 0 // 0: the token endpoint refused, and FCM was not called
	}
	return true
}

// Answer is the outcome of one Send.
type Answer struct {
	Class Class
	// MessageID is FCM's name of an accepted message: projects/<project>/messages/<id>.
	MessageID string
	// Code is FCM's error code, such as UNREGISTERED or QUOTA_EXCEEDED. It is empty if FCM sent
	// none.
	Code string
	// Detail is a sentence for people. It contains no token.
	Detail string
	// RetryAfter is the wait that the server asks for, at most an hour. Zero means that it asks for
	// none.
	RetryAfter time.Duration
	// Scope is set for Quota.
	Scope QuotaScope
	// Field is the payload field that a BadMessage is about, such as message.android.ttl.
	Field string
	// HTTPStatus is zero if no answer came.
	HTTPStatus int
	// Foreign: the status is a success, but the answer is not FCM's. Many of these mean that the
	// endpoint is not FCM.
	Foreign bool
	// Unrequested: the client refused the message by itself, and FCM was not asked.
	Unrequested bool
}

// maxDetail is how many bytes of a text from an answer are kept. A message name has about 80.
const maxDetail = 300

// scrubDetail scrubs a sentence from an answer and also redacts credentials that it may repeat.
func scrubDetail(text string, to notification.Target) string {
	if text == "" {
		return ""
	}
	return scrub(redact.Text(text), to)
}

// scrub makes a text safe to store and show: one line, of limited length, with the target's address
// abbreviated.
func scrub(text string, to notification.Target) string {
	if text == "" {
		return ""
	}
	if to.Value != "" {
		text = strings.ReplaceAll(text, to.Value, to.String())
	}
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, "\uFFFD"))
	if len(text) > maxDetail {
		text = strings.ToValidUTF8(text[:maxDetail], "") + "…"
	}
	return text
}
