package fcm

import (
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"fanfare/fcmsim"
)

func write(t *testing.T, text []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "key.json")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// accountFile writes a service account of the simulator. edit changes its members.
func accountFile(t *testing.T, srv *fcmsim.Server, edit func(map[string]string)) string {
	t.Helper()
	text, err := srv.ServiceAccount("from-the-key")
	if err != nil {
		t.Fatal(err)
	}
	var key map[string]string
	if err := json.Unmarshal(text, &key); err != nil {
		t.Fatal(err)
	}
	if edit != nil {
		edit(key)
	}
	if text, err = json.Marshal(key); err != nil {
		t.Fatal(err)
	}
	return write(t, text)
}

func TestServiceAccount(t *testing.T) {
	sim, srv := simulate(t, fcmsim.Options{RequireAuth: true, Project: "from-the-key"})
	file := accountFile(t, srv, nil)
	s, err := New(t.Context(), Options{
		Endpoint: srv.URLs.TLS, RootCAs: srv.CAFile, CredentialsFile: file, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	if err := s.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if a := s.Send(t.Context(), body("token"), to("token")); a.Class != Sent {
			t.Errorf("got %s: %s", a.Class, a.Detail)
		}
	}
	if n := sim.Counts().AccessTokens; n != 1 {
		t.Errorf("%d access tokens fetched, want 1", n)
	}
}

// Application Default Credentials come from the environment.
func TestApplicationDefaultCredentials(t *testing.T) {
	_, srv := simulate(t, fcmsim.Options{RequireAuth: true})
	t.Setenv("GOOGLE_APPLICATION_CREDENTIALS", accountFile(t, srv, nil))
	c := credentials{transport: http.DefaultTransport}
	if project, err := c.readProjectID(t.Context()); project != "from-the-key" || err != nil {
		t.Errorf("project %q, %v", project, err)
	}
	if token, err := c.fetchToken(t.Context()); err != nil || token.AccessToken == "" {
		t.Errorf("token: %v", err)
	}
	http.DefaultTransport.(*http.Transport).CloseIdleConnections()
}

// An endpoint other than Google's gets no credentials without a file, whatever the environment
// contains.
func TestNoCredentialsForAnotherEndpoint(t *testing.T) {
	t.Setenv("GOOGLE_APPLICATION_CREDENTIALS", "/does/not/exist")
	var header string
	srv := serve(t, nil, func(w http.ResponseWriter, r *http.Request) {
		header = r.Header.Get("Authorization")
		accept(w, r)
	})
	s := newSender(t, srv.options)
	if err := s.Check(t.Context()); err != nil {
		t.Error(err)
	}
	if a := s.Send(t.Context(), body("token"), to("token")); a.Class != Sent || header != "" {
		t.Errorf("got %s, with %q", a.Class, header)
	}
}

func TestCredentialsThatCannotBeRead(t *testing.T) {
	for name, file := range map[string]string{
		"no file":         filepath.Join(t.TempDir(), "none.json"),
		"no JSON":         write(t, []byte("hello")),
		"no account":      write(t, []byte(`{"type":"service_account"`)),
		"an unknown type": write(t, []byte(`{"type":"keyring"}`)),
	} {
		_, err := New(t.Context(), Options{ProjectID: "p", CredentialsFile: file, Logger: slog.New(slog.DiscardHandler)})
		wrong, ok := errors.AsType[*CredentialsError](err)
		if !ok || wrong.Source != file || !strings.Contains(err.Error(), file) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// The credentials are blamed only for their own faults. A failing token endpoint never makes an
// outcome ambiguous.
func TestCredentialsAreBlamedOnlyForTheirFaults(t *testing.T) {
	sim, srv := simulate(t, fcmsim.Options{})
	endpoint := func(h http.HandlerFunc) func(map[string]string) {
		other := httptest.NewServer(h)
		t.Cleanup(other.Close)
		return func(key map[string]string) { key["token_uri"] = other.URL }
	}
	answer := func(status int, body string) func(map[string]string) {
		return endpoint(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			_, _ = w.Write([]byte(body))
		})
	}
	stranger, err := srv.ServiceAccount("stranger")
	if err != nil {
		t.Fatal(err)
	}
	var other map[string]string
	if err := json.Unmarshal(stranger, &other); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		edit func(map[string]string)
		want Class
	}{
		"another account's key":  {func(key map[string]string) { key["private_key"] = other["private_key"] }, Credentials},
		"refused":                {answer(400, `{"error":"invalid_grant"}`), Credentials},
		"forbidden":              {answer(403, errorJSON("PERMISSION_DENIED")), Credentials},
		"a proxy forbids":        {answer(403, "<html>"), NotSent},
		"a gateway forbids":      {answer(403, `{"error":{"code":403,"message":"No."}}`), NotSent},
		"a proxy wants a login":  {answer(407, ""), NotSent},
		"a page is not found":    {answer(404, `{"message":"no route"}`), NotSent},
		"a request too slow":     {answer(408, ""), NotSent},
		"too many requests":      {answer(429, ""), NotSent},
		"a busy token endpoint":  {answer(429, `{"error":"slow_down"}`), NotSent},
		"an internal error":      {answer(500, ""), NotSent},
		"unavailable":            {answer(503, "<html>"), NotSent},
		"an answer that is none": {answer(200, "<html>"), NotSent},
		"the connection breaks":  {endpoint(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }), NotSent},
		"the endpoint is not up": {func(key map[string]string) { key["token_uri"] = "http://127.0.0.1:1" }, NotSent},
		"an unknown certificate": {func(key map[string]string) { key["token_uri"] = srv.URLs.TLS }, NotSent},
	} {
		s := newSender(t, Options{Endpoint: srv.URLs.HTTP, CredentialsFile: accountFile(t, srv, c.edit)})
		a := s.Send(t.Context(), body("token"), to("token"))
		if a.Class != c.want {
			t.Errorf("%s: got %s (%s), want %s", name, a.Class, a.Detail, c.want)
		}
		_, blamed := errors.AsType[*CredentialsError](s.Check(t.Context()))
		if blamed != (c.want == Credentials) {
			t.Errorf("%s: Check blames the credentials: %t", name, blamed)
		}
	}
	if n := sim.Counts().Requests; n != 0 {
		t.Errorf("%d requests to FCM without a token", n)
	}
}

// silentEndpoint is a token endpoint that never answers.
type silentEndpoint struct{}

func (silentEndpoint) RoundTrip(req *http.Request) (*http.Response, error) {
	<-req.Context().Done()
	return nil, req.Context().Err()
}

// A silent token endpoint holds up a request for the timeout and no longer.
func TestTimeoutBoundsTheTokenEndpoint(t *testing.T) {
	file := write(t, []byte(`{"type":"authorized_user","client_id":"i","client_secret":"s","refresh_token":"r"}`))
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		_, err := credentials{file: file, transport: silentEndpoint{}}.fetchToken(t.Context())
		if took := time.Since(begun); err == nil || took != 10*time.Second {
			t.Errorf("%v after %s, want an error after 10 s", err, took)
		}
	})
}
