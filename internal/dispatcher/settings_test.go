package dispatcher

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"fanfare/internal/campaign"
	"fanfare/internal/fcm"
	"fanfare/internal/notification"
	"fanfare/internal/pacing"
	"fanfare/internal/tokens"
)

// change edits a campaign, and waits until a dispatcher has taken notice.
func (w *world) change(d *Dispatcher, id string, c campaign.Change, noticed func(*settings) bool) {
	w.t.Helper()
	if err := w.deps.Campaigns.Change(w.t.Context(), id, c); err != nil {
		w.t.Fatal(err)
	}
	w.eventually(func() bool { camp := d.roster.get(id); return camp != nil && noticed(camp.settings.Load()) })
}

// gate is a pacer that lets pushes go one by one, or all once it is opened.
type gate struct {
	fakePacer
	let chan struct{}
}

func newGate() *gate {
	g := &gate{let: make(chan struct{})}
	g.may = func(ctx context.Context, _ int64) error {
		select {
		case <-g.let:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return g
}

// Weight, priority and rate are obeyed from the next push on, and no one who is held goes back for
// them.
func TestTermsChangeUnderWay(t *testing.T) {
	w := newWorld(t)
	w.campaign(campaign.Spec{ID: "42", Weight: 1}, audience(30)...)
	w.options.Concurrency = 10
	pacer := newGate()
	w.deps.Pacer = pacer
	d := w.dispatcher()
	stop := w.serve(d)
	w.eventually(func() bool { return pacer.waits.Load() == 10 })
	weight, priority, rate := 5, 3, 1000.0
	w.change(d, "42", campaign.Change{Weight: &weight, Priority: &priority, Rate: &rate}, func(t *settings) bool { return t.rate == rate })
	close(pacer.let)
	w.eventually(func() bool { return w.stateOf("42") == campaign.Completed })
	stop()
	before := pacing.Push{Campaign: "42", Weight: 1, CapKey: "{campaign:42}:pace"}
	after := pacing.Push{Campaign: "42", Weight: 5, Priority: 3, Cap: 1000, CapKey: "{campaign:42}:pace"}
	if want := append(slices.Repeat([]pacing.Push{before}, 10), slices.Repeat([]pacing.Push{after}, 20)...); !slices.Equal(pacer.pushes, want) {
		t.Errorf("the pacer was asked for %+v, want ten times %+v, then twenty times %+v", pacer.pushes, before, after)
	}
	w.sender.each(t, 30, 1)
}

// A campaign with a cap holds no more than it can use, so that the others have the slots.
func TestCapBoundsWhatIsHeld(t *testing.T) {
	w := newWorld(t)
	w.campaign(campaign.Spec{ID: "42", Rate: 5}, audience(100)...)
	w.campaign(campaign.Spec{ID: "other"}, audience(100)...)
	w.options.Concurrency = 50
	pacer := newGate()
	w.deps.Pacer = pacer
	d := w.dispatcher()
	stop := w.serve(d)
	defer stop()
	w.eventually(func() bool { return pacer.waits.Load() == 50 && w.books("42").InFlight+w.books("other").InFlight == 75 })
	if capped, other := w.books("42").InFlight, w.books("other").InFlight; capped != 10 || other != 65 {
		t.Errorf("%d are held of the campaign with a cap of 5 a second, and %d of the other one; want what goes in two seconds, 10, and the rest", capped, other)
	}
}

// What is ambiguous is decided by what the campaign says when the answer comes.
func TestOnAmbiguousChangesUnderWay(t *testing.T) {
	for from, to := range map[campaign.OnAmbiguous]campaign.OnAmbiguous{campaign.Resend: campaign.Report, campaign.Report: campaign.Resend} {
		t.Run(string(to), func(t *testing.T) {
			w := newWorld(t)
			w.campaign(campaign.Spec{ID: "42", OnAmbiguous: from}, audience(4)...)
			w.options.Retry.MinBackoff = time.Millisecond
			release := make(chan struct{})
			w.sender.answer = func(ctx context.Context, token string) fcm.Answer {
				if w.sender.requests(token) > 1 {
					return accepted(ctx, token)
				}
				<-release
				return fcm.Answer{Class: fcm.Ambiguous}
			}
			d := w.dispatcher()
			stop := w.serve(d)
			w.eventually(func() bool { return w.sender.total() == 4 })
			w.change(d, "42", campaign.Change{OnAmbiguous: &to}, func(t *settings) bool { return t.onAmbiguous == to })
			close(release)
			w.eventually(func() bool { return w.books("42").CountEnded() == 4 })
			stop()
			if b := w.books("42"); to == campaign.Report && b.Unknown != 4 || to == campaign.Resend && (b.Sent != 4 || b.Resent != 4) {
				t.Errorf("books %+v, want what %q demands", b, to)
			}
		})
	}
}

// A deadline that changes while recipients wait for their turn holds for them. The message's TTL
// ends with it, and later recipients are not sent to.
func TestDeadlineChangesUnderWay(t *testing.T) {
	w := newWorld(t)
	w.campaign(campaign.Spec{ID: "42"}, audience(10)...)
	pacer := newGate()
	w.deps.Pacer = pacer
	d := w.dispatcher()
	stop := w.serve(d)
	w.eventually(func() bool { return pacer.waits.Load() == 10 })
	pacer.let <- struct{}{}
	w.eventually(func() bool { return w.sender.total() == 1 })
	for _, wait := range []time.Duration{time.Hour, -time.Second} {
		deadline := time.Now().Add(wait).Truncate(time.Millisecond)
		w.change(d, "42", campaign.Change{Deadline: &deadline}, func(t *settings) bool { return t.deadline.Equal(deadline) })
		pacer.let <- struct{}{}
		w.eventually(func() bool { b := w.books("42"); return b.CountEnded()+b.InFlight == 10 && b.CountEnded() >= 2 })
	}
	close(pacer.let)
	w.eventually(func() bool { return w.stateOf("42") == campaign.Expired })
	stop()
	if b := w.books("42"); b.Sent != 2 || b.Expired != 8 || w.sender.total() != 2 {
		t.Errorf("books %+v after %d pushes, want two sent and the rest expired", b, w.sender.total())
	}
	if first, second := w.sender.ttl(t, 0), w.sender.ttl(t, 1); first != 0 || second <= 0 || second > time.Hour || second < 59*time.Minute {
		t.Errorf("the messages live %s and %s, want unbounded and an hour at most", first, second)
	}
}

// A retry that would come after the deadline ends at once, as unknown where the message may have
// arrived. An earlier retry is made.
func TestDeadlineBoundsRetries(t *testing.T) {
	w := newWorld(t)
	w.options.Retry.MinBackoff, w.options.Retry.MaxBackoff = time.Millisecond, 2*time.Millisecond
	w.campaign(campaign.Spec{ID: "42", Deadline: time.Now().Add(time.Minute)},
		`{"userId":"late","fcmToken":"late"}`, `{"userId":"perhaps","fcmToken":"perhaps"}`, `{"userId":"soon","fcmToken":"soon"}`)
	w.sender.answer = func(ctx context.Context, token string) fcm.Answer {
		switch {
		case token == "late":
			return fcm.Answer{Class: fcm.Quota, Scope: fcm.QuotaDevice, Code: "QUOTA_EXCEEDED", RetryAfter: 2 * time.Minute, HTTPStatus: 429}
		case token == "perhaps":
			return fcm.Answer{Class: fcm.Unavailable, Code: "UNAVAILABLE", RetryAfter: 2 * time.Minute, HTTPStatus: 503}
		case w.sender.requests(token) == 1:
			return fcm.Answer{Class: fcm.Unavailable, Code: "UNAVAILABLE", HTTPStatus: 503}
		}
		return accepted(ctx, token)
	}
	if err := w.job("42"); err != nil {
		t.Fatal(err)
	}
	results := w.results()
	if r := results["late"]; r.Status != notification.StatusExpired || r.ErrorCode != notification.CodeDeadline || r.Attempts != 1 {
		t.Errorf("late: %+v", r)
	}
	if r := results["perhaps"]; r.Status != notification.StatusUnknown || r.ErrorCode != notification.CodeOutcomeUnknown || r.Attempts != 1 {
		t.Errorf("perhaps: %+v", r)
	}
	if r := results["soon"]; r.Status != notification.StatusSent || r.Attempts != 2 {
		t.Errorf("soon: %+v", r)
	}
	for i := range w.sender.said {
		if ttl := w.sender.ttl(t, i); ttl <= 0 || ttl > time.Minute {
			t.Errorf("a message lives %s, want no longer than the minute to the deadline", ttl)
		}
	}
}

// A campaign of higher priority gets every slot and every turn as soon as it comes; the lower one
// continues when it is done.
func TestPriorityGoesStrictlyFirst(t *testing.T) {
	w := newWorld(t)
	w.governed(func(o *pacing.Options) { o.Quota = 60_000 })
	w.options.Concurrency, w.options.Claim = 20, 5
	w.campaign(campaign.Spec{ID: "low", Weight: 100}, audience(1000)...)
	d := w.dispatcher()
	var first sync.Once
	w.sender.answer = func(ctx context.Context, token string) fcm.Answer {
		first.Do(func() {
			w.campaign(campaign.Spec{ID: "high", Priority: 1}, strings.Split(strings.ReplaceAll(strings.Join(audience(200), "\n"), "token", "high"), "\n")...)
			w.eventually(func() bool { return d.roster.get("high") != nil })
		})
		return accepted(ctx, token)
	}
	stop := w.serve(d)
	w.eventually(func() bool { return w.books("high").Sent == 200 && w.books("low").Sent == 1000 })
	stop()
	begin := slices.IndexFunc(w.sender.order, isHigh)
	between, found := 0, 0
	for _, token := range w.sender.order[begin:] {
		if isHigh(token) {
			found++
		} else if found < 200 {
			between++
		}
	}
	if between > 20 {
		t.Errorf("%d of low priority went between those of the higher, want none but those held already, 20", between)
	}
}

func isHigh(token string) bool { return strings.HasPrefix(token, "high") }

// Only what may have been delivered already counts as sent again.
func TestOnlyTheAmbiguousCountsAsResent(t *testing.T) {
	for name, c := range map[string]struct {
		answer fcm.Answer
		resent int64
	}{
		"503":              {fcm.Answer{Class: fcm.Unavailable, HTTPStatus: 503}, 1},
		"500":              {fcm.Answer{Class: fcm.Unavailable, HTTPStatus: 500}, 1},
		"no answer":        {fcm.Answer{Class: fcm.Ambiguous}, 1},
		"502":              {fcm.Answer{Class: fcm.Ambiguous, HTTPStatus: 502}, 1},
		"never got there":  {fcm.Answer{Class: fcm.NotSent}, 0},
		"429":              {fcm.Answer{Class: fcm.Quota, Scope: fcm.QuotaProject, HTTPStatus: 429}, 0},
		"429 of a device":  {fcm.Answer{Class: fcm.Quota, Scope: fcm.QuotaDevice, HTTPStatus: 429}, 0},
		"credentials":      {refusedByFCM, 0},
		"dead, SQL is out": {fcm.Answer{Class: fcm.Unregistered, HTTPStatus: 404}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.options.Retry = Retry{
				MaxAttempts: 3, MaxElapsed: time.Hour, MinBackoff: time.Millisecond, MaxBackoff: time.Millisecond,
				Quota: time.Millisecond, Unsent: time.Millisecond, Outage: time.Millisecond, KeptBack: time.Millisecond,
			}
			if c.answer.Class == fcm.Unregistered {
				w.deps.Tokens = must(tokens.New(must(w.client())(t), w.deps.Names, &flakySource{}, tokens.Options{}))(t)
			}
			w.campaign(campaign.Spec{ID: "42"}, `{"userId":"u1","fcmToken":"once"}`)
			w.sender.answer = func(ctx context.Context, token string) fcm.Answer {
				if token == "once" && w.sender.total() == 1 {
					return c.answer
				}
				return accepted(ctx, token)
			}
			if err := w.job("42"); err != nil {
				t.Fatal(err)
			}
			if b := w.books("42"); b.Sent != 1 || b.Resent != c.resent || w.sender.total() != 2 {
				t.Errorf("books %+v after %d pushes, want one sent with two, and %d counted as sent again", b, w.sender.total(), c.resent)
			}
		})
	}
}

// Two messages of one user replace each other on the device, unless their elements have tags.
func TestTagOfAnElementReachesTheDevice(t *testing.T) {
	w := newWorld(t)
	w.campaign(campaign.Spec{ID: "42"}, `{"userId":"u1","fcmToken":"a"}`, `{"userId":"u1","fcmToken":"a","tag":"order-7"}`)
	if err := w.job("42"); err != nil {
		t.Fatal(err)
	}
	said := strings.Join(w.sender.said, "\n")
	for _, tag := range []string{`"tag":"42:u1"`, `"apns-collapse-id":"42:u1"`, `"tag":"42:order-7"`, `"apns-collapse-id":"42:order-7"`} {
		if strings.Count(said, tag) != 1 {
			t.Errorf("%s is not sent once: %s", tag, said)
		}
	}
}
