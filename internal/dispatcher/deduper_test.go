package dispatcher

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"fanfare/internal/campaign"
	"fanfare/internal/fcm"
	"fanfare/internal/notification"
)

// refuseDead accepts all tokens but those that begin with "dead".
func refuseDead(ctx context.Context, token string) fcm.Answer {
	if strings.HasPrefix(token, "dead") {
		return fcm.Answer{Class: fcm.Unregistered, Code: "UNREGISTERED", HTTPStatus: 404}
	}
	return accepted(ctx, token)
}

// outcomes counts results by status and code.
func (w *world) outcomes() map[string]int {
	w.t.Helper()
	counts := make(map[string]int)
	for _, r := range w.allResults() {
		counts[strings.TrimSuffix(fmt.Sprintf("%s %s", r.Status, r.ErrorCode), " ")]++
	}
	return counts
}

func (w *world) wantOutcomes(want map[string]int) {
	w.t.Helper()
	if got := w.outcomes(); fmt.Sprint(got) != fmt.Sprint(want) {
		w.t.Errorf("outcomes %v, want %v", got, want)
	}
	if b := w.books("42"); !b.IsBalanced() || b.CountOpen() != 0 {
		w.t.Errorf("books %+v, want them balanced", b)
	}
}

func (w *world) drain(id string) {
	w.t.Helper()
	if err := w.job(id); err != nil {
		w.t.Fatal(err)
	}
}

// The phone of a user with three elements gets one push, whichever of them is first.
func TestOnePushToOnePhone(t *testing.T) {
	for name, concurrency := range map[string]int{"one after the other": 1, "side by side": 50} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.options.Concurrency, w.options.Claim = concurrency, concurrency
			w.redis.Set("user:m2:token", "tok-m2-phone")
			w.campaign(campaign.Spec{ID: "42"}, `{"userId":"m2","fcmToken":"tok-m2-phone"}`,
				`{"userId":"m2","fcmToken":"dead-m2-a"}`, `{"userId":"m2","fcmToken":"dead-m2-b"}`)
			w.sender.answer = refuseDead
			w.drain("42")
			if n := w.sender.requests("tok-m2-phone"); n != 1 {
				t.Errorf("the phone got %d pushes, want 1", n)
			}
			w.wantOutcomes(map[string]int{"sent": 1, "failed UNREGISTERED": 2})
		})
	}
}

func TestDedupeRules(t *testing.T) {
	elements := []string{
		`{"userId":"a","fcmToken":"shared"}`, `{"userId":"b","fcmToken":"shared"}`, `{"userId":"a","fcmToken":"shared"}`,
		`{"userId":"a","fcmToken":"tablet"}`, `{"userId":"b","fcmToken":"watch"}`,
		`{"userId":"b","fcmToken":"shared","tag":"second"}`, `{"userId":"a","fcmToken":"shared","tag":"second"}`,
	}
	for rule, want := range map[campaign.Dedupe]map[string]int{
		"":                     {"sent": 4, "skipped DUPLICATE": 3},
		campaign.DedupeAddress: {"sent": 4, "skipped DUPLICATE": 3},
		campaign.DedupeUser:    {"sent": 4, "skipped DUPLICATE": 3},
		campaign.DedupeNone:    {"sent": 7},
	} {
		t.Run(string(rule), func(t *testing.T) {
			w := newWorld(t)
			w.campaign(campaign.Spec{ID: "42", Dedupe: rule}, elements...)
			w.drain("42")
			w.wantOutcomes(want)
			for _, r := range w.allResults() {
				if r.ErrorCode == notification.CodeDuplicate && !strings.Contains(r.Error, "(dedupe: "+string(w.spec("42").Dedupe)+")") {
					t.Errorf("the duplicate's error %q does not name the rule", r.Error)
				}
			}
		})
	}
}

func (w *world) spec(id string) campaign.Spec {
	w.t.Helper()
	return must(w.deps.Campaigns.Get(w.t.Context(), id))(w.t)
}

// An element whose push must be repeated still owns its address. The other one with it is skipped.
func TestRetriedElementOwnsItsAddress(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.campaign(campaign.Spec{ID: "42"}, `{"userId":"a","fcmToken":"phone"}`, `{"userId":"b","fcmToken":"phone"}`)
		var asked atomic.Int64
		w.sender.answer = func(ctx context.Context, token string) fcm.Answer {
			if asked.Add(1) <= 2 {
				return fcm.Answer{Class: fcm.Unavailable, Code: "UNAVAILABLE", HTTPStatus: 503}
			}
			return accepted(ctx, token)
		}
		w.drainSlowly("42")
		if r := w.results()["a"]; r.Status != notification.StatusSent || r.Attempts != 3 {
			t.Errorf("result %+v, want it sent by the third attempt", r)
		}
		w.wantOutcomes(map[string]int{"sent": 1, "skipped DUPLICATE": 1})
	})
}

// drainSlowly is drain in a bubble, with time for retries.
func (w *world) drainSlowly(id string) {
	w.t.Helper()
	w.options.Campaign = id
	ctx, cancel := context.WithTimeout(w.t.Context(), time.Hour)
	defer cancel()
	if err := w.dispatcher().Run(ctx, ctx); err != nil {
		w.t.Fatal(err)
	}
}

// A process takes addresses and dies. The one that gets its elements sends to them.
func TestElementsOfADeadProcessAreSent(t *testing.T) {
	w := newWorld(t)
	w.campaign(campaign.Spec{ID: "42"}, audience(10)...)
	q := must(w.deps.Campaigns.Queue("42"))(t)
	claim := must(q.Claim(t.Context(), "dead", 10))(t)
	camp := must((&discoverer{campaigns: w.deps.Campaigns}).build(t.Context(), w.spec("42")))(t)
	held := &lease{camp: camp}
	held.Claim = claim.Claim
	var taken []*delivery
	for i, e := range claim.Elements {
		dl := &delivery{lease: held, element: e}
		dl.recipient.Target = notification.ParseToken(fmt.Sprintf("token-%04d", i))
		taken = append(taken, dl)
	}
	if owners, duplicates, err := (&deduper{}).take(t.Context(), taken); err != nil || len(owners) != 10 || len(duplicates) != 0 {
		t.Fatalf("%d owners and %d duplicates: %v", len(owners), len(duplicates), err)
	}
	if _, err := w.redis.ZAdd("{campaign:42}:leases", 1, claim.Claim); err != nil {
		t.Fatal(err)
	}
	must(q.Reap(t.Context()))(t)
	w.drain("42")
	w.sender.each(t, 10, 1)
	w.wantOutcomes(map[string]int{"sent": 10})
}

// The address of an element that failed is free: a replay of it, which is a new element, is sent.
// That of one that was sent, or may have been, is not.
func TestReplayedElementIsSent(t *testing.T) {
	w := newWorld(t)
	w.campaign(campaign.Spec{ID: "42", OnAmbiguous: campaign.Report}, `{"userId":"failed","fcmToken":"t1"}`,
		`{"userId":"sent","fcmToken":"t2"}`, `{"userId":"unknown","fcmToken":"t3"}`)
	w.sender.answer = func(ctx context.Context, token string) fcm.Answer {
		switch {
		case token == "t1" && w.sender.requests(token) == 1:
			return fcm.Answer{Class: fcm.SenderMismatch, Code: "SENDER_ID_MISMATCH", HTTPStatus: 403}
		case token == "t3":
			return fcm.Answer{Class: fcm.Unavailable, Code: "UNAVAILABLE", HTTPStatus: 503}
		}
		return accepted(ctx, token)
	}
	w.drain("42")
	w.wantOutcomes(map[string]int{"sent": 1, "failed SENDER_ID_MISMATCH": 1, "unknown UNAVAILABLE": 1})
	must(w.redis.RPush("campaign:42", `{"userId":"failed","fcmToken":"t1"}`, `{"userId":"sent","fcmToken":"t2"}`, `{"userId":"unknown","fcmToken":"t3"}`))(t)
	w.drain("42")
	w.wantOutcomes(map[string]int{"sent": 2, "failed SENDER_ID_MISMATCH": 1, "unknown UNAVAILABLE": 1, "skipped DUPLICATE": 2})
}

// While the record cannot be used, recipients wait; none is sent to or lost.
func TestRecipientsWaitForTheRecord(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		log := &bytes.Buffer{}
		w.deps.Logger = daemonLog(log)
		w.campaign(campaign.Spec{ID: "42"}, audience(10)...)
		w.redis.Set("{campaign:42}:addresses", "not a hash")
		stop := w.serve(w.dispatcher())
		<-time.After(5 * time.Second)
		if b := w.books("42"); w.sender.total() != 0 || b.Retrying != 10 {
			t.Errorf("%d pushes, books %+v; want all recipients deferred", w.sender.total(), b)
		}
		w.redis.Del("{campaign:42}:addresses")
		<-time.After(time.Minute)
		stop()
		w.wantOutcomes(map[string]int{"sent": 10})
		w.sender.each(t, 10, 1)
		if !strings.Contains(log.String(), "addresses not recorded; recipients deferred") || !strings.Contains(log.String(), "holds a string, want a hash") {
			t.Errorf("the log does not say why:\n%s", log)
		}
	})
}

// Without its record, a campaign continues: every recipient is sent to.
func TestLostRecordLosesNoOne(t *testing.T) {
	w := newWorld(t)
	w.options.Concurrency, w.options.Claim = 5, 5
	w.campaign(campaign.Spec{ID: "42"}, audience(100)...)
	w.sender.answer = func(ctx context.Context, token string) fcm.Answer {
		for _, key := range w.redis.Keys() {
			if strings.HasPrefix(key, "{campaign:42}:addresses") {
				w.redis.Del(key)
			}
		}
		return accepted(ctx, token)
	}
	w.drain("42")
	w.sender.each(t, 100, 1)
	w.wantOutcomes(map[string]int{"sent": 100})
}

// Each device takes its own address. A user is skipped if all devices are duplicates, and a device
// that failed is free for another element.
func TestDevicesTakeTheirAddresses(t *testing.T) {
	w := newWorld(t)
	w.options.Concurrency, w.options.Claim = 1, 1
	w.campaign(campaign.Spec{ID: "42"}, devicesOf("u1", "phone", "dead-1"), devicesOf("u2", "phone", "tablet"),
		devicesOf("u3", "phone", "tablet"))
	w.sender.answer = refuseDead
	w.drain("42")
	must(w.redis.RPush("campaign:42", devicesOf("u4", "dead-1")))(t)
	w.drain("42")
	w.wantOutcomes(map[string]int{"sent": 2, "skipped DUPLICATE": 1, "failed UNREGISTERED": 1})
	for token, want := range map[string]int{"phone": 1, "tablet": 1, "dead-1": 2} {
		if n := w.sender.requests(token); n != want {
			t.Errorf("%s was sent to %d times, want %d", token, n, want)
		}
	}
	if r := w.results()["u2"]; summary(r) != "phone… token skipped DUPLICATE 0; tablet… token sent  1" {
		t.Errorf("u2: %s", summary(r))
	}
}

// A user with several devices counts once. If no device was reached, a replay of the user is sent.
func TestUserWithSeveralDevicesCountsOnce(t *testing.T) {
	w := newWorld(t)
	w.options.Concurrency, w.options.Claim = 1, 1
	w.campaign(campaign.Spec{ID: "42", Dedupe: campaign.DedupeUser}, devicesOf("u1", "a", "dead-1"), devicesOf("u1", "b"),
		devicesOf("u2", "dead-2", "dead-3"))
	w.sender.answer = refuseDead
	w.drain("42")
	must(w.redis.RPush("campaign:42", devicesOf("u2", "c")))(t)
	w.drain("42")
	want := map[string]int{"sent": 2, "skipped DUPLICATE": 1, "failed UNREGISTERED": 1}
	if got := w.outcomes(); fmt.Sprint(got) != fmt.Sprint(want) || w.sender.requests("b") != 0 || w.sender.requests("c") != 1 {
		t.Errorf("outcomes %v, want %v", got, want)
	}
}
