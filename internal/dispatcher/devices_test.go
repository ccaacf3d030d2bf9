package dispatcher

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"fanfare/internal/campaign"
	"fanfare/internal/fcm"
	"fanfare/internal/notification"
)

// devicesOf is an element of a user with some tokens.
func devicesOf(user string, tokens ...string) string {
	entries := make([]string, len(tokens))
	for i, token := range tokens {
		entries[i] = fmt.Sprintf(`{"token":%q}`, token)
	}
	return fmt.Sprintf(`{"userId":%q,"devices":[%s]}`, user, strings.Join(entries, ","))
}

var unregistered = fcm.Answer{Class: fcm.Unregistered, Code: "UNREGISTERED", Detail: "not registered", HTTPStatus: 404}

// byToken answers each token as its list says, and accepts everything beyond it.
func byToken(answers map[string][]fcm.Answer) func(context.Context, string) fcm.Answer {
	asked := make(chan map[string]int, 1)
	asked <- map[string]int{}
	return func(ctx context.Context, token string) fcm.Answer {
		counts := <-asked
		n := counts[token]
		counts[token]++
		asked <- counts
		if n < len(answers[token]) {
			return answers[token][n]
		}
		return accepted(ctx, token)
	}
}

// summary is what the devices of a result say, in short.
func summary(r notification.Result) string {
	var all []string
	for _, d := range r.Devices {
		all = append(all, fmt.Sprintf("%s %s %s %s %d", d.Address, d.Kind, d.Status, d.ErrorCode, d.Attempts))
	}
	return strings.Join(all, "; ")
}

func (w *world) checkRequests(want map[string]int) {
	w.t.Helper()
	total := 0
	for token, n := range want {
		total += n
		if got := w.sender.requests(token); got != n {
			w.t.Errorf("%s was sent to %d times, want %d", token, got, n)
		}
	}
	if got := w.sender.total(); got != total {
		w.t.Errorf("%d requests in all, want %d: %v", got, total, w.sender.order)
	}
}

// Of three devices one is dead, and one is accepted at the third attempt. The good one gets one
// message. The user counts once, as sent, and the devices stand beside the user.
func TestDevicesEndByThemselves(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.campaign(campaign.Spec{ID: "42"}, devicesOf("u1", "dead-1", "slow-1", "good-1"), `{"userId":"u2","fcmToken":"good-2"}`, `{"userId":"u3"}`)
		w.sender.answer = byToken(map[string][]fcm.Answer{"dead-1": {unregistered}, "slow-1": {unavailable, unavailable}})
		if err := w.job("42"); err != nil {
			t.Fatal(err)
		}
		w.checkRequests(map[string]int{"dead-1": 1, "slow-1": 3, "good-1": 1, "good-2": 1})
		r := w.results()["u1"]
		if want := "dead-1… token failed UNREGISTERED 1; slow-1… token sent  3; good-1… token sent  1"; summary(r) != want {
			t.Errorf("devices:\n got %s\nwant %s", summary(r), want)
		}
		if r.Status != notification.StatusSent || r.MessageID == "" || r.ErrorCode != "" || r.TokenRemoved {
			t.Errorf("result %+v, want that of a device that has the message", r)
		}
		if other := w.results()["u2"]; other.Devices != nil {
			t.Errorf("a user with one device has the devices %+v", other.Devices)
		}
		b := w.books("42")
		if b.Loaded != 3 || b.Sent != 2 || b.Skipped != 1 || !b.IsBalanced() || b.Resent != 2 {
			t.Errorf("books %+v", b)
		}
		if d := b.Devices; d == nil || d.Total != 5 || d.Sent != 3 || d.Failed != 1 || d.Skipped != 1 || d.Codes["failed:UNREGISTERED"] != 1 || !d.IsBalanced() {
			t.Errorf("books of devices %+v", d)
		}
	})
}

// A device that is deferred longer than another one waits as long as it was asked to.
func TestDevicesWaitByThemselves(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.campaign(campaign.Spec{ID: "42"}, devicesOf("u1", "short", "long"))
		start := time.Now()
		var short, long atomic.Int64
		answer := byToken(map[string][]fcm.Answer{
			"short": {unavailable},
			"long":  {{Class: fcm.Quota, Scope: fcm.QuotaDevice, Code: "QUOTA_EXCEEDED", RetryAfter: 10 * time.Minute, HTTPStatus: 429}},
		})
		w.sender.answer = func(ctx context.Context, token string) fcm.Answer {
			at := map[string]*atomic.Int64{"short": &short, "long": &long}[token]
			at.Store(int64(time.Since(start)))
			return answer(ctx, token)
		}
		stop := w.serve(w.dispatcher())
		<-time.After(time.Hour)
		stop()
		w.checkRequests(map[string]int{"short": 2, "long": 2})
		if s, l := time.Duration(short.Load()), time.Duration(long.Load()); s > time.Minute || l < 10*time.Minute {
			t.Errorf("sent after %s and %s, want the first within a minute and the other after ten", s, l)
		}
	})
}

// A process dies while one device hangs. Another process sends to that device again, and to no
// other. With on_ambiguous: report it sends to none, and only that device is unknown.
func TestNoFinishedDeviceIsSentToAgainAfterALoss(t *testing.T) {
	for policy, want := range map[campaign.OnAmbiguous]string{
		campaign.Resend: "good-1… token sent  1; hangs-… token sent  1",
		campaign.Report: "good-1… token sent  1; hangs-… token unknown OUTCOME_UNKNOWN 0",
	} {
		t.Run(string(policy), func(t *testing.T) {
			inBubble(t, func(t *testing.T, w *world) {
				w.campaign(campaign.Spec{ID: "42", OnAmbiguous: policy}, devicesOf("u1", "good-1", "hangs-1"))
				release := make(chan struct{})
				var hung atomic.Bool
				w.sender.answer = func(ctx context.Context, token string) fcm.Answer {
					if token == "hangs-1" && hung.CompareAndSwap(false, true) {
						<-release
					}
					return accepted(ctx, token)
				}
				stopDead := w.serve(w.dispatcher())
				synctest.Wait()
				<-time.After(2 * w.options.AckInterval)
				synctest.Wait()
				w.expireLeases("42")
				if n := must(must(w.deps.Campaigns.Queue("42"))(t).Reap(t.Context()))(t); n != 1 {
					t.Fatalf("%d reaped, want one", n)
				}
				stop := w.serve(w.dispatcher())
				<-time.After(time.Second)
				synctest.Wait()
				stop()
				close(release)
				stopDead()
				w.checkRequests(map[string]int{"good-1": 1, "hangs-1": map[campaign.OnAmbiguous]int{campaign.Resend: 2, campaign.Report: 1}[policy]})
				r := w.results()["u1"]
				if summary(r) != want || r.Status != notification.StatusSent {
					t.Errorf("%s:\n got %s\nwant %s", r.Status, summary(r), want)
				}
			})
		})
	}
}

// expireLeases moves the end of all leases into the past.
func (w *world) expireLeases(id string) {
	w.t.Helper()
	key := "{campaign:" + id + "}:leases"
	for _, claim := range must(w.redis.ZMembers(key))(w.t) {
		if _, err := w.redis.ZAdd(key, 1, claim); err != nil {
			w.t.Fatal(err)
		}
	}
}

// A stop while one device waits for its turn gives the user back. The next process sends to that
// device alone.
func TestStopBetweenDevicesAddsNoDuplicate(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.campaign(campaign.Spec{ID: "42"}, devicesOf("u1", "a-1", "b-1", "c-1"))
		w.deps.Pacer = &fakePacer{may: func(ctx context.Context, nth int64) error {
			if nth == 1 {
				return nil
			}
			<-ctx.Done()
			return ctx.Err()
		}}
		stop := w.serve(w.dispatcher())
		synctest.Wait()
		stop()
		if b := w.books("42"); w.sender.total() != 1 || b.Waiting != 1 || b.InFlight != 0 {
			t.Fatalf("%d requests, books %+v; want one request and the user back", w.sender.total(), b)
		}
		w.deps.Pacer = nil
		if err := w.job("42"); err != nil {
			t.Fatal(err)
		}
		w.checkRequests(map[string]int{"a-1": 1, "b-1": 1, "c-1": 1})
		if r := w.results()["u1"]; len(r.Devices) != 3 || r.Status != notification.StatusSent {
			t.Errorf("result %+v", r)
		}
	})
}

// A stop gives back a device that waits for its turn before the other one has its answer. The
// answer is saved, and the next process sends to the first device alone.
func TestStopSavesADeviceThatEndsLast(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.campaign(campaign.Spec{ID: "42"}, devicesOf("u1", "a-1", "b-1"))
		w.deps.Pacer = &fakePacer{may: func(ctx context.Context, nth int64) error {
			if nth == 1 {
				return nil
			}
			<-ctx.Done()
			return ctx.Err()
		}}
		answered := make(chan struct{})
		w.sender.answer = func(context.Context, string) fcm.Answer {
			<-answered
			return fcm.Answer{Class: fcm.Sent, MessageID: "m", HTTPStatus: 200}
		}
		stop := w.serve(w.dispatcher())
		synctest.Wait()
		time.AfterFunc(time.Second, func() { close(answered) })
		stop()
		if n := w.sender.total(); n != 1 {
			t.Fatalf("%d requests before the stop, want one", n)
		}
		w.deps.Pacer = nil
		if err := w.job("42"); err != nil {
			t.Fatal(err)
		}
		w.checkRequests(map[string]int{"a-1": 1, "b-1": 1})
	})
}

// Only the device that was used last gets the message, or the one before it if that is dead.
func TestLatestDevice(t *testing.T) {
	for name, c := range map[string]struct{ element, want string }{
		"by last use":      {`{"userId":"u1","devices":[{"token":"old","lastSeen":1000},{"token":"new","lastSeen":3000},{"token":"mid","lastSeen":2000},{"token":"unknown"}]}`, "new"},
		"last of the list": {devicesOf("u1", "a", "b"), "b"},
		"usable":           {`{"userId":"u1","devices":[{"token":"a"},{"token":"b c"}]}`, "a"},
		"dead":             {devicesOf("u1", "alive", "dead"), "dead alive"},
		"stored":           {`{"userId":"stored"}`, "z-new"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.redis.HSet("user:stored:devices", "a-old", `{"kind":"token","lastUse":"2026-01-01T00:00:00Z"}`, "z-new", `{"kind":"token","lastUse":"2026-02-01T00:00:00Z"}`)
			w.sender.answer = byToken(map[string][]fcm.Answer{"dead": {unregistered}})
			w.campaign(campaign.Spec{ID: "42", Devices: campaign.LatestDevice}, c.element)
			if err := w.job("42"); err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(w.sender.order, " "); got != c.want {
				t.Errorf("sent to %q, want %q", got, c.want)
			}
			if b := w.books("42"); b.Sent != 1 || b.Devices != nil {
				t.Errorf("books %+v", b)
			}
		})
	}
}

// A bad device ends by itself. A user with bad devices only gets the message at a stored address.
func TestBadDevices(t *testing.T) {
	w := newWorld(t)
	bad := `{"token":"two words"},7,{}`
	w.campaign(campaign.Spec{ID: "42"}, `{"userId":"u1","devices":[`+bad+`,{"token":"good-1"}]}`, `{"userId":"u2","devices":[`+bad+`]}`,
		`{"userId":"u3","devices":[`+bad+`]}`, `{"userId":"u4","devices":[7]}`)
	w.redis.Set("user:u3:token", "good-3")
	if err := w.job("42"); err != nil {
		t.Fatal(err)
	}
	w.checkRequests(map[string]int{"good-1": 1, "good-3": 1})
	failed := "two wo… token failed INVALID_TOKEN 0;   failed INVALID_TOKEN 0;   failed INVALID_TOKEN 0"
	for user, want := range map[string]string{
		"u1": failed + "; good-1… token sent  1", "u2": failed, "u3": failed + "; good-3… token sent  1", "u4": "",
	} {
		if got := summary(w.results()[user]); got != want {
			t.Errorf("%s:\n got %s\nwant %s", user, got, want)
		}
	}
	if r := w.results()["u4"]; r.ErrorCode != notification.CodeInvalidToken || !strings.Contains(r.Error, "it is not an object") {
		t.Errorf("u4: %+v", r)
	}
	if b := w.books("42"); b.Sent != 2 || b.Failed != 2 || b.Devices.Failed != 10 || b.Devices.Total != 12 || !b.Devices.IsBalanced() {
		t.Errorf("books %+v, devices %+v", b, b.Devices)
	}
}
