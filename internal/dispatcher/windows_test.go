package dispatcher

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"
	_ "time/tzdata" // the cases must not depend on the machine

	"fanfare/internal/campaign"
	"fanfare/internal/fcm"
	"fanfare/internal/notification"
	"fanfare/internal/schedule"
)

// The clock of a bubble starts at noon, UTC: half past five in India.
const noon = "2030-01-01T12:00:00Z"

func atNoon(plus time.Duration) time.Time {
	t, _ := time.Parse(time.RFC3339, noon)
	return t.Add(plus)
}

func windows(t *testing.T, text string) schedule.Windows {
	t.Helper()
	return must(schedule.ParseWindows(text))(t)
}

// runFor serves all campaigns for a while.
func (w *world) runFor(d time.Duration) {
	w.t.Helper()
	stop := w.serve(w.dispatcher())
	<-time.After(d)
	stop()
}

// sendTimes notes when each token is first sent to.
type sendTimes struct {
	mu sync.Mutex
	at map[string]time.Time
}

func (s *sendTimes) note(answer func(context.Context, string) fcm.Answer) func(context.Context, string) fcm.Answer {
	s.at = make(map[string]time.Time)
	return func(ctx context.Context, token string) fcm.Answer {
		s.mu.Lock()
		if _, again := s.at[token]; !again {
			s.at[token] = time.Now()
		}
		s.mu.Unlock()
		return answer(ctx, token)
	}
}

// checkBetween checks that a token was sent to in a span after noon.
func (s *sendTimes) checkBetween(t *testing.T, token string, from, until time.Duration) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if at, sent := s.at[token]; !sent || at.Before(atNoon(from)) || at.After(atNoon(until)) {
		t.Errorf("%s was sent to at %s, want between %s and %s after noon", token, at.UTC().Format(time.TimeOnly), from, until)
	}
}

// Each recipient is sent to in a window of their own zone: that of the device, the element, the
// profile, or the campaign. A zone that is unknown to us leaves no one out.
func TestRecipientsWaitForTheirWindows(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.campaign(campaign.Spec{ID: "42", Windows: windows(t, "12:01-12:30; 17:25-17:40"), Deadline: atNoon(24 * time.Hour)},
			`{"userId":"u1","fcmToken":"of-campaign"}`,
			`{"userId":"u2","fcmToken":"of-element","timeZone":"Asia/Kolkata"}`,
			`{"userId":"u3","fcmToken":"of-nowhere","timeZone":"Nowhere/Land"}`,
			`{"userId":"u4","fcmToken":"of-profile"}`,
			`{"userId":"u5","devices":[{"token":"device-1","timeZone":"Asia/Kolkata"},{"token":"device-2"}]}`,
			`{"userId":"u6","fcmToken":"of-odd-profile"}`,
			`{"userId":"u7"}`, `{"userId":"u8","timeZone":"Asia/Kolkata"}`, // of stored devices
		)
		w.redis.HSet("user:u7:devices", "stored-east", `{"kind":"token","timeZone":"Asia/Kolkata"}`, "stored-utc", `{"kind":"token"}`)
		w.redis.HSet("user:u8:devices", "stored-here", `{"kind":"token","timeZone":"UTC"}`)
		if err := w.redis.Set("profile:u4", `{"timeZone":"Asia/Kolkata"}`); err != nil {
			t.Fatal(err)
		}
		if err := w.redis.Set("profile:u6", `{"timeZone":["Asia/Kolkata"]}`); err != nil {
			t.Fatal(err)
		}
		var times sendTimes
		w.sender.answer = times.note(accepted)
		w.runFor(70 * time.Second)
		for _, token := range []string{"of-element", "of-profile", "device-1", "stored-east"} {
			times.checkBetween(t, token, 0, 30*time.Second)
		}
		for _, token := range []string{"of-campaign", "of-nowhere", "device-2", "of-odd-profile", "stored-utc", "stored-here"} {
			times.checkBetween(t, token, time.Minute, time.Minute+5*time.Second)
		}
		w.checkRequests(map[string]int{
			"of-campaign": 1, "of-element": 1, "of-nowhere": 1, "of-profile": 1, "device-1": 1, "device-2": 1, "of-odd-profile": 1,
			"stored-east": 1, "stored-utc": 1, "stored-here": 1,
		})
		for user, r := range w.results() {
			if r.Status != notification.StatusSent || r.Attempts != 1 {
				t.Errorf("%s ended as %s after %d attempts", user, r.Status, r.Attempts)
			}
		}
		b := w.books("42")
		if b.WindowWaits != 6 || b.BadZones != 1 || b.Resent != 0 || b.Sent != 8 || !b.IsBalanced() {
			t.Errorf("books %+v, want 6 waits, a bad zone, and 8 sent", b)
		}
		if len(b.Waves) != 1 || !b.Waves[0].Opens.Equal(atNoon(time.Minute)) || b.Waves[0].Sent != 6 || b.Waves[0].Within1m != 6 {
			t.Errorf("waves %+v, want one at 12:01 with 6 on time", b.Waves)
		}
	})
}

// Who cannot be reached before the deadline ends at once, with a row that says why.
func TestNoWindowBeforeTheDeadline(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.campaign(campaign.Spec{ID: "42", Windows: windows(t, "13:00-14:00"), Deadline: atNoon(10 * time.Minute)},
			`{"userId":"u1","fcmToken":"late"}`, `{"userId":"u2","fcmToken":"open","timeZone":"+01:05"}`)
		if err := w.job("42"); err != nil {
			t.Fatal(err)
		}
		w.checkRequests(map[string]int{"open": 1})
		r := w.results()["u1"]
		if r.Status != notification.StatusExpired || r.ErrorCode != notification.CodeDeadline || !strings.Contains(r.Error, "no window opens in UTC") {
			t.Errorf("ended as %+v", r)
		}
		if b := w.books("42"); b.Expired != 1 || b.Sent != 1 || !b.IsBalanced() {
			t.Errorf("books %+v", b)
		}
	})
}

// A window that closes while a recipient waits for the pace is closed: the push waits for the next.
func TestWindowClosesDuringTheWait(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		pacer := newGate()
		w.deps.Pacer = pacer
		w.campaign(campaign.Spec{ID: "42", Windows: windows(t, "12:00-12:01; 12:03-12:05"), Deadline: atNoon(24 * time.Hour)}, audience(2)...)
		var times sendTimes
		w.sender.answer = times.note(accepted)
		stop := w.serve(w.dispatcher())
		<-time.After(90 * time.Second)
		if n := pacer.waits.Load(); n != 2 {
			t.Errorf("%d wait for the pace, want 2", n)
		}
		close(pacer.let)
		<-time.After(2 * time.Minute)
		times.checkBetween(t, "token-0000", 3*time.Minute, 3*time.Minute+5*time.Second)
		times.checkBetween(t, "token-0001", 3*time.Minute, 3*time.Minute+5*time.Second)
		stop()
	})
}

// The wait for a window is no time of retries: a recipient who waited for long is tried as often as
// any other. The limit ends a recipient at the second attempt at the earliest.
func TestWindowWaitIsNoRetryTime(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		r := &w.options.Retry
		r.MaxElapsed, r.MaxBackoff = 50*time.Second, r.MinBackoff
		w.campaign(campaign.Spec{ID: "42", Windows: windows(t, "12:01-12:30"), Deadline: atNoon(24 * time.Hour)}, `{"userId":"u1","fcmToken":"slow"}`)
		w.sender.answer = byToken(map[string][]fcm.Answer{"slow": {unavailable, unavailable}})
		w.runFor(2 * time.Minute)
		if r := w.results()["u1"]; r.Status != notification.StatusSent || r.Attempts != 3 {
			t.Errorf("ended as %s (%s) after %d attempts, want sent after 3", r.Status, r.Error, r.Attempts)
		}
	})
}

// About a local time, no one is sent to when it is over; without a tolerance, it is at once.
func TestLocalTimeThatIsOver(t *testing.T) {
	for within, want := range map[string]notification.Status{"": notification.StatusSent, "±10m": notification.StatusExpired} {
		t.Run(string(want), func(t *testing.T) {
			inBubble(t, func(t *testing.T, w *world) {
				local := must(schedule.ParseLocal("2030-01-01T12:30" + within))(t)
				w.campaign(campaign.Spec{ID: "42", LocalTime: local, Deadline: atNoon(24 * time.Hour)}, `{"userId":"u1","fcmToken":"in-india","timeZone":"Asia/Kolkata"}`)
				if err := w.job("42"); err != nil {
					t.Fatal(err)
				}
				if r := w.results()["u1"]; r.Status != want {
					t.Errorf("ended as %s, want %s", r.Status, want)
				}
			})
		})
	}
}

// A Job whose scheduled start is refused waits, and says so once. It ends well if the start is not
// refused any more, and as a Job with work left if it is stopped before.
func TestJobWaitsForARefusedStart(t *testing.T) {
	for name, stopped := range map[string]bool{"stopped": true, "started later": false} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, w *world) {
				var log strings.Builder
				w.deps.Logger = daemonLog(&log)
				begin := time.Now()
				w.deps.Campaigns = must(campaign.New(must(w.client())(t), w.deps.Names, campaign.Options{CheckStart: func(context.Context, string) (string, error) {
					if time.Since(begin) < 3*time.Minute {
						return "its waves do not fit", nil
					}
					return "", nil
				}}))(t)
				spec := campaign.Spec{ID: "42", Message: []byte(plainMessage), State: campaign.Draft, StartAt: atNoon(time.Minute)}
				if err := w.deps.Campaigns.Create(t.Context(), spec); err != nil {
					t.Fatal(err)
				}
				must(w.redis.RPush("campaign:42", audience(3)...))(t)
				w.options.Campaign = "42"
				ctx, stop := context.WithTimeout(t.Context(), map[bool]time.Duration{true: 2 * time.Minute, false: time.Hour}[stopped])
				defer stop()
				err := w.dispatcher().Run(ctx, t.Context())
				want, sent := error(nil), 3
				if stopped {
					want, sent = ErrLeftover, 0
				}
				if !errors.Is(err, want) || w.sender.total() != sent {
					t.Errorf("the Job ended with %v after %d pushes, want %v after %d", err, w.sender.total(), want, sent)
				}
				if text := log.String(); strings.Count(text, "scheduled campaign not started") != 1 || !strings.Contains(text, "its waves do not fit") || strings.Contains(text, "campaign not read") {
					t.Errorf("the log says\n%s", text)
				}
			})
		})
	}
}

// A scheduled campaign starts by itself, on time and once, beside several dispatchers.
func TestScheduledCampaignStartsByItself(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		spec := campaign.Spec{ID: "42", Message: []byte(plainMessage), State: campaign.Draft, StartAt: atNoon(time.Minute)}
		if err := w.deps.Campaigns.Create(t.Context(), spec); err != nil {
			t.Fatal(err)
		}
		if _, err := w.redis.RPush("campaign:42", audience(3)...); err != nil {
			t.Fatal(err)
		}
		var times sendTimes
		w.sender.answer = times.note(accepted)
		stop, stopOther := w.serve(w.dispatcher()), w.serve(w.dispatcher())
		<-time.After(50 * time.Second)
		if n := w.sender.total(); n != 0 {
			t.Errorf("%d were sent to before the start", n)
		}
		<-time.After(30 * time.Second)
		for i := range 3 {
			times.checkBetween(t, fmt.Sprintf("token-%04d", i), time.Minute, time.Minute+5*time.Second)
		}
		stop()
		stopOther()
		started := 0
		for _, e := range must(w.deps.Campaigns.History(t.Context(), "42"))(t) {
			if e.What == "started" {
				started++
				if e.Detail != "scheduled for 2030-01-01T12:01:00Z" {
					t.Errorf("started: %s", e.Detail)
				}
			}
		}
		if started != 1 {
			t.Errorf("started %d times", started)
		}
	})
}
