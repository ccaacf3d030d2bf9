package dispatcher

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"fanfare/internal/campaign"
	"fanfare/internal/fcm"
	"fanfare/internal/notification"
	"fanfare/internal/queue"
	"fanfare/internal/redisx"
	"fanfare/test/servers"
)

func TestJobDrainsItsCampaign(t *testing.T) {
	w := newWorld(t)
	w.campaign(campaign.Spec{ID: "42"}, audience(1000)...)
	if err := w.job("42"); err != nil {
		t.Fatal(err)
	}
	for i := range 1000 {
		if n := w.sender.requests(fmt.Sprintf("token-%04d", i)); n != 1 {
			t.Fatalf("token-%04d was sent to %d times", i, n)
		}
	}
	if b := w.books("42"); b.Sent != 1000 || b.Loaded != 1000 || !b.IsBalanced() {
		t.Errorf("books %+v", b)
	}
	results := w.results()
	if len(results) != 1000 {
		t.Fatalf("%d results, want 1000", len(results))
	}
	r := results["u0007"]
	if r.CampaignID != "42" || r.Status != notification.StatusSent || r.MessageID == "" || r.Attempts != 1 || r.ResultID == "" || r.At.IsZero() {
		t.Errorf("result %+v", r)
	}
	if spec := must(w.deps.Campaigns.Get(t.Context(), "42"))(t); spec.State != campaign.Completed {
		t.Errorf("campaign is %s", spec.State)
	}
}

func TestBadElementsEndAsFailedAndTheRestGoesOn(t *testing.T) {
	w := newWorld(t)
	bad := map[string]string{
		"not JSON":      `{"userId":`,
		"no object":     `["u1"]`,
		"number token":  `{"userId":"u2","fcmToken":17}`,
		"NUL in id":     `{"userId":"a\u0000b"}`,
		"invalid UTF-8": "{\"userId\":\"\xff\"}",
		"oversize":      `{"userId":"big","pad":"` + strings.Repeat("x", queue.DefaultMaxElement) + `"}`,
	}
	elements := audience(10)
	for _, element := range bad {
		elements = append(elements, element)
	}
	w.campaign(campaign.Spec{ID: "bad"}, elements...)
	if err := w.job("bad"); err != nil {
		t.Fatal(err)
	}
	b := w.books("bad")
	if b.Sent != 10 || b.Failed != int64(len(bad)) || !b.IsBalanced() {
		t.Errorf("books %+v", b)
	}
	if b.Codes["failed:"+notification.CodeMalformed] != int64(len(bad)-1) || b.Codes["failed:"+notification.CodeOversize] != 1 {
		t.Errorf("codes %v", b.Codes)
	}
	raws := make(map[string]bool)
	for _, r := range w.allResults() {
		if r.Status == notification.StatusFailed {
			raws[string(r.Raw)] = true
		}
	}
	for name, element := range bad {
		if !raws[element] {
			t.Errorf("%s: the raw bytes are not in any result", name)
		}
	}
}

func TestGracefulStopAddsNoDuplicateAndLosesNobody(t *testing.T) {
	w := newWorld(t)
	w.options.Concurrency, w.options.Claim = 50, 7
	w.campaign(campaign.Spec{ID: "42"}, audience(500)...)
	enough, release := make(chan struct{}), make(chan struct{})
	var requests atomic.Int64
	w.sender.answer = func(ctx context.Context, token string) fcm.Answer {
		if requests.Add(1) == 150 {
			close(enough)
		}
		if requests.Load() > 120 {
			<-release
		}
		return accepted(ctx, token)
	}
	fetch, stop := context.WithCancel(t.Context())
	w.options.Campaign = "42"
	ended := make(chan error)
	go func() { ended <- must(New(w.deps, w.options))(t).Run(fetch, t.Context()) }()
	<-enough
	stop()
	close(release)
	if err := servers.Receive(t, "end of the dispatcher", ended); !errors.Is(err, ErrLeftover) {
		t.Fatalf("stopped with %v, want ErrLeftover", err)
	}
	b := w.books("42")
	if !b.IsBalanced() || b.InFlight != 0 || b.Sent != requests.Load() {
		t.Fatalf("after the stop %d requests and books %+v", requests.Load(), b)
	}
	if err := w.job("42"); err != nil {
		t.Fatal(err)
	}
	for i := range 500 {
		if n := w.sender.requests(fmt.Sprintf("token-%04d", i)); n != 1 {
			t.Errorf("token-%04d was sent to %d times", i, n)
		}
	}
}

func TestRetriesComeBackWhenDueAndEndAtTheLimit(t *testing.T) {
	w := newWorld(t)
	w.options.Retry.MinBackoff, w.options.Retry.MaxBackoff, w.options.Retry.MaxAttempts = time.Millisecond, 2*time.Millisecond, 3
	w.campaign(campaign.Spec{ID: "42"}, `{"userId":"twice","fcmToken":"twice"}`, `{"userId":"never","fcmToken":"never"}`)
	w.sender.answer = func(ctx context.Context, token string) fcm.Answer {
		if token == "twice" && w.sender.requests(token) > 2 {
			return accepted(ctx, token)
		}
		return fcm.Answer{Class: fcm.Unavailable, Code: "UNAVAILABLE"}
	}
	if err := w.job("42"); err != nil {
		t.Fatal(err)
	}
	results := w.results()
	if r := results["twice"]; r.Status != notification.StatusSent || r.Attempts != 3 {
		t.Errorf("twice: %+v", r)
	}
	if r := results["never"]; r.Status != notification.StatusUnknown || r.ErrorCode != "UNAVAILABLE" || r.Attempts != 3 {
		t.Errorf("never: %+v, want unknown, since a 503 may have been delivered", r)
	}
}

func TestReportEndsTheUnknownAndNeverSendsTwice(t *testing.T) {
	w := newWorld(t)
	w.campaign(campaign.Spec{ID: "42", OnAmbiguous: campaign.Report}, audience(2)...)
	w.sender.answer = func(ctx context.Context, token string) fcm.Answer {
		if token == "token-0000" {
			return fcm.Answer{Class: fcm.Ambiguous, Detail: "no answer"}
		}
		return accepted(ctx, token)
	}
	if err := w.job("42"); err != nil {
		t.Fatal(err)
	}
	if r := w.results()["u0000"]; r.Status != notification.StatusUnknown || r.ErrorCode != notification.CodeOutcomeUnknown {
		t.Errorf("u0000: %+v", r)
	}
	if n := w.sender.requests("token-0000"); n != 1 {
		t.Errorf("sent %d times", n)
	}
}

func TestLostSender(t *testing.T) {
	for mode, want := range map[campaign.OnAmbiguous]notification.Status{
		campaign.Resend: notification.StatusSent, campaign.Report: notification.StatusUnknown,
	} {
		t.Run(string(mode), func(t *testing.T) {
			w := newWorld(t)
			w.campaign(campaign.Spec{ID: "42", OnAmbiguous: mode}, audience(3)...)
			w.loseLease("42", 2)
			w.options.Lease = 20 * time.Millisecond // so that the reaper looks soon
			if err := w.job("42"); err != nil {
				t.Fatal(err)
			}
			results := w.results()
			for _, user := range []string{"u0000", "u0001"} {
				if results[user].Status != want {
					t.Errorf("%s: %+v, want %s", user, results[user], want)
				}
			}
			if results["u0002"].Status != notification.StatusSent {
				t.Errorf("u0002: %+v", results["u0002"])
			}
		})
	}
}

func TestPauseGivesBackWhatWasNotSent(t *testing.T) {
	w := newWorld(t)
	w.options.Concurrency, w.options.Claim = 10, 10
	w.campaign(campaign.Spec{ID: "42"}, audience(100)...)
	var once atomic.Bool
	w.sender.answer = func(ctx context.Context, token string) fcm.Answer {
		if once.CompareAndSwap(false, true) {
			if err := w.deps.Campaigns.Move(t.Context(), "42", campaign.Paused, "enough"); err != nil {
				t.Error(err)
			}
		}
		return accepted(ctx, token)
	}
	err := w.job("42")
	ended, ok := errors.AsType[*EndedError](err)
	if !ok || ended.State != campaign.Paused || ended.Reason != "enough" {
		t.Fatalf("ended with %v, want paused", err)
	}
	b := w.books("42")
	if !b.IsBalanced() || b.InFlight != 0 || b.Sent == 0 || b.Waiting != 100-b.Sent {
		t.Errorf("books %+v", b)
	}
	if len(w.results()) != int(b.Sent) || b.Outbox != 0 {
		t.Errorf("%d results of %d who were sent to are on their way, %d left behind", len(w.results()), b.Sent, b.Outbox)
	}
}

func TestPersonalMessages(t *testing.T) {
	w := newWorld(t)
	w.campaign(campaign.Spec{ID: "42", Message: []byte(`{"notification":{"title":"Hi {{name}}","body":"{{city|there}}"}}`)},
		`{"userId":"vars","fcmToken":"t1","vars":{"name":"V"}}`,
		`{"userId":"profile","fcmToken":"t2"}`,
		`{"userId":"neither","fcmToken":"t3"}`,
		`{"userId":"long","fcmToken":"t4","vars":{"name":"`+strings.Repeat("x", 5000)+`"}}`)
	w.redis.Set("profile:profile", `{"name":"P"}`)
	if err := w.job("42"); err != nil {
		t.Fatal(err)
	}
	results := w.results()
	for user, want := range map[string][2]string{
		"vars": {"sent", ""}, "profile": {"sent", ""},
		"neither": {"skipped", notification.CodeUnfilled}, "long": {"failed", notification.CodeTooLarge},
	} {
		if r := results[user]; string(r.Status) != want[0] || r.ErrorCode != want[1] {
			t.Errorf("%s: %+v, want %v", user, r, want)
		}
	}
}

func TestWrongTypeMovesNothing(t *testing.T) {
	w := newWorld(t)
	w.campaign(campaign.Spec{ID: "good"}, audience(3)...)
	w.campaign(campaign.Spec{ID: "odd"})
	w.redis.Set("campaign:odd", "a string")
	fetch, stop := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- must(New(w.deps, w.options))(t).Run(fetch, t.Context()) }()
	w.eventually(func() bool { return w.books("good").Sent == 3 })
	stop()
	if err := servers.Receive(t, "end of the dispatcher", ended); err != nil {
		t.Fatal(err)
	}
	if value := must(w.redis.Get("campaign:odd"))(t); value != "a string" {
		t.Errorf("the key became %q", value)
	}
}

// A campaign with a key of the wrong type pauses, twice as long after each claim up to a limit. So
// does one with another error.
func TestRefusedClaimsRest(t *testing.T) {
	w := newWorld(t)
	w.options.Discover = time.Second
	now := time.Unix(1000, 0)
	w.deps.now = func() time.Time { return now }
	d := w.dispatcher()
	for _, refusal := range []error{&redisx.TypeError{Key: "campaign:odd", Holds: "string", Want: "list"}, errors.New("connection refused")} {
		camp := &activeCampaign{id: "odd"}
		for claim, want := range []time.Duration{time.Second, 2 * time.Second, 4 * time.Second, maxClaimBackoff, maxClaimBackoff} {
			if err := d.claimer.claimFailed(camp, refusal); err != nil {
				t.Fatal(err)
			}
			if rest := camp.idleUntil.Sub(now); rest != want {
				t.Errorf("%v, claim %d: rests for %s, want %s", refusal, claim, rest, want)
			}
		}
	}
}

func TestOptionsAreChecked(t *testing.T) {
	w := newWorld(t)
	w.options.Concurrency = 0
	if _, err := New(w.deps, w.options); err == nil || !strings.Contains(err.Error(), "concurrency") {
		t.Errorf("concurrency 0: %v", err)
	}
}
