package notification_test

import (
	"strings"
	"testing"

	"fanfare/internal/notification"
)

func TestNormalizePlatform(t *testing.T) {
	for text, want := range map[string]string{
		"ios": "ios", "iOS": "ios", "web_push2": "web_push2", strings.Repeat("x", 32): strings.Repeat("x", 32),
		"": "", "i os": "", "ios:": "", "größe": "", strings.Repeat("x", 33): "",
	} {
		if got := notification.NormalizePlatform(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}
