package redact

import "regexp"

// newline is a line break as it stands in a text, or escaped once or more.
const newline = `(?:\\+[nr]|[\r\n])`

var (
	// A PEM block, whole or cut off behind its head; what follows a cut is kept from the first character that is not base64.
	pemBlock = regexp.MustCompile(`-----BEGIN[ A-Z0-9]*(?:-----)?(?:[A-Za-z0-9+/=:,. \t\\]|[\r\n]|-[A-Za-z0-9])*(?:-----END[ A-Z0-9]*(?:-----)?)?`)
	// The end of a block whose beginning was cut off.
	pemTail = regexp.MustCompile(`(?:[A-Za-z0-9+/=\\]|[\r\n])*-----END[ A-Z0-9]*(?:-----)?`)
	// The lines in the middle of a block, which have 64 characters, and the base64 of a key without PEM around it.
	pemLines = regexp.MustCompile(`(?:\b[A-Za-z0-9+/]{64}` + newline + `+)+[A-Za-z0-9+/=]*|\bMII[A-Za-z0-9+/=]{40,}`)
	// The base64 of a JSON object, of a JSON web token or of a PEM block.
	encoded = regexp.MustCompile(`\b(?:eyJ|eyAi|ewog|ewoi|ewoJ|ew0K|LS0tLS1CRUdJT)[A-Za-z0-9+/_=.-]{16,}(?:` + newline + `+[A-Za-z0-9+/_=-]{16,})*`)
	bearer  = regexp.MustCompile(`(?i)\b(bearer\s+|ya29\.|authorization\W+basic\s+)[A-Za-z0-9._~+/=-]+`)
	// What follows the colon is a password up to the word's last @, unless it is the number of a port.
	userinfo = regexp.MustCompile(`://([^:@/\s"]*):(?:\d*[^\d/\s"][^\s"]*|\d+)@`)
)

// Text hides what looks like a credential, whatever it is quoted in, and leaves the rest. Text of Text is the same.
func Text(text string) string {
	text = pemBlock.ReplaceAllString(text, Hidden)
	text = pemTail.ReplaceAllString(text, Hidden)
	text = pemLines.ReplaceAllString(text, Hidden)
	text = encoded.ReplaceAllString(text, Hidden)
	text = userinfo.ReplaceAllString(text, "://$1:"+Hidden+"@")
	text = hideNamed(text)
	return bearer.ReplaceAllString(text, "${1}"+Hidden)
}

// Found reports whether the text holds what looks like a credential.
func Found(text string) bool { return Text(text) != text }
