// Package notification holds the nouns that all rooms speak: who is to be told (Recipient), what is to be
// said (Message), where it goes (Target), and what became of it (Result, Status). It imports the standard library only.
package notification

import (
	"encoding/json"
	"log/slog"
)

// Recipient is one element of a campaign's list, as its producer wrote it.
type Recipient struct {
	// UserID is the producer's own id; a JSON number keeps its digits as they were written.
	UserID string
	// Target is where the producer says the user can be reached; the zero Target means "look it up".
	Target Target
	// Vars fill the message's placeholders before the profile does. Values are as in the producer's JSON.
	Vars map[string]json.RawMessage
	// Locale is a BCP 47 tag such as "pt-BR"; TimeZone an IANA name such as "Asia/Saigon". Both may be empty.
	Locale   string
	TimeZone string
	// Platform is what the user's device runs, such as android, ios or web, in small letters; empty where the producer does
	// not say.
	Platform string
}

// TargetKind tells what kind of address a Target holds.
type TargetKind uint8

// Firebase Installation IDs are replacing registration tokens; they will be a second kind here.
const (
	// TargetNone is the kind of the zero Target.
	TargetNone TargetKind = iota
	// TargetToken is an FCM registration token.
	TargetToken
)

// Target is one address that FCM can deliver to.
type Target struct {
	Kind  TargetKind
	Value string
}

// Token makes the Target of a registration token; an empty token makes the zero Target.
func Token(token string) Target {
	if token == "" {
		return Target{}
	}
	return Target{Kind: TargetToken, Value: token}
}

// IsZero reports that there is no address.
func (t Target) IsZero() bool { return t.Kind == TargetNone }

// String abbreviates the address, so that a Target can be logged: no token appears in a log in full.
func (t Target) String() string { return Abbreviate(t.Value) }

// LogValue is what a log shows of a Target; a JSON log would otherwise write down its fields.
func (t Target) LogValue() slog.Value { return slog.StringValue(t.String()) }

// Abbreviate shortens a token to what an operator needs to recognise it.
func Abbreviate(token string) string {
	const head, tail = 6, 4
	if len(token) <= 2*(head+tail) {
		return token[:min(len(token), head)] + "…"
	}
	return token[:head] + "…" + token[len(token)-tail:]
}

// Message is what a campaign says: the "message" object of FCM's HTTP v1 API as JSON, without its target.
type Message []byte
