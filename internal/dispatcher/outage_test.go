package dispatcher

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"fanfare/internal/breaker"
	"fanfare/internal/campaign"
	"fanfare/internal/fcm"
	"fanfare/internal/notification"
	"fanfare/internal/pacing"
)

// The ways in which pushes get no answer of FCM's.
var (
	unavailable  = fcm.Answer{Class: fcm.Unavailable, Code: "UNAVAILABLE", HTTPStatus: 503, Detail: "The service is currently unavailable."}
	noAnswer     = fcm.Answer{Class: fcm.Ambiguous, Detail: "no answer in time"}
	badGateway   = fcm.Answer{Class: fcm.Ambiguous, HTTPStatus: 502}
	loginPage    = fcm.Answer{Class: fcm.Ambiguous, HTTPStatus: 200, Foreign: true, Detail: "the answer 200 is not FCM's (text/html, 44 bytes)"}
	proxyRefuses = fcm.Answer{Class: fcm.NotFCM, Code: "HTTP_403", HTTPStatus: 403}
)

// outage is an FCM that can be switched off. Probes are answered as pushes are.
type outage struct {
	answer fcm.Answer
	off    atomic.Bool
	asked  atomic.Int64 // while it is off, probes included
}

func (o *outage) reply(ctx context.Context, token string) fcm.Answer {
	if o.off.Load() {
		o.asked.Add(1)
		return o.answer
	}
	return accepted(ctx, token)
}

// silenced gives the world an FCM that is off, breakers, a governor, and waits that are short.
func (w *world) silenced(answer fcm.Answer, off bool) *outage {
	w.t.Helper()
	w.useBreakers()
	w.governed(nil)
	r := &w.options.Retry
	r.Outage, r.MinBackoff, r.MaxBackoff, r.MaxAttempts = 10*time.Millisecond, time.Millisecond, 2*time.Millisecond, 2
	w.options.Concurrency = 40
	service := &outage{answer: answer}
	service.off.Store(off)
	w.sender.answer = service.reply
	return service
}

// held waits until the campaign is on hold and lets a number of probes go unanswered.
func (w *world) held(id string, service *outage) *breaker.Hold {
	w.t.Helper()
	w.eventually(func() bool { return w.breakerOf(id).Hold != nil })
	asked := service.asked.Load()
	w.eventually(func() bool { return service.asked.Load() > asked+5 })
	return w.breakerOf(id).Hold
}

// An outage before the first answer reaches the canary and no one else, whatever the campaign wants
// with ambiguous outcomes. The campaign keeps its audience, and a probe that is answered lets it
// continue.
func TestOutageFromTheStartKeepsTheAudience(t *testing.T) {
	const n = 400
	for name, answer := range map[string]fcm.Answer{"503": unavailable, "no answer": noAnswer, "502": badGateway, "proxy": proxyRefuses} {
		for _, mode := range []campaign.OnAmbiguous{campaign.Report, campaign.Resend} {
			t.Run(name+", "+string(mode), func(t *testing.T) {
				w := newWorld(t)
				service := w.silenced(answer, true)
				w.campaign(campaign.Spec{ID: "42", OnAmbiguous: mode}, audience(n)...)
				stop := w.serve(w.dispatcher())
				hold := w.held("42", service)
				b := w.books("42")
				if hold.Kind != breaker.Unanswered || !strings.Contains(hold.Reason, "got no answer from FCM") || answer.Detail != "" && !strings.Contains(hold.Reason, answer.Detail) {
					t.Errorf("hold %+v, want one that says what was seen", hold)
				}
				if pushes := w.sender.total(); pushes > canary {
					t.Errorf("%d pushes, want at most the canary of %d", pushes, canary)
				}
				if b.Sent+b.Failed+b.Expired > 0 || b.Unknown > canary || mode == campaign.Resend && b.Unknown > 0 || !b.IsBalanced() {
					t.Errorf("books %+v, want the audience kept", b)
				}
				if state := w.stateOf("42"); state != campaign.Running {
					t.Errorf("the campaign is %s, want it to run on", state)
				}
				service.off.Store(false)
				w.eventually(func() bool { return w.stateOf("42") == campaign.Completed })
				stop()
				if after := w.books("42"); after.Unknown != b.Unknown || after.Sent != n-b.Unknown {
					t.Errorf("books %+v after %+v, want everybody else sent to", after, b)
				}
			})
		}
	}
}

// An outage during a campaign ends no more than what is on the wire, and a trial, as
// unknown.
func TestOutageInTheMidstKeepsTheAudience(t *testing.T) {
	const n = 2000
	w := newWorld(t)
	service := w.silenced(unavailable, false)
	w.campaign(campaign.Spec{ID: "42", OnAmbiguous: campaign.Report}, audience(n)...)
	reply := w.sender.answer
	w.sender.answer = func(ctx context.Context, token string) fcm.Answer {
		if w.sender.total() == 500 {
			service.off.Store(true)
		}
		return reply(ctx, token)
	}
	stop := w.serve(w.dispatcher())
	w.held("42", service)
	b := w.books("42")
	if most := int64(w.options.Concurrency + suspectScore + trialPushes); b.Unknown > most || b.Unknown == 0 {
		t.Errorf("%d ended as unknown, want at most %d", b.Unknown, most)
	}
	service.off.Store(false)
	w.eventually(func() bool { return w.stateOf("42") == campaign.Completed })
	stop()
	if after := w.books("42"); after.Unknown != b.Unknown || after.Sent != n-b.Unknown {
		t.Errorf("books %+v, want all but %d sent to", after, b.Unknown)
	}
}

// A process that starts during an outage sends to no one, and so does a Job: it waits, and
// continues with the campaign.
func TestHoldOutlivesTheProcess(t *testing.T) {
	w := newWorld(t)
	service := w.silenced(noAnswer, true)
	w.campaign(campaign.Spec{ID: "42", OnAmbiguous: campaign.Report}, audience(100)...)
	stop := w.serve(w.dispatcher())
	w.held("42", service)
	stop()
	before := w.sender.total()
	ended := make(chan error, 1)
	go func() { ended <- w.job("42") }()
	w.held("42", service)
	if n := w.sender.total(); n != before {
		t.Errorf("%d pushes after a restart, want none before a probe is answered", n-before)
	}
	service.off.Store(false)
	if err := <-ended; err != nil {
		t.Fatalf("the job ended with %v, want it to wait and to drain the campaign", err)
	}
}

// A success that is not FCM's halts the project with advice. No one is used up, and it continues
// once FCM answers.
func TestWrongEndpointHaltsTheProject(t *testing.T) {
	const n = 200
	w := newWorld(t)
	service := w.silenced(loginPage, true)
	w.campaign(campaign.Spec{ID: "42"}, audience(n)...)
	stop := w.serve(w.dispatcher())
	w.held("42", service)
	halts := must(w.deps.Halter.State(t.Context()))(t).Halts
	if len(halts) != 1 || !strings.HasPrefix(halts[0].Reason, pacing.WrongEndpoint) || !strings.Contains(halts[0].Reason, "fcm.endpoint") || !halts[0].EndsByItself() {
		t.Errorf("halts %+v, want one for the endpoint", halts)
	}
	if b := w.books("42"); b.CountEnded() != 0 || !b.IsBalanced() {
		t.Errorf("books %+v, want everybody kept", b)
	}
	service.off.Store(false)
	w.eventually(func() bool { return w.stateOf("42") == campaign.Completed })
	stop()
	if halts := must(w.deps.Halter.State(t.Context()))(t).Halts; len(halts) > 0 {
		t.Errorf("the project is still halted: %+v", halts)
	}
	for user, r := range w.results() {
		if r.Status != notification.StatusSent || r.Attempts != 1 {
			t.Errorf("%s ended as %s after %d attempts, want sent, and none counted before", user, r.Status, r.Attempts)
		}
	}
}

// One broken answer among FCM's own is no wrong endpoint, and neither are a proxy's refusals now
// and then.
func TestForeignAnswersAmongFCMsStopNothing(t *testing.T) {
	const n = 600
	for name, answer := range map[string]fcm.Answer{"cut body": loginPage, "proxy": proxyRefuses} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.silenced(answer, false)
			w.options.Retry.MaxAttempts = 8
			w.campaign(campaign.Spec{ID: "42"}, audience(n)...)
			w.sender.answer = func(ctx context.Context, token string) fcm.Answer {
				if strings.HasSuffix(token, "50") && w.sender.requests(token) == 1 {
					return answer
				}
				return accepted(ctx, token)
			}
			if err := w.job("42"); err != nil {
				t.Fatal(err)
			}
			if b, s := w.books("42"), w.breakerOf("42"); b.Sent != n || s.Last != nil {
				t.Errorf("books %+v, last trip %+v, want everybody sent to, and none", b, s.Last)
			}
			if halts := must(w.deps.Halter.State(t.Context()))(t).Halts; len(halts) > 0 {
				t.Errorf("the project is halted: %+v", halts)
			}
		})
	}
}

// While FCM answers probes, a recipient who never gets an answer is given up in the end.
func TestRecipientWithoutAnAnswerIsGivenUp(t *testing.T) {
	w := newWorld(t)
	w.silenced(unavailable, false)
	w.campaign(campaign.Spec{ID: "42"}, audience(1)...)
	w.sender.answer = func(ctx context.Context, token string) fcm.Answer {
		if token == "probe" {
			return accepted(ctx, token)
		}
		return unavailable
	}
	if err := w.job("42"); err != nil {
		t.Fatal(err)
	}
	if b := w.books("42"); b.Unknown != 1 {
		t.Errorf("books %+v, want one unknown", b)
	}
}

// A deadline that passes during a hold ends those who wait as expired.
func TestDeadlinePassesDuringAHold(t *testing.T) {
	w := newWorld(t)
	service := w.silenced(unavailable, true)
	w.campaign(campaign.Spec{ID: "42"}, audience(100)...)
	stop := w.serve(w.dispatcher())
	w.held("42", service)
	past := time.Now().Add(-time.Second)
	if err := w.deps.Campaigns.Change(t.Context(), "42", campaign.Change{Deadline: &past}); err != nil {
		t.Fatal(err)
	}
	w.eventually(func() bool { return w.stateOf("42") == campaign.Expired })
	stop()
	if b := w.books("42"); b.Expired < 100-canary || b.CountEnded() != 100 {
		t.Errorf("books %+v, want all who waited expired", b)
	}
}

// So it does where this very process has stopped: writing them down needs no answer of FCM.
func TestDeadlinePassesInSilence(t *testing.T) {
	const n = 1000
	w := newWorld(t)
	service := w.silenced(unavailable, false)
	w.campaign(campaign.Spec{ID: "42"}, audience(n)...)
	reply := w.sender.answer
	w.sender.answer = func(ctx context.Context, token string) fcm.Answer {
		if w.sender.total() == 500 {
			service.off.Store(true)
		}
		return reply(ctx, token)
	}
	stop := w.serve(w.dispatcher())
	w.held("42", service)
	past := time.Now().Add(-time.Second)
	if err := w.deps.Campaigns.Change(t.Context(), "42", campaign.Change{Deadline: &past}); err != nil {
		t.Fatal(err)
	}
	w.eventually(func() bool { return w.stateOf("42") == campaign.Expired })
	stop()
	if b := w.books("42"); b.Expired == 0 || b.CountEnded() != n {
		t.Errorf("books %+v, want all who waited expired", b)
	}
}

// The metrics say that a campaign is on hold.
func TestHeldCampaignsAreCounted(t *testing.T) {
	w := newWorld(t)
	service := w.silenced(unavailable, true)
	registry := prometheus.NewRegistry()
	w.deps.Registerer = registry
	w.campaign(campaign.Spec{ID: "42"}, audience(100)...)
	stop := w.serve(w.dispatcher())
	defer stop()
	w.held("42", service)
	w.eventually(func() bool { return valueOf(t, registry, "fanfare_dispatcher_held_campaigns") == 1 })
	service.off.Store(false)
	w.eventually(func() bool { return valueOf(t, registry, "fanfare_dispatcher_held_campaigns") == 0 })
}

// valueOf is that of a gauge or a counter without labels.
func valueOf(t *testing.T, registry *prometheus.Registry, name string) float64 {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == name {
			return f.GetMetric()[0].GetGauge().GetValue() + f.GetMetric()[0].GetCounter().GetValue()
		}
	}
	t.Fatalf("there is no metric %s", name)
	return 0
}
