package fcm

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"regexp"
	"strings"
	"testing"

	"fanfare/fcmsim"
	"fanfare/internal/redact"
)

// accountText returns the content of accountFile.
func accountText(t *testing.T, srv *fcmsim.Server, edit func(map[string]string)) string {
	t.Helper()
	text, err := os.ReadFile(accountFile(t, srv, edit))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func quoted(t *testing.T, text string) string {
	t.Helper()
	q, err := json.Marshal(text)
	if err != nil {
		t.Fatal(err)
	}
	return string(q)
}

// A service account's JSON signs in, however an environment wraps it.
func TestCredentialsInEveryWrapping(t *testing.T) {
	_, srv := simulate(t, fcmsim.Options{RequireAuth: true, Project: "from-the-key"})
	plain := accountText(t, srv, nil)
	encoded := base64.StdEncoding.EncodeToString([]byte(plain))
	for name, text := range map[string]string{
		"as it is":                     plain,
		"in base64":                    encoded,
		"in base64 with line breaks":   regexp.MustCompile(`.{76}`).ReplaceAllString(encoded, "$0\n"),
		"in base64 for URLs":           base64.RawURLEncoding.EncodeToString([]byte(plain)),
		"in base64 with quotes":        `"` + encoded + `"`,
		"in single quotes":             "'" + plain + "'",
		"as a JSON string":             quoted(t, plain),
		"line breaks escaped twice":    strings.ReplaceAll(plain, `\n`, `\\n`),
		"line breaks not escaped":      strings.ReplaceAll(plain, `\n`, "\n"),
		"line breaks of Windows":       strings.ReplaceAll(plain, `\n`, `\r\n`),
		"both of them not escaped":     strings.ReplaceAll(plain, `\n`, "\r\n"),
		"as a string, escaped by hand": `"` + strings.ReplaceAll(plain, `"`, `\"`) + `"`,
	} {
		for _, o := range []Options{{Credentials: redact.Secret(text)}, {CredentialsFile: write(t, []byte(text))}} {
			o.Endpoint, o.RootCAs, o.Logger = srv.URLs.TLS, srv.CAFile, slog.New(slog.DiscardHandler)
			s, err := New(t.Context(), o)
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			if a := s.Send(t.Context(), body("token"), to("token")); a.Class != Sent || s.Project() != "from-the-key" {
				t.Errorf("%s: got %s: %s", name, a.Class, a.Detail)
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		}
	}
}

// The error says why credentials are unusable and shows nothing of them.
func TestUnusableCredentialsSayWhy(t *testing.T) {
	_, srv := simulate(t, fcmsim.Options{})
	plain := accountText(t, srv, nil)
	var members map[string]string
	if err := json.Unmarshal([]byte(plain), &members); err != nil {
		t.Fatal(err)
	}
	key := members["private_key"]
	with := func(name, value string) string {
		return accountText(t, srv, func(m map[string]string) {
			if m[name] = value; value == "" {
				delete(m, name)
			}
		})
	}
	for text, want := range map[string]string{
		with("private_key", "hunter2"):                               "private key is not PEM",
		with("private_key", key[:len(key)/2]):                        "private key is not PEM",
		with("private_key", key[27:]):                                "private key is not PEM",
		with("private_key", strings.Replace(key, key[60:64], "", 1)): "private key is PEM, but holds no RSA key",
		with("private_key", ""):                                      `member "private_key" is missing`,
		with("client_email", ""):                                     `member "client_email" is missing`,
		with("type", ""):                                             `member "type" is missing`,
		with("type", "keyring"):                                      "keyring",
		with("token_uri", "http://example.com/token"):                "token_uri is http://",
		`{"type":"external_account","token_url":"http://a.example"}`: "token_url is http://",
		plain[:len(plain)/2]:                                         "not valid JSON",
		key:                                                          "only a PEM block",
		"/etc/fanfare/firebase.json":                                 "put a file's path into fcm.credentials_file",
		`{"project_info":{"project_id":"p"},"client":[]}`:            "google-services.json",
		"hunter2": "neither JSON nor base64",
		"'":       "empty",
	} {
		for _, o := range []Options{{Credentials: redact.Secret(text)}, {CredentialsFile: write(t, []byte(text))}} {
			o.ProjectID, o.Logger = "p", slog.New(slog.DiscardHandler)
			_, err := New(t.Context(), o)
			if _, refused := errors.AsType[*CredentialsError](err); !refused || !strings.Contains(err.Error(), want) {
				t.Errorf("got %v, want %s", err, want)
				continue
			}
			for _, leak := range []string{"hunter2", key[40:80], key[len(key)-80 : len(key)-40], "BEGIN"} {
				if strings.Contains(err.Error(), leak) {
					t.Errorf("the error shows %q: %v", leak, err)
				}
			}
		}
	}
}

// http:// beyond this machine is refused, unless it is allowed or requests carry no credentials.
func TestAccessTokensStayOffCleartext(t *testing.T) {
	_, srv := simulate(t, fcmsim.Options{})
	account := redact.Secret(accountText(t, srv, nil))
	for name, c := range map[string]struct {
		endpoint       string
		credentials    redact.Secret
		file           string
		allow, refused bool
	}{
		"to another machine":                  {"http://fcm.example/v1", account, "", false, true},
		"to another machine, from a file":     {"http://fcm.example/v1", "", write(t, []byte(account.Reveal())), false, true},
		"to an address that looks like ours":  {"http://127.0.0.1.example/v1", account, "", false, true},
		"to an address of the local network":  {"HTTP://10.0.0.1:80/v1", account, "", false, true},
		"to another machine, allowed":         {"http://fcm.example/v1", account, "", true, false},
		"to another machine, with nothing":    {"http://fcm.example/v1", "", "", false, false},
		"to another machine, over TLS":        {"https://fcm.example/v1", account, "", false, false},
		"to this machine":                     {"http://127.0.0.1:9/v1", account, "", false, false},
		"to this machine by its IPv6 address": {"http://[::1]:9/v1", account, "", false, false},
		"to this machine by name":             {"http://localhost:9/v1", account, "", false, false},
	} {
		s, err := New(t.Context(), Options{
			ProjectID: "p", Endpoint: c.endpoint, Credentials: c.credentials, CredentialsFile: c.file, AllowPlaintext: c.allow,
			Logger: slog.New(slog.DiscardHandler),
		})
		if (err != nil) != c.refused || c.refused && !strings.Contains(err.Error(), "fcm.allow_plaintext") {
			t.Errorf("%s: got %v", name, err)
		}
		if err == nil {
			_ = s.Close()
		}
	}
}
