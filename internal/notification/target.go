package notification

import (
	"fmt"
	"log/slog"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// TargetKind is the kind of address in a Target.
type TargetKind uint8

const (
	// TargetNone is the kind of the zero Target.
	TargetNone TargetKind = iota
	// TargetToken is an FCM registration token.
	TargetToken
	// TargetFID is a Firebase Installation ID, which is replacing registration tokens.
	TargetFID
	// TargetInvalid is a text in place of an address that FCM cannot have issued. It is never sent,
	// so FCM's answers are never about it and no store changes because of it.
	TargetInvalid
)

// Target is one address that FCM can deliver to.
type Target struct {
	Kind TargetKind
	// Value is the address sent to FCM. It is empty unless the target is sendable.
	Value string
	// original is the text that contained the address, if that is more than the address.
	original string
}

// IsZero reports whether there is no address.
func (t Target) IsZero() bool { return t.Kind == TargetNone }

// IsSendable reports whether a message can be sent to the target.
func (t Target) IsSendable() bool { return t.Kind == TargetToken || t.Kind == TargetFID }

// IsTrimmed reports whether something around the address was removed. If FCM refuses it, that may
// be the cause.
func (t Target) IsTrimmed() bool { return t.IsSendable() && t.original != "" }

// IsUnusual reports whether the address has a character not seen in FCM's tokens, such as the % of
// URL encoding. It is sent, because Google does not publish the alphabet. If FCM refuses it, the
// address may have been altered.
func (t Target) IsUnusual() bool { return t.IsSendable() && strings.IndexFunc(t.Value, isUnusual) >= 0 }

// FID returns the Firebase Installation ID that the address belongs to: the FID itself, or what a
// registration token begins with (<FID>:…). It is "" for other texts.
func (t Target) FID() string {
	switch t.Kind {
	case TargetFID:
		return t.Value
	case TargetToken:
		fid, _, found := strings.Cut(t.Value, ":")
		if found {
			return fid
		}
	}
	return ""
}

// IsInstallationID reports whether a text has the form of Google's installation IDs: 22 characters
// of base64url.
func IsInstallationID(text string) bool {
	const length = 22
	if len(text) != length {
		return false
	}
	for i := range length {
		switch c := text[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '_':
		default:
			return false
		}
	}
	return true
}

// IsSameDevice reports whether both addresses belong to one installation of the app. Of two tokens
// that is certain only if they begin with an ID of Google's form.
func (t Target) IsSameDevice(other Target) bool {
	if t.IsSame(other) {
		return true
	}
	fid := t.FID()
	isCertain := t.Kind == TargetFID || other.Kind == TargetFID || IsInstallationID(fid)
	return fid != "" && fid == other.FID() && isCertain
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

var (
	// addressMember is a member of an element or a result that holds an address. The text may be
	// cut off within it, and Go's JSON ignores the case of names.
	addressMember = regexp.MustCompile(`(?i)("(?:fcmToken|token|fid)"\s*:\s*")((?:[^"\\]|\\.)*)`)
	// tokenForm is the form of a registration token: an installation ID, a colon, the rest.
	tokenForm = regexp.MustCompile(`[\w-]{8,}:[\w-]{20,}`)
)

// AbbreviateIn shortens the addresses in a text, which may be unreadable as JSON. They are the
// values of the members that hold them, and all that has the form of a registration token.
func AbbreviateIn(text string) string {
	text = addressMember.ReplaceAllStringFunc(text, func(member string) string {
		parts := addressMember.FindStringSubmatch(member)
		if parts[2] == "" {
			return member
		}
		return parts[1] + Abbreviate(parts[2])
	})
	return tokenForm.ReplaceAllStringFunc(text, Abbreviate)
}

// MaxToken is the longest registration token in bytes. FCM's have about 160, and none seen is above
// 4 KiB.
const MaxToken = 4096

// ParseToken reads a registration token as people and programs store it. It removes white space,
// control characters, zero-width marks and quotes around the token. The rest is a TargetToken if
// FCM can have issued it, or a TargetInvalid otherwise. An empty rest gives the zero Target. A
// clean token costs no allocation.
func ParseToken(text string) Target { return parse(text, TargetToken, isToken) }

// ParseFID reads a Firebase Installation ID in the same way as ParseToken reads a token. A
// registration token is no FID: it has a colon.
func ParseFID(text string) Target { return parse(text, TargetFID, isFID) }

func parse(text string, kind TargetKind, isAddress func(string) bool) Target {
	if isAddress(text) {
		return Target{Kind: kind, Value: text}
	}
	trimmed := strings.TrimFunc(text, isDecoration)
	switch {
	case trimmed == "":
		return Target{}
	case isAddress(trimmed):
		return Target{Kind: kind, Value: trimmed, original: text}
	}
	return Target{Kind: TargetInvalid, original: text}
}

// isFID reports whether the text can be an installation ID. Google's have 22 characters of
// base64url, which is not a promise.
func isFID(text string) bool { return isToken(text) && strings.IndexByte(text, ':') < 0 }

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
	if strings.IndexByte(text, ':') >= 0 {
		return "it is a registration token where an installation ID is expected"
	}
	return "it is a word for a missing value"
}
