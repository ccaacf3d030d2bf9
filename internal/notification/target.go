package notification

import (
	"log/slog"
	"strings"
)

// TargetKind is what kind of address a Target holds.
type TargetKind uint8

// Firebase Installation IDs are replacing registration tokens; they will be another kind here.
const (
	// TargetNone is the kind of the zero Target.
	TargetNone TargetKind = iota
	// TargetToken is an FCM registration token.
	TargetToken
	// TargetInvalid is a text that stands where a token should be, and that FCM cannot have issued. It is never sent, and
	// nothing that FCM answers is about it: no store is changed for its sake.
	TargetInvalid
)

// Target is one address that FCM can deliver to.
type Target struct {
	Kind TargetKind
	// Value is what is sent to FCM; empty unless the kind is TargetToken.
	Value string
	// found is the text in which the token was found, where that is not the token alone.
	found string
}

// IsZero reports that there is no address.
func (t Target) IsZero() bool { return t.Kind == TargetNone }

// IsSendable reports whether a message can be addressed to it.
func (t Target) IsSendable() bool { return t.Kind == TargetToken }

// IsTrimmed reports whether something around the token was taken off: what FCM refuses may then be our reading of it.
func (t Target) IsTrimmed() bool { return t.Kind == TargetToken && t.found != "" }

// IsUnusual reports whether the token holds a character that no token of FCM's was seen with, as a URL-encoded one does. It is
// sent, for Google does not publish the alphabet; but what FCM refuses may then be what someone did to the token.
func (t Target) IsUnusual() bool {
	return t.Kind == TargetToken && strings.IndexFunc(t.Value, isUnusual) >= 0
}

func isUnusual(r rune) bool {
	switch {
	case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9', r == '-', r == '_', r == ':', r == '.':
		return false
	}
	return true
}

// IsSame reports whether both are the same address, however each was spelled where it was found.
func (t Target) IsSame(other Target) bool {
	return t.Kind == other.Kind && t.Value == other.Value && (t.Kind != TargetInvalid || t.found == other.found)
}

// Text is the address as it was found, with what stood around it: a store is compared with this before it is changed.
func (t Target) Text() string {
	if t.found != "" {
		return t.found
	}
	return t.Value
}

// String abbreviates the address, so that a Target can be logged: no token appears in a log in full.
func (t Target) String() string { return Abbreviate(t.Text()) }

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
