// Package redact hides secrets in printed text. Secret is a type whose value cannot be printed.
// Text hides what looks like a credential in the text of a library or a person.
package redact

import (
	"regexp"
	"strconv"
	"strings"
)

// Text hides what looks like a credential, in any quoting, and keeps the rest. It is idempotent.
func Text(text string) string {
	text = pemBlock.ReplaceAllString(text, Hidden)
	text = pemTail.ReplaceAllString(text, Hidden)
	text = pemLines.ReplaceAllString(text, Hidden)
	text = encoded.ReplaceAllString(text, Hidden)
	text = userinfo.ReplaceAllString(text, "://$1:"+Hidden+"@")
	text = hideNamed(text)
	return bearer.ReplaceAllString(text, "${1}"+Hidden)
}

// newline matches a line break, plain or escaped any number of times.
const newline = `(?:\\+[nr]|[\r\n])`

var (
	// A PEM block, whole or cut off after its head. After a cut, the first character outside base64
	// ends it.
	pemBlock = regexp.MustCompile(`-----BEGIN[ A-Z0-9]*(?:-----)?(?:[A-Za-z0-9+/=:,. \t\\]|[\r\n]|-[A-Za-z0-9])*(?:-----END[ A-Z0-9]*(?:-----)?)?`)
	// The end of a block without its beginning.
	pemTail = regexp.MustCompile(`(?:[A-Za-z0-9+/=\\]|[\r\n])*-----END[ A-Z0-9]*(?:-----)?`)
	// The middle lines of a block, which have 64 characters, and the base64 of a key without PEM.
	pemLines = regexp.MustCompile(`(?:\b[A-Za-z0-9+/]{64}` + newline + `+)+[A-Za-z0-9+/=]*|\bMII[A-Za-z0-9+/=]{40,}`)
	// The base64 of a JSON object, a JSON web token or a PEM block.
	encoded = regexp.MustCompile(`\b(?:eyJ|eyAi|ewog|ewoi|ewoJ|ew0K|LS0tLS1CRUdJT)[A-Za-z0-9+/_=.-]{16,}(?:` + newline + `+[A-Za-z0-9+/_=-]{16,})*`)
	bearer  = regexp.MustCompile(`(?i)\b(bearer\s+|ya29\.|authorization\W+basic\s+)[A-Za-z0-9._~+/=-]+`)
	// The text between the colon and the word's last @ is a password, unless it is a port number.
	userinfo = regexp.MustCompile(`://([^:@/\s"]*):(?:\d*[^\d/\s"][^\s"]*|\d+)@`)
)

// HasCredential reports whether the text contains what looks like a credential.
func HasCredential(text string) bool { return Text(text) != text }

// Hidden replaces a secret.
const Hidden = "[redacted]"

// Secret is a text that is never printed.
type Secret string

// Reveal returns the text itself.
func (s Secret) Reveal() string { return string(s) }

// String returns Hidden, or "" for an empty text.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return Hidden
}

// GoString hides the text from %#v.
func (s Secret) GoString() string { return strconv.Quote(s.String()) }

// MarshalText hides the text from JSON and from logs.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// named matches the name of a secret and the separator of its value.
var named = regexp.MustCompile(`(?i)(?:password|passwd|passphrase|\bpwd|\bpass|secret|private[_-]?key(?:[_-]?id)?|(?:access|refresh|id)[_-]?token|api[_-]?key|\bassertion)` +
	`(\\*["'])?([ \t]*(?:=>?|:)[ \t]*)`)

// hideNamed hides the value of each named secret, at any depth of escaping: password=x, password='x
// y', "password":"x".
func hideNamed(text string) string {
	var b strings.Builder
	for {
		at := named.FindStringSubmatchIndex(text)
		if at == nil {
			break
		}
		head := text[:at[1]]
		quotedName, separator, rest := at[2] >= 0, text[at[4]:at[5]], text[at[1]:]
		quote, length := measureValue(quotedName, separator, rest)
		b.WriteString(head)
		if quote == "" && length > 0 && quotedName && strings.Contains(separator, ":") {
			quote = text[at[2]:at[3]] // a number or a word in JSON becomes a string
		}
		if length > 0 {
			b.WriteString(quote + Hidden + quote)
		}
		text = rest[length:]
	}
	b.WriteString(text)
	return b.String()
}

// measureValue measures the value at the start of rest. It returns a leading quote separately.
func measureValue(quotedName bool, separator, rest string) (quote string, length int) {
	slashes := len(rest) - len(strings.TrimLeft(rest, `\`))
	if slashes < len(rest) && (rest[slashes] == '"' || rest[slashes] == '\'') {
		return rest[:slashes+1], measureQuoted(rest, slashes)
	}
	switch {
	case strings.HasPrefix(rest, Hidden):
		return "", len(Hidden)
	case quotedName && strings.Contains(separator, ":"):
		return "", measureWord(rest, " ,}]\r\n\t\"")
	case strings.Contains(separator, "="):
		length = measureWord(rest, "& \r\n\t\"")
		if strings.HasSuffix(separator, " ") && strings.Contains(rest[:length], "=") {
			return "", 0 // the value is empty, and this is the next name
		}
		return "", length
	case separator == ":":
		return "", measureWord(rest, " ,}]\r\n\t\"")
	}
	if length = measureWord(rest, " ,\r\n\t\""); looksSecret(rest[:length]) {
		return "", length
	}
	return "", 0
}

// measureQuoted measures a value after a quote that is escaped by so many backslashes. The value
// ends at the next such quote, or where the text around it ends. Quotes belong to the value, so
// nothing of a cut value remains.
func measureQuoted(rest string, slashes int) int {
	kind, run := rest[slashes], 0
	outer := len(rest)
	for i := slashes + 1; i < len(rest); i++ {
		switch c := rest[i]; {
		case c == '\\':
			run++
			continue
		case c == kind && run == slashes:
			return i + 1
		case c == '"' && run < max(slashes, 1) && outer == len(rest):
			outer = i - run
		}
		run = 0
	}
	return outer
}

// measureWord measures the text before the first of the ends. A backslash belongs to it unless it
// escapes a quote.
func measureWord(rest, ends string) int {
	length := strings.IndexAny(rest, ends)
	if length < 0 {
		return len(rest)
	}
	if rest[length] == '"' {
		length = len(strings.TrimRight(rest[:length], `\`))
	}
	return length
}

// looksSecret distinguishes a password from an English word after "password: ".
func looksSecret(word string) bool {
	return strings.ContainsAny(word, "0123456789!@#$%^&*+~/\\=")
}
