package webhooks

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"fanfare/internal/campaign"
	"fanfare/internal/keys"
	"fanfare/internal/notification"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestEventsAreDelivered(t *testing.T) {
	t.Parallel()
	w, r := newWorld(t), newReceiver(t)
	d := w.deliverer(r.URL)
	w.deliver(d) // from now on
	w.run("42", campaign.Running, campaign.Paused, campaign.Running, campaign.Cancelled)
	w.deliver(d)
	w.deliver(d)
	w.expect(r, "42 started, 42 paused, 42 resumed, 42 cancelled")
	last := r.got[len(r.got)-1]
	if last.Who != "ops" || last.Detail != "because" || last.Books == nil || !strings.HasPrefix(last.ID, "42/") || last.At.IsZero() {
		t.Errorf("the last event is %+v", last)
	}
	if want := sign(secret, w.clock, r.bodies[0]); r.signed[0] != want {
		t.Errorf("signed %q, want %q", r.signed[0], want)
	}
	stored, err := w.rdb.XRange(t.Context(), keys.Default().Events(), "-", "+").Result()
	if err != nil || len(stored) != 4 || stored[3].Values["type"] != "campaign.cancelled" || stored[3].Values["campaign"] != "42" {
		t.Errorf("the stream has %v (%v)", stored, err)
	}
}

// An event of a campaign that waits says why, and what to do. One that is delivered when the
// campaign runs again says nothing, and an explanation that fails holds up no event.
func TestWaitingIsExplained(t *testing.T) {
	t.Parallel()
	w, r := newWorld(t), newReceiver(t)
	d := w.deliverer(r.URL)
	w.deliver(d)
	w.run("waits", campaign.Running, campaign.Paused)
	w.run("runs", campaign.Running, campaign.Paused, campaign.Running)
	w.deliver(d)
	w.unexplained = errors.New("no answer")
	w.run("unknown", campaign.Running, campaign.Paused)
	w.deliver(d)
	found := make(map[string]Event)
	for _, e := range r.got {
		if e.Type == typePaused {
			found[e.Campaign] = e
		}
	}
	want := []Reason{{Kind: "paused", Headline: "Paused", Detail: "because", People: 3, Next: "fanfare campaign resume waits"}}
	if !slices.Equal(found["waits"].Why, want) || len(found) != 3 || len(found["runs"].Why)+len(found["unknown"].Why) > 0 {
		t.Errorf("delivered %+v, want the reasons %+v for the one that waits", found, want)
	}
}

// A scheduled start that is refused is an event, with the reason.
func TestRefusedStartIsDelivered(t *testing.T) {
	t.Parallel()
	w, r := newWorld(t), newReceiver(t)
	d := w.deliverer(r.URL)
	w.deliver(d)
	w.run("42")
	if err := w.campaigns.Note(t.Context(), "42", "", notification.HistoryEntry{What: campaign.NoteRefused, Detail: "its waves do not fit"}); err != nil {
		t.Fatal(err)
	}
	w.deliver(d)
	w.expect(r, "42 start_refused")
	if len(r.got) == 1 && r.got[0].Detail != "its waves do not fit" {
		t.Errorf("the event is %+v", r.got[0])
	}
}

// What happened before webhooks were used is not delivered.
func TestDeliveryBeginsNow(t *testing.T) {
	t.Parallel()
	w, r := newWorld(t), newReceiver(t)
	w.run("old", campaign.Running)
	d := w.deliverer(r.URL)
	if err := w.rdb.HSet(t.Context(), keys.Default().Webhooks(), beginning, time.Now().Add(time.Hour).UnixMilli()).Err(); err != nil {
		t.Fatal(err)
	}
	w.deliver(d)
	w.expect(r, "")
}

// An event that fails is repeated with a growing delay, the others of its campaign wait for it, and
// other campaigns do not. Another process continues where this one ended.
func TestFailuresAreRepeated(t *testing.T) {
	t.Parallel()
	w, r := newWorld(t), newReceiver(t)
	d := w.deliverer(r.URL)
	w.deliver(d)
	for _, status := range []int{http.StatusInternalServerError, http.StatusNotFound, http.StatusFound} {
		r.answer(status)
		w.run(fmt.Sprint(status), campaign.Running, campaign.Paused)
		w.deliver(d)
		r.answer(http.StatusOK)
		w.clock = w.clock.Add(2*time.Second - 1)
		w.deliver(d) // too early
		w.expect(r, "")
		w.clock = w.clock.Add(1)
		w.deliver(d)
		w.expect(r, fmt.Sprintf("%d started, %[1]d paused", status))
		r.got = nil
	}
	if n := strings.Count(w.log.String(), "webhook not delivered"); n != 3 {
		t.Errorf("%d warnings, want one a failure:\n%s", n, w.log)
	}

	r.answer(http.StatusBadGateway)
	w.run("42", campaign.Running)
	w.deliver(d)
	r.answer(http.StatusOK)
	other := w.deliverer(r.URL)
	w.deliver(other) // the first one still has the lease
	w.expect(r, "")
	d.cursors.release(t.Context())
	w.deliver(other)
	w.expect(r, "42 started")
}

// histories stand for those of campaigns, and show the context of each round.
type histories struct {
	Histories
	visit func(ctx context.Context)
}

func (h histories) VisitNewHistory(ctx context.Context, _ map[string]string, _ func(string, []notification.HistoryEntry) error) error {
	h.visit(ctx)
	return nil
}

// A round ends long before its lease, so that the next round can renew that. It begins with the
// lease alone.
func TestRoundIsBounded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	d := w.deliverer("")
	var end, visited time.Time
	d.deps.Histories = histories{visit: func(ctx context.Context) { end, _ = ctx.Deadline(); visited = time.Now() }}
	begun := time.Now()
	w.deliver(d)
	if least, most := begun.Add(30*time.Second), visited.Add(30*time.Second); end.Before(least) || end.After(most) {
		t.Errorf("the round may last until %s, want %s to %s", end, least, most)
	}
	lease := keys.Default().Webhooks() + ":lease"
	w.server.SetTTL(lease, time.Second)
	w.deliver(d)
	if left := w.server.TTL(lease); left != time.Minute {
		t.Errorf("the lease lasts for %s, want a minute", left)
	}
	w.server.SetError("ERR no room")
	visited = time.Time{}
	if err := d.deliver(t.Context()); err == nil || !strings.Contains(err.Error(), "acquire the delivery") || !visited.IsZero() {
		t.Errorf("without a lease: %v, and histories were read at %s", err, visited)
	}
}

func TestOldEventsAreGivenUp(t *testing.T) {
	t.Parallel()
	w, r := newWorld(t), newReceiver(t)
	d := w.deliverer(r.URL)
	w.deliver(d)
	r.answer(http.StatusInternalServerError)
	w.run("42", campaign.Running)
	w.deliver(d)
	w.clock = w.clock.Add(23 * time.Hour)
	w.deliver(d)
	if strings.Contains(w.log.String(), "webhook given up") {
		t.Error("given up before a day was over")
	}
	w.clock = w.clock.Add(2 * time.Hour)
	w.deliver(d)
	r.answer(http.StatusOK)
	w.clock = w.clock.Add(time.Hour)
	w.deliver(d)
	w.expect(r, "")
	if !strings.Contains(w.log.String(), "webhook given up") {
		t.Errorf("the log says\n%s", w.log)
	}
}

// A name may resolve to an internal address, so the check comes after DNS.
func TestInternalAddressesAreRefused(t *testing.T) {
	t.Parallel()
	r := newReceiver(t)
	client := newClient(false)
	for _, url := range []string{r.URL, strings.Replace(r.URL, "127.0.0.1", "localhost", 1)} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		reply, err := client.Do(request)
		if err == nil {
			_ = reply.Body.Close()
		}
		if err == nil || !strings.Contains(err.Error(), "webhooks.allow_internal") {
			t.Errorf("%s: %v", url, err)
		}
	}
	for _, address := range []string{
		"127.0.0.1:1", "10.0.0.1:1", "172.16.0.1:1", "192.168.1.1:1", "169.254.169.254:80", "0.0.0.0:1", "100.64.0.1:1", "224.0.0.1:1",
		"255.255.255.255:1", "[::1]:1", "[fe80::1%eth0]:1", "[fc00::1]:1", "[::ffff:10.0.0.1]:1", "[64:ff9b::a00:1]:1", "[::]:1", "[2002:a00:1::]:1", "8.8.8.8",
	} {
		if checkPublic(address) == nil {
			t.Errorf("%s is dialed", address)
		}
	}
	for _, address := range []string{"8.8.8.8:443", "[2606:4700::1111]:443", "172.32.0.1:443"} {
		if err := checkPublic(address); err != nil {
			t.Errorf("%s: %v", address, err)
		}
	}
}

func TestOptionsAreChecked(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		o    Options
		want string
	}{
		"nothing":       {Options{}, ""},
		"no address":    {Options{URL: "example.com"}, "want one such as"},
		"http":          {Options{URL: "http://example.com", Secret: secret}, "use https"},
		"short secret":  {Options{URL: "https://example.com", Secret: "short"}, "openssl rand"},
		"https":         {Options{URL: "https://example.com", Secret: secret}, ""},
		"internal http": {Options{URL: "http://example.com", Secret: secret, AllowInternal: true}, ""},
	} {
		c.o.Interval = time.Second
		if err := c.o.validate(); (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

func TestRunEnds(t *testing.T) {
	t.Parallel()
	w, r := newWorld(t), newReceiver(t)
	d := w.deliverer(r.URL)
	w.deliver(d)
	w.run("42", campaign.Running)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		d.Run(ctx)
	}()
	for r.types() == "" {
		select {
		case <-time.After(time.Millisecond):
		case <-t.Context().Done():
			t.Fatal("nothing was delivered")
		}
	}
	stop()
	<-ended
	if n := w.rdb.Exists(context.WithoutCancel(ctx), keys.Default().Webhooks()+":lease").Val(); n != 0 {
		t.Error("the lease remains after the end")
	}
}

// A campaign that is kept for months has its history, and each of its events comes once. The cursor
// of one that is gone is removed.
func TestOldCampaignsAreNotDeliveredAgain(t *testing.T) {
	t.Parallel()
	w, r := newWorld(t), newReceiver(t)
	d := w.deliverer(r.URL)
	w.server.SetTime(w.clock.Add(-2 * cursorTTL))
	w.deliver(d)
	w.run("42", campaign.Running)
	w.deliver(d)
	cursor := keys.Default().Webhooks()
	if err := w.rdb.HSet(t.Context(), cursor, "gone", w.rdb.HGet(t.Context(), cursor, "42").Val()).Err(); err != nil {
		t.Fatal(err)
	}
	w.server.SetTime(w.clock)
	for range 3 {
		w.deliver(d)
	}
	w.expect(r, "42 started")
	if left := w.rdb.HGetAll(t.Context(), cursor).Val(); left["42"] == "" || left["gone"] != "" {
		t.Errorf("the cursors are %v", left)
	}
}
