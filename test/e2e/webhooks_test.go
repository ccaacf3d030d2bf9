package e2e

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"syscall"
	"testing"

	"fanfare/internal/keys"
	"fanfare/test/servers"
)

// TestWebhooks has a receiver miss the first request. It gets every event of a campaign in order,
// with the figures at its end, although two responders run.
func TestWebhooks(t *testing.T) {
	t.Parallel()
	type event struct {
		Type, Campaign, Detail string
		Books                  struct{ Sent int }
		Why                    []struct {
			Kind, Next string
			People     int
		}
	}
	var mu sync.Mutex
	var got []event
	var requests int
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		if requests++; requests == 1 {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		var e event
		body, _ := io.ReadAll(r.Body)
		if err := json.Unmarshal(body, &e); err != nil || r.Header.Get("Fanfare-Signature") == "" {
			t.Errorf("got %s, signed %q: %v", body, r.Header.Get("Fanfare-Signature"), err)
		}
		got = append(got, e)
	}))
	defer receiver.Close()
	s, db := newSystem(t, servers.SystemOptions{Env: []string{
		"FANFARE_WEBHOOKS_URL=" + receiver.URL, "FANFARE_WEBHOOKS_SECRET=0123456789abcdef", "FANFARE_WEBHOOKS_ALLOW_INTERNAL=true",
	}})
	responders := []*servers.Process{s.Start(nil, "responder"), s.Start(nil, "responder")}
	for _, r := range responders {
		r.AwaitLog(`"msg":"ready"`)
	}
	s.Eventually("events are delivered from now on", func() bool {
		begun, err := s.Redis.Exists(t.Context(), keys.Default().Webhooks()).Result()
		return err == nil && begun == 1
	})
	s.Campaign("42", audience(20))
	s.Fanfare("campaign", "pause", "42", "--reason", "wrong link")
	s.Fanfare("campaign", "resume", "42")
	s.Job("42").ExpectExit(0)
	servers.AwaitSummary(t, db, "42", 20)
	s.Eventually("all events are delivered", func() bool {
		mu.Lock()
		defer mu.Unlock()
		return len(got) >= 4
	})
	s.Campaign("waits", audience(7))
	s.Fanfare("campaign", "pause", "waits", "--reason", "wrong link")
	var waiting event
	s.Eventually("the pause of another campaign is delivered", func() bool {
		mu.Lock()
		defer mu.Unlock()
		waiting = got[len(got)-1]
		return waiting.Campaign == "waits" && waiting.Type == "campaign.paused"
	})
	if why := waiting.Why; len(why) == 0 || why[0].Kind != "paused" || why[0].People != 7 || why[0].Next != "fanfare campaign resume waits" {
		t.Errorf("delivered %+v, want why the campaign waits and what to do", waiting)
	}
	for _, r := range responders {
		r.Signal(syscall.SIGTERM)
		r.ExpectExit(0)
	}
	var types []string
	for _, e := range got {
		if e.Campaign == "42" {
			types = append(types, e.Type)
		}
	}
	want := []string{"campaign.started", "campaign.paused", "campaign.resumed", "campaign.completed"}
	if !slices.Equal(types, want) {
		t.Errorf("delivered %q, want %q", types, want)
	}
	if got[1].Detail != "wrong link" || got[3].Books.Sent != 20 {
		t.Errorf("delivered %+v", got)
	}
}
