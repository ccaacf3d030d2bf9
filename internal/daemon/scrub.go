package daemon

import (
	"io"
	"log/slog"
	"regexp"
	"strings"

	"fanfare/internal/redact"
)

// tokenWord is an FCM registration token: an instance id, a colon and some 140 characters. Nothing else in a log is one such word.
var tokenWord = regexp.MustCompile(`[A-Za-z0-9_-]{8,}:[A-Za-z0-9_-]{80,}|[A-Za-z0-9_:-]{120,}`)

// Scrub hides what looks like a credential, and abbreviates what looks like a registration token. Rooms do both themselves; this
// is the net below them, since errors of libraries quote URLs, headers and bodies. Errors at the end of a program pass through it too.
func Scrub(text string) string {
	return tokenWord.ReplaceAllStringFunc(redact.Text(text), abbreviate)
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
func hideByName(_ []string, attr slog.Attr) slog.Attr {
	name := strings.ToLower(plainName.Replace(attr.Key))
	if !secretNames[name] && !tokenNames[name] {
		return attr
	}
	switch value := attr.Value.String(); {
	case value == "":
	case secretNames[name]:
		attr.Value = slog.StringValue(redact.Hidden)
	case !strings.Contains(value, "…"): // else the room has abbreviated it
		attr.Value = slog.StringValue(abbreviate(value))
	}
	return attr
}
