package daemon

import (
	"io"
	"log/slog"
	"regexp"
	"strings"
)

// Rooms abbreviate tokens themselves. This is the net below them: errors of libraries quote URLs, headers and bodies.
var (
	// An FCM registration token is an instance id, a colon and some 140 characters; nothing else in a log is one such word.
	tokenWord = regexp.MustCompile(`[A-Za-z0-9_-]{8,}:[A-Za-z0-9_-]{80,}|[A-Za-z0-9_:-]{120,}`)
	bearer    = regexp.MustCompile(`(?i)\b(bearer\s+|ya29\.|authorization\W+basic\s+)[A-Za-z0-9._~+/=-]+`)
	// What follows the colon is a password up to the word's last @, unless it is the number of a port.
	userinfo = regexp.MustCompile(`://([^:@/\s"]*):(?:\d*[^\d/\s"][^\s"]*|\d+)@`)
	// As parameters of a URL, or in a DSN; a backslash is a part of it unless it escapes the quote that ends it.
	parameter = regexp.MustCompile(`(?i)(password=|secret=|access_token=)(?:[^&\s"\\]|\\[^"])+`)
)

// Scrub abbreviates what looks like a registration token, and hides what looks like a credential. What is
// printed without the log, an error at the end of a program, passes through it too.
func Scrub(text string) string {
	text = userinfo.ReplaceAllString(text, "://$1:[redacted]@")
	text = parameter.ReplaceAllString(text, "${1}[redacted]")
	text = bearer.ReplaceAllString(text, "${1}[redacted]")
	return tokenWord.ReplaceAllStringFunc(text, abbreviate)
}

// abbreviate keeps what an operator needs to recognise a token.
func abbreviate(token string) string {
	const head, tail = 6, 4
	if len(token) <= 2*(head+tail) {
		return token[:min(len(token), head)] + "…"
	}
	return token[:head] + "…" + token[len(token)-tail:]
}

// scrubber scrubs whole lines of log, whatever kind of value a token was hidden in.
type scrubber struct{ out io.Writer }

// Write takes one line, as slog's handlers write them.
func (s scrubber) Write(line []byte) (int, error) {
	if _, err := io.WriteString(s.out, Scrub(string(line))); err != nil {
		return 0, err
	}
	return len(line), nil
}

// Attributes that hide or abbreviate their value whatever it looks like; their names are compared without case, "_" and "-".
var (
	secretNames = map[string]bool{
		"password": true, "secret": true, "authorization": true, "accesstoken": true, "privatekey": true,
	}
	tokenNames = map[string]bool{"token": true, "fcmtoken": true, "registrationtoken": true, "target": true}
	plainName  = strings.NewReplacer("_", "", "-", "")
)

// scrubNamed is a part of a slog ReplaceAttr.
func scrubNamed(_ []string, attr slog.Attr) slog.Attr {
	name := strings.ToLower(plainName.Replace(attr.Key))
	if !secretNames[name] && !tokenNames[name] {
		return attr
	}
	switch value := attr.Value.String(); {
	case value == "":
	case secretNames[name]:
		attr.Value = slog.StringValue("[redacted]")
	case !strings.Contains(value, "…"): // else the room has abbreviated it
		attr.Value = slog.StringValue(abbreviate(value))
	}
	return attr
}
