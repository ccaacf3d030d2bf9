package webhooks

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"fanfare/internal/campaign"
	"fanfare/internal/keys"
)

// expectStream compares the types of all events in the stream.
func (w *world) expectStream(want string) {
	w.Helper()
	stored, err := w.rdb.XRange(w.Context(), keys.Default().Events(), "-", "+").Result()
	if err != nil {
		w.Fatal(err)
	}
	var got []string
	for _, entry := range stored {
		kind, _ := entry.Values["type"].(string)
		got = append(got, strings.TrimPrefix(kind, "campaign."))
	}
	if all := strings.Join(got, ", "); all != want {
		w.Errorf("the stream has %q, want %q", all, want)
	}
}

// Without an address, events go to the stream alone.
func TestStreamNeedsNoAddress(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	d := w.deliverer("")
	w.deliver(d)
	w.run("42", campaign.Running, campaign.Paused)
	w.deliver(d)
	w.deliver(d)
	w.expectStream("started, paused")
}

// An event that is sent again is in the stream once. A process that ends neither gives it up nor
// counts an attempt.
func TestRepeatedEventIsInTheStreamOnce(t *testing.T) {
	t.Parallel()
	w, r := newWorld(t), newReceiver(t)
	d := w.deliverer(r.URL)
	w.deliver(d)
	r.answer(http.StatusBadGateway)
	w.run("42", campaign.Running)
	for range 3 {
		w.deliver(d)
		w.clock = w.clock.Add(maxDelay)
	}
	w.expectStream("started")
	ended, end := context.WithCancel(t.Context())
	end()
	before := d.retries["42"]
	if done := d.deliverEvent(ended, Event{ID: "42/1", Campaign: "42", Type: "campaign.started", At: w.clock.Add(-2 * giveUpAfter)}); done || d.retries["42"] != before || before.attempts != 3 {
		t.Errorf("done %v with %+v after the end, want %+v", done, d.retries["42"], before)
	}
	if strings.Contains(w.log.String(), "given up") {
		t.Errorf("the log says\n%s", w.log)
	}
	for attempts, want := range map[int]time.Duration{1: 4 * time.Second, 7: 256 * time.Second, 8: 5 * time.Minute, 1000: 5 * time.Minute} {
		d.retries["42"] = retry{attempts: attempts}
		d.deliverEvent(t.Context(), Event{ID: "42/1", Campaign: "42", Type: "campaign.started", At: w.clock})
		if got := d.retries["42"].next.Sub(w.clock); got != want {
			t.Errorf("after %d attempts the next one follows in %s, want %s", attempts, got, want)
		}
	}
}

// A process releases no lease but its own.
func TestOtherLeaseIsKept(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.deliver(w.deliverer(""))
	w.deliverer("").cursors.release(t.Context())
	if !w.server.Exists(keys.Default().Webhooks() + ":lease") {
		t.Error("the lease of another process was released")
	}
	if err := (Options{}).validate(); err == nil {
		t.Error("an interval of 0 is taken")
	}
}
