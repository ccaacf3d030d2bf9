package notification

import (
	"fmt"
	"log/slog"
	"strings"
	"unicode"
	"unicode/utf8"
)

// TargetKind is the kind of address in a Target.
type TargetKind uint8

// Firebase Installation IDs are replacing registration tokens and will be another kind.
const (
	// TargetNone is the kind of the zero Target.
	TargetNone TargetKind = iota
	// TargetToken is an FCM registration token.
	TargetToken
	// TargetInvalid is a text in place of a token that FCM cannot have issued. It is never sent, so
	// FCM's answers are never about it and no store changes because of it.
	TargetInvalid
)

// Target is one address that FCM can deliver to.
type Target struct {
	Kind TargetKind
	// Value is the address sent to FCM. It is empty unless the kind is TargetToken.
	Value string
	// original is the text that contained the token, if that is more than the token.
	original string
}

// IsZero reports whether there is no address.
func (t Target) IsZero() bool { return t.Kind == TargetNone }

// IsSendable reports whether a message can be sent to the target.
func (t Target) IsSendable() bool { return t.Kind == TargetToken }

// IsTrimmed reports whether ParseToken removed something around the token. If FCM refuses it, that
// may be the cause.
func (t Target) IsTrimmed() bool { return t.Kind == TargetToken && t.original != "" }

// IsUnusual reports whether the token has a character not seen in FCM's tokens, such as the % of
// URL encoding. It is sent, because Google does not publish the alphabet. If FCM refuses it, the
// token may have been altered.
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

// IsSame reports whether both are the same address, however each was spelled.
func (t Target) IsSame(other Target) bool {
	return t.Kind == other.Kind && t.Value == other.Value && (t.Kind != TargetInvalid || t.original == other.original)
}

// Text returns the address as it was written, with what surrounds it. Stores compare it before they
// change anything.
func (t Target) Text() string {
	if t.original != "" {
		return t.original
	}
	return t.Value
}

// String abbreviates the address for logs, which never show a token in full.
func (t Target) String() string { return Abbreviate(t.Text()) }

// LogValue returns what a log shows of a Target. A JSON log would otherwise show its fields.
func (t Target) LogValue() slog.Value { return slog.StringValue(t.String()) }

// Abbreviate shortens a token to what an operator needs to recognise it.
func Abbreviate(token string) string {
	const head, tail = 6, 4
	if len(token) <= 2*(head+tail) {
		return token[:min(len(token), head)] + "…"
	}
	return token[:head] + "…" + token[len(token)-tail:]
}

// MaxToken is the longest registration token in bytes. FCM's have about 160, and none seen is above
// 4 KiB.
const MaxToken = 4096

// ParseToken reads a registration token as people and programs store it. It removes white space,
// control characters, zero-width marks and quotes around the token. The rest is a TargetToken if
// FCM can have issued it, or a TargetInvalid otherwise. An empty rest gives the zero Target. A
// clean token costs no allocation.
func ParseToken(text string) Target {
	if isToken(text) {
		return Target{Kind: TargetToken, Value: text}
	}
	trimmed := strings.TrimFunc(text, isDecoration)
	switch {
	case trimmed == "":
		return Target{}
	case isToken(trimmed):
		return Target{Kind: TargetToken, Value: trimmed, original: text}
	}
	return Target{Kind: TargetInvalid, original: text}
}

// isToken reports whether FCM can have issued the text. Google does not publish the alphabet, but
// base64url, colons and dots have been seen. So printable ASCII passes, except quotes, brackets and
// separators.
func isToken(text string) bool {
	if text == "" || len(text) > MaxToken {
		return false
	}
	for i := range len(text) {
		if !inToken[text[i]] {
			return false
		}
	}
	return len(text) > longestPlaceholder || !isPlaceholder(text)
}

// inToken marks the bytes that a token may contain.
var inToken = func() (in [256]bool) {
	for c := byte('!'); c <= '~'; c++ {
		in[c] = strings.IndexByte("\"'`\\,;()[]{}<>", c) < 0
	}
	return in
}()

// placeholders are what programs write for a missing value.
var placeholders = []string{"null", "undefined", "none", "nil", "nan"}

const longestPlaceholder = len("undefined")

func isPlaceholder(text string) bool {
	for _, word := range placeholders {
		if strings.EqualFold(text, word) {
			return true
		}
	}
	return false
}

// isDecoration reports whether a character comes from storing, exporting or quoting a token.
func isDecoration(r rune) bool {
	switch r {
	case '"', '\'', '`', '\\', '„', '‚':
		return true
	}
	return unicode.IsSpace(r) || unicode.In(r, unicode.Cc, unicode.Cf, unicode.Z, unicode.Pi, unicode.Pf)
}

// Problem says why FCM cannot have issued a TargetInvalid. It does not quote the text, most of
// which may be a token. It is empty for other kinds.
func (t Target) Problem() string {
	if t.Kind != TargetInvalid {
		return ""
	}
	text := strings.TrimFunc(t.original, isDecoration)
	if len(text) > MaxToken {
		return fmt.Sprintf("it is longer than %d bytes", MaxToken)
	}
	for _, r := range text {
		switch {
		case r < utf8.RuneSelf && inToken[r]:
		case r == utf8.RuneError:
			return "it is not valid UTF-8"
		case unicode.IsSpace(r):
			return "it holds white space"
		case unicode.IsControl(r):
			return "it holds a control character"
		default:
			return fmt.Sprintf("it holds %+q", r)
		}
	}
	return "it is a word for a missing value"
}
