package daemon

import (
	"fmt"
	"log/slog"
	"regexp"
	"strings"
)

// Rooms abbreviate tokens themselves. This is the net below them: errors of libraries quote URLs, headers and bodies.
var (
	// An FCM registration token is an instance id, a colon and some 140 characters; nothing else in a log is one such word.
	tokenWord = regexp.MustCompile(`[A-Za-z0-9_-]{8,}:[A-Za-z0-9_-]{80,}|[A-Za-z0-9_:-]{120,}`)
	bearer    = regexp.MustCompile(`(?i)\b(bearer\s+|ya29\.)[A-Za-z0-9._~+/=-]+`)
	userinfo  = regexp.MustCompile(`://([^:@/\s]*):[^@/\s]+@`)
)

// secretNames are attributes whose whole value is a secret, compared without case, "_" and "-".
var secretNames = map[string]bool{
	"password": true, "secret": true, "authorization": true, "accesstoken": true, "privatekey": true,
}

// tokenNames are attributes whose value is a device's address.
var tokenNames = map[string]bool{"token": true, "fcmtoken": true, "registrationtoken": true, "target": true}

// scrubAttr is a slog ReplaceAttr.
func scrubAttr(_ []string, attr slog.Attr) slog.Attr {
	name := strings.ToLower(strings.NewReplacer("_", "", "-", "").Replace(attr.Key))
	switch attr.Value.Kind() {
	case slog.KindString, slog.KindAny:
	default:
		return attr
	}
	value := attr.Value.String()
	if err, ok := attr.Value.Any().(error); ok {
		value = err.Error()
		attr.Value = slog.StringValue(value)
	}
	switch {
	case secretNames[name] && value != "":
		attr.Value = slog.StringValue("[redacted]")
	case tokenNames[name]:
		attr.Value = slog.StringValue(abbreviate(value))
	default:
		if clean := scrub(value); clean != value {
			attr.Value = slog.StringValue(clean)
		}
	}
	return attr
}

// scrub abbreviates what looks like a registration token, and hides what looks like a credential.
func scrub(text string) string {
	text = userinfo.ReplaceAllString(text, "://$1:[redacted]@")
	text = bearer.ReplaceAllString(text, "${1}[redacted]")
	return tokenWord.ReplaceAllStringFunc(text, abbreviate)
}

// abbreviate keeps what an operator needs to recognise a token. Words as short as this hold no token in full.
func abbreviate(token string) string {
	const head, tail = 6, 4
	if len(token) <= 2*(head+tail) {
		return token
	}
	return fmt.Sprintf("%s…%s", token[:head], token[len(token)-tail:])
}
