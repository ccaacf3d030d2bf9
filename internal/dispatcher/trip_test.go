package dispatcher

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"fanfare/internal/breaker"
	"fanfare/internal/campaign"
	"fanfare/internal/fcm"
	"fanfare/internal/queue"
)

// A trip that arrives during a stop is acted on. A trip of a deleted or stopped campaign needs no
// action.
func TestTripIsActedOnInAStop(t *testing.T) {
	w := newWorld(t)
	w.useBreakers()
	w.campaign(campaign.Spec{ID: "42"})
	d := w.dispatcher()
	finder := d.discoverer
	if err := finder.discover(t.Context()); err != nil {
		t.Fatal(err)
	}
	camp := d.roster.get("42")
	stopped, stop := context.WithCancel(t.Context())
	stop()
	d.reporter.apply(stopped, camp, breaker.Decision{Trip: &breaker.Trip{Scope: breaker.Campaign, Kind: breaker.BadMessage, Reason: "why"}, Tripped: true})
	if spec := must(w.deps.Campaigns.Get(t.Context(), "42"))(t); spec.State != campaign.Paused || spec.Reason != "why" || !camp.isClosed() {
		t.Errorf("campaign is %s for %q, closed here: %v; want it paused by the trip", spec.State, spec.Reason, camp.isClosed())
	}
	for _, step := range []func(context.Context, string) error{
		func(ctx context.Context, id string) error {
			return w.deps.Campaigns.Move(ctx, id, campaign.Cancelled, "")
		},
		w.deps.Campaigns.Delete,
	} {
		if err := step(t.Context(), "42"); err != nil {
			t.Fatal(err)
		}
		if err := d.reporter.pauser.pause(t.Context(), camp, "again"); err != nil {
			t.Errorf("pause what is stopped: %v", err)
		}
	}
}

// Answers that come while Redis is away are reported when it is back, although no one has anything
// more to tell: till then, no one beyond the canary is sent to.
func TestTripDuringAnOutage(t *testing.T) {
	w := newWorld(t)
	o := breaker.DefaultOptions()
	o.Canary, o.Lease = canary, time.Second
	w.deps.Breakers = must(breaker.New(must(w.client())(t), o))(t)
	var lines syncBuffer
	w.deps.Logger = daemonLog(&lines)
	w.campaign(campaign.Spec{ID: "42"}, audience(400)...)
	answers := make(chan struct{})
	w.sender.answer = func(context.Context, string) fcm.Answer {
		<-answers
		return wrongMessage
	}
	stop := w.serve(w.dispatcher())
	w.eventually(func() bool { return w.sender.total() == canary })
	w.redis.SetError("BUSY Redis is away")
	close(answers)
	w.eventually(func() bool { return len(lines.with("breaker report failed")) > 0 })
	w.redis.SetError("")
	w.eventually(func() bool { return w.stateOf("42") == campaign.Paused })
	stop()
	if n := w.sender.total(); n != canary {
		t.Errorf("%d pushes, want those of the canary alone, %d", n, canary)
	}
	if b := w.books("42"); b.Failed != canary || b.Waiting != 400-canary || !b.IsBalanced() {
		t.Errorf("books %+v", b)
	}
}

// Anyone who was to act on a trip and could not is followed by someone else.
func TestTripIsTakenOver(t *testing.T) {
	w := newWorld(t)
	o := w.useBreakers()
	w.campaign(campaign.Spec{ID: "42"}, audience(canary)...)
	list := w.list("42")
	dead := must(breaker.New(must(w.client())(t), o))(t)
	admitted := must(dead.Admit(t.Context(), list, queue.NewID(), 5))(t)
	report := breaker.Report{Round: admitted.Round, Answers: map[breaker.Answer]int64{{Kind: breaker.BadMessage}: 5}}
	if v := must(dead.Apply(t.Context(), list, report))(t); v.Trip == nil {
		t.Fatalf("decision %+v, want a trip", v)
	}
	stop := w.serve(w.dispatcher())
	w.eventually(func() bool { return w.breakerOf("42").Standing })
	w.redis.SetTime(time.Now().Add(time.Minute)) // its time to act is over
	w.eventually(func() bool {
		spec := must(w.deps.Campaigns.Get(t.Context(), "42"))(t)
		return spec.State == campaign.Paused && strings.Contains(spec.Reason, "bad_message") && !w.breakerOf("42").Standing
	})
	stop()
	if n := w.sender.total(); n != 0 {
		t.Errorf("%d pushes, want none", n)
	}
}

// A trip after the canary lets go of all who are held at once, and not only when campaigns are next
// looked for.
func TestTripLetsGoOfWhoIsHeld(t *testing.T) {
	const refused = 5
	w := newWorld(t)
	w.useBreakers()
	w.options.Concurrency, w.options.Discover = 2*canary, time.Hour
	w.campaign(campaign.Spec{ID: "42"}, audience(200)...)
	w.deps.Pacer = &fakePacer{may: func(ctx context.Context, nth int64) error {
		if nth <= canary+refused {
			return nil
		}
		<-ctx.Done()
		return ctx.Err()
	}}
	w.sender.answer = func(ctx context.Context, token string) fcm.Answer {
		if w.sender.total() > canary {
			return wrongMessage
		}
		return accepted(ctx, token)
	}
	stop := w.serve(w.dispatcher())
	w.eventually(func() bool { return w.stateOf("42") == campaign.Paused && w.books("42").InFlight == 0 })
	stop()
	left := w.waiting("42")
	if b := w.books("42"); b.Sent != canary || b.Failed != refused || len(left) != 200-canary-refused || !slices.IsSorted(left) {
		t.Errorf("books %+v, and %d wait in the order %v: want all but %d to wait in the old one", b, len(left), left, canary+refused)
	}
}
