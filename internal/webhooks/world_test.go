package webhooks

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"fanfare/internal/campaign"
	"fanfare/internal/keys"
	"fanfare/internal/notification"
	"fanfare/internal/redact"
)

const secret = "0123456789abcdef"

// receiver records what it gets. It answers with status.
type receiver struct {
	*httptest.Server
	mu     sync.Mutex
	status int
	got    []Event
	signed []string
	bodies [][]byte
}

func newReceiver(t *testing.T) *receiver {
	t.Helper()
	r := &receiver{status: http.StatusOK}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		body, _ := io.ReadAll(q.Body)
		r.mu.Lock()
		defer r.mu.Unlock()
		var e Event
		if err := json.Unmarshal(body, &e); err != nil {
			t.Errorf("body %q: %v", body, err)
		}
		if r.status == http.StatusOK {
			r.got, r.signed, r.bodies = append(r.got, e), append(r.signed, q.Header.Get(SignatureHeader)), append(r.bodies, body)
		}
		if r.status/100 == 3 {
			w.Header().Set("Location", "/elsewhere")
		}
		w.WriteHeader(r.status)
	}))
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) answer(status int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.status = status
}

// types are the types of all events, in their order.
func (r *receiver) types() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var all []string
	for _, e := range r.got {
		all = append(all, e.Campaign+" "+strings.TrimPrefix(e.Type, "campaign."))
	}
	return strings.Join(all, ", ")
}

// world has campaigns in Redis.
type world struct {
	*testing.T
	server    *miniredis.Miniredis
	rdb       *redis.Client
	campaigns *campaign.Campaigns
	log       *bytes.Buffer
	clock     time.Time

	unexplained error // of every explanation
}

func newWorld(t *testing.T) *world {
	t.Helper()
	server := miniredis.RunT(t)
	rdb := redis.NewClient(&redis.Options{Addr: server.Addr()})
	t.Cleanup(func() { _ = rdb.Close() })
	campaigns, err := campaign.New(rdb, keys.Default(), campaign.Options{Actor: "ops"})
	if err != nil {
		t.Fatal(err)
	}
	return &world{t, server, rdb, campaigns, &bytes.Buffer{}, time.Now(), nil}
}

func (w *world) deliverer(url string) *Deliverer {
	w.Helper()
	d, err := New(Deps{w.rdb, keys.Default(), w.campaigns, w.explain, slog.New(slog.NewTextHandler(w.log, nil))},
		Options{URL: url, Secret: redact.Secret(secret), AllowInternal: true, Interval: time.Millisecond})
	if err != nil {
		w.Fatal(err)
	}
	w.Cleanup(d.client.CloseIdleConnections)
	d.now = func() time.Time { return w.clock }
	return d
}

// explain says why a campaign waits, as long as it is paused.
func (w *world) explain(ctx context.Context, id string) ([]Reason, error) {
	spec, err := w.campaigns.Get(ctx, id)
	if err != nil || spec.State != campaign.Paused {
		return nil, err
	}
	return []Reason{{Kind: "paused", Headline: "Paused", Detail: spec.Reason, People: 3, Next: "fanfare campaign resume " + id}}, w.unexplained
}

func (w *world) deliver(d *Deliverer) {
	w.Helper()
	if err := d.deliver(w.Context()); err != nil {
		w.Error(err)
	}
}

// run creates a campaign, and moves it.
func (w *world) run(id string, states ...campaign.State) {
	w.Helper()
	err := w.campaigns.Create(w.Context(), campaign.Spec{ID: id, Message: notification.Message(`{}`)})
	for _, state := range states {
		if err == nil {
			err = w.campaigns.Move(w.Context(), id, state, "because")
		}
	}
	if err != nil {
		w.Fatal(err)
	}
}

func (w *world) expect(r *receiver, want string) {
	w.Helper()
	if got := r.types(); got != want {
		w.Errorf("delivered %q, want %q", got, want)
	}
}
