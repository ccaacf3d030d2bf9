package daemon

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"fanfare/internal/terminal"
)

func TestFormats(t *testing.T) {
	for name, c := range map[string]struct{ format, wantPrefix string }{
		"json":                    {"json", "{"},
		"text":                    {"text", "time="},
		"auto, not on a terminal": {"auto", "{"},
	} {
		var out bytes.Buffer
		log, err := NewLogger(&out, "info", c.format)
		if err != nil {
			t.Fatal(err)
		}
		log.Debug("below the level")
		log.Info("claimed", "campaign", "42")
		if !strings.HasPrefix(out.String(), c.wantPrefix) || strings.Count(out.String(), "\n") != 1 {
			t.Errorf("%s: %q", name, &out)
		}
	}
}

func TestTerminalGetsText(t *testing.T) {
	if file, err := os.Open(os.DevNull); err != nil || terminal.Is(file) {
		t.Errorf("%s is taken for a terminal (%v)", os.DevNull, err)
	}
}

func TestUnknownLevelAndFormat(t *testing.T) {
	if _, err := NewLogger(os.Stderr, "loud", "json"); err == nil || !strings.Contains(err.Error(), "loud") {
		t.Errorf("level: %v", err)
	}
	if _, err := NewLogger(os.Stderr, "info", "xml"); err == nil || !strings.Contains(err.Error(), "xml") {
		t.Errorf("format: %v", err)
	}
}

// registrationToken has the form and the length of FCM's own.
var registrationToken = "cX9-fTqGR7aBcDeFgHiJkL:APA91b" + strings.Repeat("Hg5_x-7Q", 17)

// Tokens may reach the log through our slips or through libraries.
func TestTokensAreNeverLoggedInFull(t *testing.T) {
	type target struct{ Value string }
	for _, format := range []string{"json", "text"} {
		var out bytes.Buffer
		log, err := NewLogger(&out, "debug", format)
		if err != nil {
			t.Fatal(err)
		}
		log.Info("send to "+registrationToken, "value", registrationToken)
		log.Info("error", "error", fmt.Errorf("post: %w", errors.New(`{"token":"`+registrationToken+`"}`)))
		log.Info("struct", "to", target{registrationToken}, "pointer", &target{registrationToken}, "raw", json.RawMessage(`"`+registrationToken+`"`))
		log.With("with", registrationToken).WithGroup("group").Info("group", slog.Group("inner", "deep", []string{registrationToken}))
		log.Info("short ones, by name", "fcmToken", "short-but-known-by-its-name", "target", "short-but-known-by-its-name")
		log.Info("abbreviated before", "token", "bXnQwE…4xYz")
		if strings.Contains(out.String(), registrationToken) || strings.Contains(out.String(), "short-but-known") {
			t.Errorf("%s: a token stands in the log:\n%s", format, &out)
		}
		if !strings.Contains(out.String(), registrationToken[:6]+"…"+registrationToken[len(registrationToken)-4:]) {
			t.Errorf("%s: no operator can recognise the token:\n%s", format, &out)
		}
		if !strings.Contains(out.String(), "bXnQwE…4xYz") {
			t.Errorf("%s: a token was abbreviated twice:\n%s", format, &out)
		}
	}
}

func TestCredentialsAreNeverLogged(t *testing.T) {
	var out bytes.Buffer
	log, err := NewLogger(&out, "info", "json")
	if err != nil {
		t.Fatal(err)
	}
	log.Info("dial postgres://u:hunter2@h/d", "url", "redis://:hunter2@h:6379", "password", "hunter2",
		"header", "Authorization: Bearer hunter2", "google", "ya29.hunter2", "Access-Token", "hunter2")
	if strings.Contains(out.String(), "hunter2") {
		t.Errorf("a credential stands in the log: %s", &out)
	}
}

// Passwords contain characters that a URL should escape, and libraries quote all sorts of text. An
// operator can still read what surrounds them.
func TestCredentialsAreHiddenToTheirEnd(t *testing.T) {
	for text, want := range map[string]string{
		"dial redis://u:p@ssw0rd@h:6379/0: refused":      "dial redis://u:[redacted]@h:6379/0: refused",
		"redis://u:12@34@h":                              "redis://u:[redacted]@h",
		"redis://u:1234@h":                               "redis://u:[redacted]@h",
		"postgres://u:p/q@r@h/d":                         "postgres://u:[redacted]@h/d",
		"redis://:p@ss@h":                                "redis://:[redacted]@h",
		"https://h:8443/v1/users/a@b":                    "https://h:8443/v1/users/a@b",
		`parse \"redis://u:p@ss@h\": port`:               `parse \"redis://u:[redacted]@h\": port`,
		"postgres://h/d?user=u&password=x%20y&sslmode=a": "postgres://h/d?user=u&password=[redacted]&sslmode=a",
		`open \"postgres://h/d?sslpassword=x\": no`:      `open \"postgres://h/d?sslpassword=[redacted]\": no`,
		"host=h Password=x dbname=d":                     "host=h Password=[redacted] dbname=d",
		"Authorization: Basic dTpw":                      "Authorization: Basic [redacted]",
		`{\"Proxy-Authorization\":[\"Basic dTpw\"]}`:     `{\"Proxy-Authorization\":[\"Basic [redacted]\"]}`,
		"map[Authorization:[Basic dTpw==] Accept:[*/*]]": "map[Authorization:[Basic [redacted]] Accept:[*/*]]",
		"a basic understanding of authorization":         "a basic understanding of authorization",
	} {
		if got := Scrub(text); got != want {
			t.Errorf("%q is logged as %q, want %q", text, got, want)
		}
		if again := Scrub(want); again != want {
			t.Errorf("%q is scrubbed once more, to %q", want, again)
		}
	}
}

// Ids, keys, addresses and file names stay readable.
func TestOrdinaryTextIsLoggedAsItIs(t *testing.T) {
	for _, text := range []string{
		"campaign:42", "{campaign:42}:lease:019ab2c3-7d4e-7f00-8000-1234567890ab:17", "https://127.0.0.1:8443/v1/projects/p/messages:send",
		"projects/demo/messages/0:1700000000000000%7d3c1f0a7d3c1f0a", "2026-11-23T13:12:00.123Z", "/etc/fanfare/config.yaml:12",
	} {
		if got := Scrub(text); got != text {
			t.Errorf("%q is logged as %q", text, got)
		}
	}
	rapid.Check(t, func(rt *rapid.T) {
		text := rapid.StringMatching(`[a-zA-Z0-9_-]{1,60}( [a-zA-Z0-9_:-]{1,60})*`).Draw(rt, "text")
		if got := Scrub(text); got != text && !strings.Contains(strings.ToLower(text), "bearer ") {
			rt.Errorf("%q is logged as %q", text, got)
		}
	})
}

func TestOtherValuesKeepTheirTypes(t *testing.T) {
	var out bytes.Buffer
	log, err := NewLogger(&out, "info", "json")
	if err != nil {
		t.Fatal(err)
	}
	log.Info("claimed", "count", 3, "ids", []string{"a"}, "ok", true)
	if got := out.String(); !strings.Contains(got, `"count":3,"ids":["a"],"ok":true`) {
		t.Errorf("got %s", got)
	}
}

func TestDurationsAreTextEverywhere(t *testing.T) {
	for format, want := range map[string]string{"json": `"for":"10m0s","gate":{"left":"1.5s"}`, "text": "for=10m0s gate.left=1.5s"} {
		var out bytes.Buffer
		log, err := NewLogger(&out, "info", format)
		if err != nil {
			t.Fatal(err)
		}
		log.Info("close gate", "for", 10*time.Minute, slog.Group("gate", "left", 1500*time.Millisecond))
		if got := out.String(); !strings.Contains(got, want) {
			t.Errorf("%s: got %s, want %s", format, got, want)
		}
	}
}
