package fcm

import (
	"bytes"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/prometheus/client_golang/prometheus"

	"fanfare/internal/notification"
)

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 1, 31, 10, 0, 0, 0, time.UTC)
	for value, want := range map[string]struct {
		wait   time.Duration
		capped bool
	}{
		"30":                            {30 * time.Second, false},
		" 30 ":                          {30 * time.Second, false},
		"0":                             {0, false},
		"-5":                            {0, false},
		"3600":                          {time.Hour, false},
		"3601":                          {time.Hour, true},
		"99999999999999999999999":       {time.Hour, true},
		"9223372036854775807":           {time.Hour, true},
		"Sat, 31 Jan 2026 10:01:30 GMT": {90 * time.Second, false},
		"Sat, 31 Jan 2026 09:00:00 GMT": {0, false},
		"Mon, 31 Jan 2050 10:00:00 GMT": {time.Hour, true},
		"soon":                          {0, false},
		"1.5":                           {2 * time.Second, false},
		"3600.1":                        {time.Hour, true},
		"-1.5":                          {0, false},
		"-10000000000":                  {0, false},
		"-9223372036854775808":          {0, false},
		"1e9":                           {0, false},
		"+5":                            {0, false},
		"0x10":                          {0, false},
		"NaN":                           {0, false},
		"Mon, 01 Jan 0001 00:00:00 GMT": {0, false},
		"Fri, 31 Dec 9999 23:59:59 GMT": {time.Hour, true},
		"":                              {0, false},
	} {
		if wait, capped := parseRetryAfter(value, now); wait != want.wait || capped != want.capped {
			t.Errorf("%q: got %s, %t, want %s, %t", value, wait, capped, want.wait, want.capped)
		}
	}
}

func TestAnAbsurdWaitIsLogged(t *testing.T) {
	srv := serve(t, nil, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "86400")
		w.WriteHeader(http.StatusTooManyRequests)
	})
	var log bytes.Buffer
	o := srv.options
	o.Logger = slog.New(slog.NewTextHandler(&log, nil))
	s := newSender(t, o)
	for range 5 {
		if a := s.Send(t.Context(), body("token"), to("token")); a.RetryAfter != time.Hour {
			t.Errorf("got %s", a.RetryAfter)
		}
	}
	if n := strings.Count(log.String(), "Retry-After too long"); n != 1 || !strings.Contains(log.String(), "86400") {
		t.Errorf("logged %d times:\n%s", n, &log)
	}
}

// An answer may repeat the token or contain control characters. Neither reaches a log.
func TestDetailIsScrubbed(t *testing.T) {
	const token = "secret-registration-token-0123456789"
	srv := serve(t, nil, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusTeapot)
		_, _ = w.Write([]byte(`{"error":{"code":418,"status":"TEAPOT","message":"bad ` + token + `\n\u0000` + strings.Repeat("é", 500) + token + `"}}`))
	})
	a := newSender(t, srv.options).Send(t.Context(), body(token), to(token))
	if strings.Contains(a.Detail, token) || !strings.Contains(a.Detail, notification.ParseToken(token).String()) {
		t.Errorf("the token is not abbreviated: %q", a.Detail)
	}
	if strings.ContainsAny(a.Detail, "\n\x00") || len(a.Detail) > maxDetail+len("…") || !utf8.ValidString(a.Detail) {
		t.Errorf("%d bytes: %q", len(a.Detail), a.Detail)
	}
}

// SQL refuses a zero byte. A result with one would become a dead letter although FCM accepted the
// message.
func TestMessageIDIsScrubbed(t *testing.T) {
	srv := serve(t, nil, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`{"name":"projects/demo\u0000/` + strings.Repeat("x", 1000) + `"}`))
	})
	a := newSender(t, srv.options).Send(t.Context(), body("token"), to("token"))
	if a.Class != Sent || strings.Contains(a.MessageID, "\x00") || len(a.MessageID) > maxDetail+len("…") {
		t.Errorf("%s, named by %d bytes: %q", a.Class, len(a.MessageID), a.MessageID)
	}
}

func TestClassesHaveNames(t *testing.T) {
	seen := map[string]bool{}
	for c := Sent; c <= NotFCM; c++ {
		if name := c.String(); name == "" || name == "invalid" || seen[name] {
			t.Errorf("class %d is called %q", c, name)
		}
		seen[c.String()] = true
	}
	if name := Class(0).String(); name != "invalid" {
		t.Errorf("no class is called %q", name)
	}
}

func TestOptions(t *testing.T) {
	log := slog.New(slog.DiscardHandler)
	for name, o := range map[string]Options{
		"no logger":          {ProjectID: "p", Endpoint: "http://x/v1"},
		"no base":            {ProjectID: "p", Endpoint: "x:1/v1", Logger: log},
		"another scheme":     {ProjectID: "p", Endpoint: "ftp://x/v1", Logger: log},
		"a negative timeout": {ProjectID: "p", Endpoint: "http://x/v1", Logger: log, Timeout: -1},
		"no project":         {Endpoint: "http://x/v1", Logger: log},
		"no CA file":         {ProjectID: "p", Endpoint: "http://x/v1", Logger: log, RootCAs: "/does/not/exist"},
		"an empty CA file":   {ProjectID: "p", Endpoint: "http://x/v1", Logger: log, RootCAs: write(t, nil)},
	} {
		if s, err := New(t.Context(), o); err == nil {
			t.Errorf("%s: accepted", name)
			_ = s.Close()
		}
	}
	for endpoint, want := range map[string]string{
		"": googleAddress, "https://x/v1": "x:443", "https://[::1]:9/v1": "[::1]:9", "http://x": "x:80",
	} {
		if got, secure := (Options{Endpoint: endpoint}).dialAddress(); got != want || secure == strings.HasPrefix(endpoint, "http:") {
			t.Errorf("%q: got %s, %t", endpoint, got, secure)
		}
	}
}

func TestMetrics(t *testing.T) {
	srv := serve(t, nil, accept)
	reg := prometheus.NewRegistry()
	o := srv.options
	o.Registerer = reg
	s := newSender(t, o)
	for range 3 {
		s.Send(t.Context(), body("token"), to("token"))
	}
	s.Send(t.Context(), body("token"), notification.Target{})
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]float64{}
	for _, f := range families {
		for _, m := range f.Metric {
			got[f.GetName()] += m.GetCounter().GetValue() + m.GetGauge().GetValue() + float64(m.GetHistogram().GetSampleCount())
		}
	}
	for name, want := range map[string]float64{
		"fanfare_fcm_sends_total": 3, "fanfare_fcm_send_seconds": 3, "fanfare_fcm_connections": 1, "fanfare_fcm_dials_total": 1,
	} {
		if got[name] != want {
			t.Errorf("%s is %g, want %g", name, got[name], want)
		}
	}
	o.ProjectID, o.Logger = "p", slog.New(slog.DiscardHandler)
	if _, err := New(t.Context(), o); err == nil || !strings.Contains(err.Error(), "register metrics") {
		t.Errorf("registered twice: %v", err)
	}
}

// An answer may repeat the request. Our credentials do not reach a log or the reason of a pause.
func TestSecretsAreScrubbed(t *testing.T) {
	for _, secret := range []string{
		"-----BEGIN PRIVATE KEY-----\nMIIEsecret\n-----END PRIVATE KEY-----", "-----BEGIN RSA PRIVATE KEY-----\\nMIIEsecret",
		"ya29.a0secret-0123_456", "eyJhbGciOiJSUzI1NiJ9.eyJzZWNyZXQiOjF9.c2VjcmV0", "Bearer secret-0123456789",
		`"private_key": "secret"`, `access_token=secret`, `"assertion":"secret`, `password: secret-1`,
	} {
		got := scrubDetail("Denied for "+secret+" (reason)", notification.Target{})
		if strings.Contains(got, "MIIE") || strings.Contains(got, "secret") || strings.Contains(got, "c2VjcmV0") {
			t.Errorf("%q became %q", secret, got)
		}
		if !strings.HasPrefix(got, "Denied for ") {
			t.Errorf("%q became %q, want the sentence to stay", secret, got)
		}
	}
	const plain = "Permission 'cloudmessaging.messages.create' denied on resource '//cloudresourcemanager.googleapis.com/projects/demo' (or it may not exist)."
	if got := scrubDetail(plain, notification.Target{}); got != plain {
		t.Errorf("got %q", got)
	}
}
