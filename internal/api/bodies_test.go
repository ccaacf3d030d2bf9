package api

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"fanfare/internal/notification"
)

// An upload that breaks off says what is loaded, and that it can be repeated.
func TestUploadBreaksOff(t *testing.T) {
	t.Parallel()
	f := open(t)
	made := &API{deps: Deps{System: f.system}, opts: Options{Identify: func(*http.Request) Caller { return f.caller }}}
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, Prefix+"/campaigns/42/audience", io.MultiReader(strings.NewReader("userId\n"), errorReader{}))
	w := httptest.NewRecorder()
	made.serve(endpoint{path: audiencePath, handle: made.loadAudience}).ServeHTTP(w, r)
	if w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), "first 3 recipients are loaded") || !strings.Contains(w.Body.String(), "Repeat it") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

type errorReader struct{}

func (errorReader) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// An export that breaks off is not taken for the whole.
func TestExport(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.system.outcomes = []notification.Result{{CampaignID: "42", UserID: "u1", Status: notification.StatusSent}}
	f.expect(http.StatusOK, `"userId":"u1"`, http.MethodGet, "/campaigns/42/outcomes", "")
	f.expect(http.StatusOK, "userId,status,", http.MethodGet, "/campaigns/42/outcomes?format=csv", "")
	f.system.broken = errors.New("SQL is away")
	for range 13 {
		f.system.outcomes = append(f.system.outcomes, f.system.outcomes...) // more than is buffered
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, f.url+"/campaigns/42/outcomes", nil)
	if err != nil {
		t.Fatal(err)
	}
	reply, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = reply.Body.Close() }()
	if _, err := io.ReadAll(reply.Body); err == nil {
		t.Error("a response that broke off looks whole")
	}
}
