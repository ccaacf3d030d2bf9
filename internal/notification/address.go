package notification

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// ParseAddress reads an address whose kind may be stated as "fid" or "token". A text with a colon
// is a token, because no installation ID has one. Without a kind, a text in the form of Google's
// installation IDs is one, and any other text is a token.
func ParseAddress(text, kind string) Target {
	if strings.Contains(text, ":") {
		return ParseToken(text)
	}
	fid := ParseFID(text)
	if kind == "fid" || kind != "token" && IsInstallationID(fid.Value) {
		return fid
	}
	return ParseToken(text)
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

func isUnusual(r rune) bool {
	switch {
	case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9', r == '-', r == '_', r == ':', r == '.':
		return false
	}
	return true
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
