package fcm

import (
	"strings"
	"time"
	"unicode"

	"fanfare/internal/notification"
	"fanfare/internal/redact"
)

// Class is what an answer means for the recipient, its token and the campaign: one row of FCM's rules.
type Class uint8

// Every Send ends in exactly one of these.
const (
	// Sent: FCM accepted the message; Answer.MessageID names it.
	Sent Class = iota + 1
	// BadMessage: a field of the payload is refused, so the message is wrong for everybody. The token is innocent.
	BadMessage
	// BadTarget: INVALID_ARGUMENT with nothing said of the payload: probably the token, but no proof by itself.
	BadTarget
	// Unregistered: the token is proven dead.
	Unregistered
	// SenderMismatch: the token belongs to another project's sender.
	SenderMismatch
	// NotFound: a 404 without FCM's own word for it: the wrong project or endpoint. The token is innocent.
	NotFound
	// ThirdPartyAuth: APNs or web push refuse the project's credentials for them.
	ThirdPartyAuth
	// Credentials: ours are refused, by FCM (401 to a new access token, 403) or by the token endpoint.
	Credentials
	// Quota: 429; Answer.Scope tells whose quota is spent.
	Quota
	// Unavailable: 500 or 503, come back no sooner than after 10 s. The message may have been delivered.
	Unavailable
	// Ambiguous: the request was written and no answer can be read. The message may have been delivered.
	Ambiguous
	// NotSent: FCM cannot have acted on the request: it was not written, or FCM said that it never looked at it.
	NotSent
	// TooLarge: the message was above the size limit, as FCM counts it.
	TooLarge
	// Other: an answer of FCM's form that the rules do not know.
	Other
	// NotFCM: something in front of FCM refused the request, such as a proxy with a page of its own. FCM cannot have it.
	NotFCM
)

var classNames = [...]string{
	Sent: "sent", BadMessage: "bad_message", BadTarget: "bad_target", Unregistered: "unregistered",
	SenderMismatch: "sender_mismatch", NotFound: "not_found", ThirdPartyAuth: "third_party_auth", Credentials: "credentials",
	Quota: "quota", Unavailable: "unavailable", Ambiguous: "ambiguous", NotSent: "not_sent", TooLarge: "too_large", Other: "other", NotFCM: "not_fcm",
}

// String is the class as a metric's label shows it.
func (c Class) String() string {
	if c < Sent || int(c) >= len(classNames) {
		return "invalid"
	}
	return classNames[c]
}

// QuotaScope tells whose quota a 429 says is spent.
type QuotaScope uint8

// A 429 that says nothing of its scope is the project's.
const (
	// QuotaNone is the scope of every answer that is not a 429.
	QuotaNone QuotaScope = iota
	// QuotaProject: nobody in the project can be sent to for now.
	QuotaProject
	// QuotaDevice: only this recipient has to wait.
	QuotaDevice
	// QuotaTopic: only this topic has to wait.
	QuotaTopic
)

// Answered reports whether the answer has FCM's form and tells the message's fate. 500 and 503 leave it open.
func (a Answer) IsDecisive() bool {
	switch a.Class {
	case Unavailable, Ambiguous, NotSent, NotFCM:
		return false
	case Credentials:
		return a.HTTPStatus != 0 // else the token endpoint refused, and FCM was not asked
	}
	return true
}

// Answer is what became of one Send.
type Answer struct {
	Class Class
	// MessageID is FCM's name of an accepted message: projects/<project>/messages/<id>.
	MessageID string
	// Code is FCM's own word (UNREGISTERED, QUOTA_EXCEEDED …); empty where FCM said none.
	Code string
	// Detail is a sentence for people. No token stands in it.
	Detail string
	// RetryAfter is what the server asked for, at most an hour; zero where it asked for nothing.
	RetryAfter time.Duration
	// Scope is set on Quota.
	Scope QuotaScope
	// Field is the payload's field that a BadMessage is about, such as message.android.ttl.
	Field string
	// HTTPStatus is zero where no answer came.
	HTTPStatus int
	// Foreign: the status says success, and the answer is not FCM's. Many of these say that the endpoint is not FCM.
	Foreign bool
}

// maxDetail is how many bytes of a text in an answer are kept. FCM's own name of a message has about 80.
const maxDetail = 300

// scrubDetail is scrub for a sentence of an answer, without what it may repeat of our credentials.
func scrubDetail(text string, to notification.Target) string {
	if text == "" {
		return ""
	}
	return scrub(redact.Text(text), to)
}

// scrub makes a text fit to be stored and shown: one line, not too long, and the target's address abbreviated.
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
