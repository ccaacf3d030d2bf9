package fcm

import (
	"strings"
	"unicode"

	"fanfare/internal/notification"
	"fanfare/internal/redact"
)

// maxDetail is how many bytes of a text in an answer are kept. FCM's own name of a message has about 80.
const maxDetail = 300

// scrubDetail is scrub for a sentence of an answer, without what it may repeat of our credentials.
func scrubDetail(text string, to notification.Target) string {
	if text == "" {
		return ""
	}
	return scrub(redact.Text(text), to)
}

// scrub makes a text fit to be stored and shown: one line, not too long, and the target's address abbreviated.
func scrub(text string, to notification.Target) string {
	if text == "" {
		return ""
	}
	if to.Value != "" {
		text = strings.ReplaceAll(text, to.Value, to.String())
	}
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, "\uFFFD"))
	if len(text) > maxDetail {
		text = strings.ToValidUTF8(text[:maxDetail], "") + "…"
	}
	return text
}
