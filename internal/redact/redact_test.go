package redact

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"log/slog"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// key is an invented PEM block of the form and length of a private key.
var key = "-----BEGIN PRIVATE KEY-----\n" + strings.Repeat(strings.Repeat("MIIEvQIB0KkGhq/w+", 4)[:64]+"\n", 26) + "hunter2hunter2==\n-----END PRIVATE KEY-----\n"

func account(t *testing.T, privateKey string) string {
	t.Helper()
	text, err := json.MarshalIndent(map[string]string{
		"type": "service_account", "project_id": "p", "private_key_id": "0123456789hunter2", "private_key": privateKey, "client_email": "a@b",
	}, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestSecretsAreHiddenToTheirEnd(t *testing.T) {
	for text, want := range map[string]string{
		"dial redis://u:p@ssw0rd@h:6379/0: refused":              "dial redis://u:[redacted]@h:6379/0: refused",
		"host=h password=x dbname=d":                             "host=h password=[redacted] dbname=d",
		"host=h password = 'x y' dbname=d":                       "host=h password = '[redacted]' dbname=d",
		`password='x \' y' host=h`:                               `password='[redacted]' host=h`,
		`password='x y`:                                          `password='[redacted]'`,
		`PGPASSWORD=x`:                                           `PGPASSWORD=[redacted]`,
		`{"user":"u","password":"x \" y","db":1}`:                `{"user":"u","password":"[redacted]","db":1}`,
		`{"password" : 12345 , "db":1}`:                          `{"password" : "[redacted]" , "db":1}`,
		`"error":"{\"password\":\"x\\\"y\"} is"`:                 `"error":"{\"password\":\"[redacted]\"} is"`,
		`{"error":"{\"password\":\"cut o","n":1}`:                `{"error":"{\"password\":\"[redacted]\"","n":1}`,
		`{"private_key":"anything`:                               `{"private_key":"[redacted]"`,
		"map[password:x user:u]":                                 "map[password:[redacted] user:u]",
		"redis.password: hunter2":                                "redis.password: [redacted]",
		"PGPASSWORD=x=y=z next":                                  "PGPASSWORD=[redacted] next",
		`{"error":"bad \"password=x\" here"}`:                    `{"error":"bad \"password=[redacted]\" here"}`,
		"password= user=u":                                       "password= user=u",
		"https://h/d?user=u&password=x&sslmode=a":                "https://h/d?user=u&password=[redacted]&sslmode=a",
		"Authorization: Bearer abc.def":                          "Authorization: Bearer [redacted]",
		"key MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQ": "key [redacted]",
	} {
		if got := Text(text); got != want {
			t.Errorf("%s\n is %s\nwant %s", text, got, want)
		}
		if got := Text(want); got != want {
			t.Errorf("%s is hidden once more: %s", want, got)
		}
	}
}

// Errors of this program stay readable.
func TestOrdinaryTextStays(t *testing.T) {
	for _, text := range []string{
		"WRONGPASS invalid username-password pair or user is disabled.", "redis.password: this value does not fit; use a text",
		"environment REDIS_PASSWORD: redis.password: is not set", "FATAL: password authentication failed for user \"u\" (SQLSTATE 28P01)",
		"check REDIS_URL, or REDIS_HOST, REDIS_PORT and REDIS_PASSWORD", "credentials from key.json: private key is not PEM",
		"https://127.0.0.1:8443/v1/projects/p/messages:send", "open /etc/fanfare/tls/a-long-name-of-a-key.pem: no such file or directory",
		"projects/demo/messages/0:1700000000000000%7d3c1f0a7d3c1f0a",
	} {
		if got := Text(text); got != text {
			t.Errorf("%s\nis shown as %s", text, got)
		}
	}
}

// The test quotes, escapes and cuts a service account as libraries and logs do.
func TestNoPartOfAKeyIsShown(t *testing.T) {
	escape := func(text string) string {
		quoted, err := json.Marshal(text)
		if err != nil {
			t.Fatal(err)
		}
		return string(quoted)
	}
	logged := func(text string) string {
		var out bytes.Buffer
		slog.New(slog.NewTextHandler(&out, nil)).Info("x", "error", text)
		slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "error", text)
		return out.String()
	}
	rapid.Check(t, func(t *rapid.T) {
		pem := rapid.SampledFrom([]string{
			key, strings.ReplaceAll(key, "\n", `\n`), strings.ReplaceAll(key, "\n", "\r\n"), strings.ReplaceAll(key, "\n", " "),
		}).Draw(t, "pem")
		plain, err := json.Marshal(map[string]any{"private_key": pem, "type": "service_account"})
		if err != nil {
			t.Fatal(err)
		}
		text := rapid.SampledFrom([]string{
			pem, string(plain), escape(string(plain)), base64.StdEncoding.EncodeToString(plain), base64.StdEncoding.EncodeToString([]byte(pem)),
			base64.RawURLEncoding.EncodeToString(plain),
		}).Draw(t, "form")
		text = text[:rapid.IntRange(120, len(text)).Draw(t, "cut")]
		text = "open " + text + ": file name too long"
		for range rapid.IntRange(0, 2).Draw(t, "escapes") {
			text = escape(text)
		}
		if rapid.Bool().Draw(t, "logged") {
			text = logged(text)
		}
		got := Text(text)
		for _, leak := range []string{"hunter2", "MIIEvQIB", key[40:80], base64.StdEncoding.EncodeToString([]byte(key))[40:80]} {
			if strings.Contains(got, leak) {
				t.Fatalf("%s\nis shown as %s", text, got)
			}
		}
		if Text(got) != got {
			t.Fatalf("%s\nis hidden once more: %s", got, Text(got))
		}
	})
}

// Parts of a key without the armor's lines are hidden, too.
func TestTheMiddleOfAKeyIsHidden(t *testing.T) {
	lines := strings.Split(key, "\n")
	for _, text := range []string{
		strings.Join(lines[3:9], "\n"), strings.Join(lines[3:9], `\n`), strings.Join(lines[20:], "\n"), "x " + strings.Join(lines[3:5], `\\n`) + " y",
	} {
		if got := Text(text); strings.Contains(got, "hunter2") || strings.Contains(got, lines[4]) {
			t.Errorf("%s\nis shown as %s", text, got)
		}
	}
	if got := Text(account(t, key)); strings.Contains(got, "hunter2") || !strings.Contains(got, `"project_id": "p"`) {
		t.Errorf("an account is shown as %s", got)
	}
}

func TestSecretIsNeverPrinted(t *testing.T) {
	s := Secret("hunter2")
	asJSON, err := json.Marshal(map[string]Secret{"a": s})
	if err != nil {
		t.Fatal(err)
	}
	if text := s.String() + s.GoString() + string(asJSON); strings.Contains(text, "hunter2") || s.Reveal() != "hunter2" {
		t.Errorf("printed as %s", text)
	}
}
