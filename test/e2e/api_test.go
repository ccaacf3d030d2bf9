package e2e

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"

	"fanfare/test/servers"
)

// apiClient sends requests to a console, and holds the responses against openapi.yaml.
type apiClient struct {
	t           *testing.T
	base, token string
	router      routers.Router
}

// newAPIClient reads the address out of what the console printed.
func newAPIClient(t *testing.T, console *servers.Process, token string) *apiClient {
	t.Helper()
	servers.Eventually(t, "the console prints its address", func() bool { return bytes.Contains(console.Stdout(), []byte("console: http://")) })
	_, base, _ := strings.Cut(string(console.Stdout()), "console: ")
	base = strings.TrimSuffix(strings.Fields(base)[0], "/") + "/api/v1"
	text, err := os.ReadFile("../../internal/api/openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	description, err := openapi3.NewLoader().LoadFromData(text)
	if err != nil {
		t.Fatal(err)
	}
	description.Servers = openapi3.Servers{{URL: base}}
	openapi3filter.RegisterBodyDecoder("application/x-ndjson", openapi3filter.FileBodyDecoder)
	router, err := gorillamux.NewRouter(description)
	if err != nil {
		t.Fatal(err)
	}
	return &apiClient{t, base, token, router}
}

// send sends a request and returns its status and body.
func (c *apiClient) send(method, path string, body []byte, headers ...string) (int, []byte) {
	c.t.Helper()
	r, err := http.NewRequestWithContext(c.t.Context(), method, c.base+path, bytes.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+c.token)
	r.Header.Set("Fanfare-Actor", "crm")
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	reply, err := http.DefaultClient.Do(r)
	if err != nil {
		c.t.Fatal(err)
	}
	defer func() { _ = reply.Body.Close() }()
	text, err := io.ReadAll(reply.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	c.compare(r, reply, text)
	return reply.StatusCode, text
}

// compare holds a response against the description.
func (c *apiClient) compare(r *http.Request, reply *http.Response, text []byte) {
	c.t.Helper()
	route, params, err := c.router.FindRoute(r)
	if err != nil {
		c.t.Fatalf("%s %s is not described: %v", r.Method, r.URL.Path, err)
	}
	err = openapi3filter.ValidateResponse(c.t.Context(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: &openapi3filter.RequestValidationInput{Request: r, PathParams: params, Route: route},
		Status:                 reply.StatusCode, Header: reply.Header, Body: io.NopCloser(bytes.NewReader(text)),
	})
	if err != nil {
		c.t.Errorf("%s %s: the response is not as described: %v", r.Method, r.URL.Path, err)
	}
}

// expect sends a request and decodes its answer.
func (c *apiClient) expect(status int, into any, method, path, body string, headers ...string) {
	c.t.Helper()
	got, text := c.send(method, path, []byte(body), headers...)
	if got != status {
		c.t.Fatalf("%s %s: %d %s, want %d", method, path, got, text, status)
	}
	if into != nil {
		if err := json.Unmarshal(text, into); err != nil {
			c.t.Fatalf("%s %s: %s: %v", method, path, text, err)
		}
	}
}

// An application without access to Redis runs a whole campaign: it creates, loads by a compressed
// upload, starts, follows, and reads the outcomes.
func TestCampaignOverHTTP(t *testing.T) {
	t.Parallel()
	const n, token, reader = 300, "0123456789abcdef-operate", "0123456789abcdef-read"
	s, db := newSystem(t, servers.SystemOptions{Env: []string{"FANFARE_CONSOLE_TOKEN=" + token, "FANFARE_CONSOLE_READ_TOKEN=" + reader}})
	console := s.Start(nil, "fanfare", "console", "--operate", "--listen", "127.0.0.1:0")
	dispatcher, responder := s.Start(nil, "dispatcher"), s.Start(nil, "responder")
	c := newAPIClient(t, console, token)

	c.expect(http.StatusUnprocessableEntity, nil, "POST", "/campaigns", `{"id":"42","message":{"notification":{"titel":"Hi"},"data":{"n":1}}}`)
	c.expect(http.StatusCreated, nil, "POST", "/campaigns", `{"id":"42","name":"News","message":{"notification":{"title":"Hi"}}}`, "Idempotency-Key", "a")
	c.expect(http.StatusCreated, nil, "POST", "/campaigns", `{"id":"42","name":"News","message":{"notification":{"title":"Hi"}}}`, "Idempotency-Key", "a")
	c.expect(http.StatusConflict, nil, "POST", "/campaigns", `{"id":"42","message":{"notification":{"title":"Hi"}}}`)

	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	_, _ = io.WriteString(w, audience(n))
	_ = w.Close()
	var loaded struct{ Loaded int }
	c.expect(http.StatusOK, &loaded, "POST", "/campaigns/42/audience", packed.String(), "Content-Type", "text/csv", "Content-Encoding", "gzip")
	if loaded.Loaded != n {
		t.Errorf("%d of %d were loaded", loaded.Loaded, n)
	}
	c.expect(http.StatusOK, nil, "PATCH", "/campaigns/42", `{"priority":3}`)
	(&apiClient{t, c.base, reader, c.router}).expect(http.StatusForbidden, nil, "POST", "/campaigns/42/start", `{}`)
	(&apiClient{t, c.base, "wrong", c.router}).expect(http.StatusUnauthorized, nil, "GET", "/campaigns", "")
	c.expect(http.StatusOK, nil, "POST", "/campaigns/42/start", `{"reason":"it is time"}`)
	servers.AwaitSummary(t, db, "42", n)

	var shown struct {
		State string
		Books struct{ Loaded, Sent int }
	}
	s.Eventually("the campaign has completed", func() bool {
		c.expect(http.StatusOK, &shown, "GET", "/campaigns/42", "")
		return shown.State == "completed"
	})
	if shown.Books.Sent != n || shown.Books.Loaded != n {
		t.Errorf("the books are %+v", shown.Books)
	}
	if _, text := c.send("GET", "/campaigns/42/outcomes?status=sent", nil); bytes.Count(text, []byte("\n")) != n {
		t.Errorf("%d outcomes were exported, want %d", bytes.Count(text, []byte("\n")), n)
	}
	var history struct{ Entries []struct{ Who, What string } }
	c.expect(http.StatusOK, &history, "GET", "/campaigns/42/history", "")
	if text := fmt.Sprint(history.Entries); !strings.Contains(text, "crm, API") {
		t.Errorf("the history is %s", text)
	}
	for _, path := range []string{"/campaigns", "/users/u1", "/dead-letters", "/project", "/processes"} {
		c.expect(http.StatusOK, nil, "GET", path, "")
	}
	c.expect(http.StatusOK, nil, "POST", "/project/halt", `{"reason":"drill"}`)
	c.expect(http.StatusOK, nil, "POST", "/project/resume", "")
	c.expect(http.StatusOK, nil, "POST", "/dead-letters/replay", `{"filter":{"campaign":"42"}}`)
	c.expect(http.StatusOK, nil, "DELETE", "/campaigns/42", "")
	for _, p := range []*servers.Process{dispatcher, responder, console} {
		p.Signal(syscall.SIGTERM)
		p.ExpectExit(0)
	}
}
