package notification

import (
	"log/slog"
	"regexp"
	"strings"
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

// TextInSQL returns the address as SQL may store it. A text in SQL contains no NUL.
func (t Target) TextInSQL() string {
	if text := t.Text(); strings.IndexByte(text, 0) < 0 {
		return text
	}
	return t.Value
}

// NameInResult returns what a result says of the address: its abbreviation and its kind.
func (t Target) NameInResult() (address, kind string) {
	switch t.Kind {
	case TargetNone:
		return "", ""
	case TargetFID:
		return t.String(), "fid"
	default:
		return t.String(), "token"
	}
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
