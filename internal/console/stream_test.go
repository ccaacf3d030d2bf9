package console

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// events reads the updates of a page's stream.
func (f *fixture) events(ctx context.Context, path string) func() update {
	f.t.Helper()
	r := f.request(http.MethodGet, path, nil).WithContext(ctx)
	r.Header.Set("Accept", "text/event-stream")
	response, err := f.client.Do(r)
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() { response.Body.Close() })
	lines := bufio.NewScanner(response.Body)
	lines.Buffer(nil, 1<<20)
	return func() (u update) {
		f.t.Helper()
		for lines.Scan() {
			if text, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
				if err := json.Unmarshal([]byte(text), &u); err != nil {
					f.t.Fatal(err)
				}
				return u
			}
		}
		f.t.Fatalf("stream ended: %v", lines.Err())
		return u
	}
}

// A stream sends all parts first, and then only what has changed.
func TestStreamSendsWhatChanges(t *testing.T) {
	f := open(t, Options{})
	ctx, leave := context.WithCancel(t.Context())
	defer leave()
	next := f.events(ctx, "/campaigns")
	first := next()
	if !strings.Contains(first.Parts["list"], "/campaigns/running") || first.State != "live" {
		t.Fatalf("first update %+v, want the whole list", first)
	}
	f.refresh()
	if same := next(); len(same.Parts) > 0 {
		t.Errorf("parts %v are sent although nothing has changed", keysOf(same.Parts))
	}
	f.system.mu.Lock()
	f.system.views[0].Books.Sent += 50
	f.system.views[0].Books.Waiting -= 50
	f.system.mu.Unlock()
	f.refresh()
	if changed := next(); !strings.Contains(changed.Parts["list"], "780") || changed.Parts["menu"] != "" {
		t.Errorf("parts %v, want the list with 780 who ended and no menu", keysOf(changed.Parts))
	}
}

func keysOf(parts map[string]string) (names []string) {
	for name := range parts {
		names = append(names, name)
	}
	return names
}

// A stream ends with its viewer's session.
func TestStreamEndsWithTheSession(t *testing.T) {
	f := open(t, Options{Tokens: Tokens{Read: readToken}})
	f.post("/login", url.Values{"token": {readToken}})
	r := f.request(http.MethodGet, "/campaigns", nil)
	r.Header.Set("Accept", "text/event-stream")
	stream, err := f.client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Body.Close()
	wantStatus(t, f.post("/logout", url.Values{}), http.StatusSeeOther)
	f.refresh()
	if _, err := io.Copy(io.Discard, stream.Body); err != nil { // hangs if the stream continues
		t.Errorf("stream: %v", err)
	}
}

// Where streams do not get through, a page asks for its parts.
func TestPollingSendsAllParts(t *testing.T) {
	f := open(t, Options{})
	r := f.request(http.MethodGet, "/campaigns/running", nil)
	r.Header.Set("Accept", "application/json")
	var u update
	if err := json.Unmarshal([]byte(f.send(r).text), &u); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(u.Parts["progress"], "The books balance, exactly") {
		t.Errorf("parts %v, want the progress", keysOf(u.Parts))
	}
}

// Viewers of the same page share its rendering; another page has its own.
func TestViewersShareARendering(t *testing.T) {
	f := open(t, Options{})
	ctx, leave := context.WithCancel(t.Context())
	defer leave()
	first, second := f.events(ctx, "/campaigns/running"), f.events(ctx, "/campaigns/running")
	other := f.events(ctx, "/campaigns/paused")
	a, b, c := first(), second(), other()
	if a.Parts["facts"] == "" || a.Parts["facts"] != b.Parts["facts"] || !strings.Contains(c.Parts["facts"], "paused") {
		t.Fatalf("facts %q, %q and %q", a.Parts["facts"], b.Parts["facts"], c.Parts["facts"])
	}
	f.system.mu.Lock()
	before := f.system.shown
	f.system.mu.Unlock()
	f.refresh()
	first()
	second()
	f.system.mu.Lock()
	defer f.system.mu.Unlock()
	// The other page may have rendered by now, too.
	if n := f.system.shown["running"] - before["running"]; n != 1 {
		t.Errorf("two viewers asked %d times for the campaign, want once", n)
	}
}
