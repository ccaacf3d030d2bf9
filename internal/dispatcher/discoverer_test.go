package dispatcher

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"fanfare/internal/campaign"
	"fanfare/internal/queue"
)

func TestUnsettledCampaignsAreTidied(t *testing.T) {
	w := newWorld(t)
	w.campaign(campaign.Spec{ID: "42"}, audience(5)...)
	q := must(w.deps.Campaigns.Queue("42"))(t)
	claim := must(q.Claim(t.Context(), queue.NewID(), 1))(t)
	settlement := queue.Settlement{Claim: claim.Claim, Pos: claim.Elements[0].Pos, Status: "sent"}
	must(q.Settle(t.Context(), []queue.Settlement{settlement}))(t)
	must(w.redis.RPush("{campaign:42}:outbox", `{"campaignId":"42"}`))(t) // as in a cluster
	w.loseLease("42", 2)
	if err := w.deps.Campaigns.Move(t.Context(), "42", campaign.Paused, ""); err != nil {
		t.Fatal(err)
	}
	if b := w.books("42"); b.InFlight != 2 || b.Outbox != 1 {
		t.Fatalf("books %+v, want two in flight and one result", b)
	}
	stop := w.serve(w.dispatcher())
	defer stop()
	w.eventually(func() bool {
		b := w.books("42")
		return b.InFlight == 0 && b.Outbox == 0 && b.Waiting == 4
	})
	if w.redis.Exists("notification:responses") == false {
		t.Error("the result is not on its way")
	}
}

func TestPeopleAreToldOnce(t *testing.T) {
	w := newWorld(t)
	var lines syncBuffer
	w.deps.Logger = daemonLog(&lines)
	w.redis.HSet("{campaign:broken}:spec", "state", "running", "message", `{"title":1}`)
	w.redis.HSet("{campaign:odd}:spec", "state", "walking", "message", plainMessage)
	for _, id := range []string{"broken", "odd", "lonely"} {
		must(w.redis.RPush("campaign:"+id, audience(1)...))(t)
	}
	finder := w.dispatcher().discoverer
	finder.logged["gone"] = "what was said of it"
	for range 3 {
		if err := finder.discover(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	for id, want := range map[string]string{"broken": "title", "odd": "walking", "lonely": "has no message"} {
		said := lines.with("campaign=" + id)
		if len(said) != 1 || !strings.Contains(said[0], want) {
			t.Errorf("of %s it is said %q, want %q once", id, said, want)
		}
	}
	if len(finder.logged) != 3 {
		t.Errorf("remembered is %q, want nothing of a campaign that is gone", finder.logged)
	}
	w.redis.HSet("{campaign:broken}:spec", "message", `{"body":1}`)
	if err := finder.discover(t.Context()); err != nil {
		t.Fatal(err)
	}
	if said := lines.with("campaign=broken"); len(said) != 2 {
		t.Errorf("of a new fault it is said %q", said)
	}
	w.redis.HSet("{campaign:broken}:spec", "message", plainMessage)
	if err := finder.discover(t.Context()); err != nil {
		t.Fatal(err)
	}
	if what, known := finder.logged["broken"]; known {
		t.Errorf("after the repair %q is remembered, so the same fault would not be told again", what)
	}
}

// A start that fails is no secret, and neither is it repeated with each look.
func TestFailedScheduledStartIsLoggedOnce(t *testing.T) {
	w := newWorld(t)
	var lines syncBuffer
	w.deps.Logger = daemonLog(&lines)
	w.deps.Campaigns = must(campaign.New(must(w.client())(t), w.deps.Names, campaign.Options{CheckStart: func(context.Context, string) (string, error) {
		return "", errors.New("the quota cannot be read")
	}}))(t)
	spec := campaign.Spec{ID: "42", Message: []byte(plainMessage), State: campaign.Draft, StartAt: time.Now().Add(-time.Hour)}
	if err := w.deps.Campaigns.Create(t.Context(), spec); err != nil {
		t.Fatal(err)
	}
	must(w.redis.RPush("campaign:42", audience(1)...))(t)
	finder := w.dispatcher().discoverer
	for range 2 {
		if err := finder.discover(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if said := lines.with("scheduled campaign not started; retrying"); len(said) != 1 || !strings.Contains(said[0], "the quota cannot be read") {
		t.Errorf("of the start it is said %q, want the cause once", said)
	}
}

type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) with(part string) (lines []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for line := range strings.Lines(s.b.String()) {
		if strings.Contains(line, part) {
			lines = append(lines, line)
		}
	}
	return lines
}
