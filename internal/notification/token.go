package notification

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// MaxToken is the longest registration token in bytes. FCM's have some 160; none was seen above 4 KiB.
const MaxToken = 4096

// Token reads a registration token as people and programs store it. White space, control characters, marks without width
// and quotes around it are taken off; what then remains is a TargetToken if FCM can have issued it, else a TargetInvalid.
// Where nothing remains there is no token: the zero Target. A token that stands alone costs no allocation.
func ParseToken(text string) Target {
	if isToken(text) {
		return Target{Kind: TargetToken, Value: text}
	}
	trimmed := strings.TrimFunc(text, isDecoration)
	switch {
	case trimmed == "":
		return Target{}
	case isToken(trimmed):
		return Target{Kind: TargetToken, Value: trimmed, found: text}
	}
	return Target{Kind: TargetInvalid, found: text}
}

// isToken reports whether FCM can have issued the text. Google does not publish the alphabet; base64url, colons and dots were
// seen. So all of ASCII that is printable passes, but for what quotes, brackets or separates.
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

// inToken are the bytes that a token may hold.
var inToken = func() (in [256]bool) {
	for c := byte('!'); c <= '~'; c++ {
		in[c] = strings.IndexByte("\"'`\\,;()[]{}<>", c) < 0
	}
	return in
}()

// placeholders are what programs write for a value that they do not have.
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

// isDecoration reports whether a character comes from how a token was stored, exported or quoted.
func isDecoration(r rune) bool {
	switch r {
	case '"', '\'', '`', '\\', '„', '‚':
		return true
	}
	return unicode.IsSpace(r) || unicode.In(r, unicode.Cc, unicode.Cf, unicode.Z, unicode.Pi, unicode.Pf)
}

// Problem says why a text can be no token, without quoting it: most of it may be one. It is empty for every other Target.
func (t Target) Problem() string {
	if t.Kind != TargetInvalid {
		return ""
	}
	text := strings.TrimFunc(t.found, isDecoration)
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
	return "it is a word for no value"
}
