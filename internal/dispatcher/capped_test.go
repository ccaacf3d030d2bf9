package dispatcher

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"fanfare/internal/campaign"
	"fanfare/internal/caps"
	"fanfare/internal/fcm"
	"fanfare/internal/notification"
)

// limit gives the world caps.
func (w *world) limit(rule string) {
	w.t.Helper()
	w.deps.Caps = caps.New(must(w.client())(w.t), w.deps.Names, must(caps.Parse(rule))(w.t))
}

// used returns how many pushes count against the first cap of a user.
func (w *world) used(user string) int {
	w.t.Helper()
	return must(w.deps.Caps.Find(w.t.Context(), []string{user}))(w.t)[0][0].Used
}

// Two campaigns share the caps of their users. A transactional one is exempt, and several devices
// of a user count once.
func TestCappedUsersGetNothing(t *testing.T) {
	w := newWorld(t)
	w.limit("1 in 1d")
	w.campaign(campaign.Spec{ID: "1"}, `{"userId":"ann","fcmToken":"t1"}`, devicesOf("bob", "phone", "tablet"))
	w.drain("1")
	w.campaign(campaign.Spec{ID: "2"}, `{"userId":"ann","fcmToken":"t1"}`, devicesOf("bob", "phone", "tablet"), `{"userId":"cid","fcmToken":"t3"}`)
	w.redis.Del(w.deps.Names.Responses)
	w.drain("2")
	if r := w.results()["bob"]; r.ErrorCode != notification.CodeCapped || !strings.Contains(r.Error, "1 in 1d; the next push may go at 2") {
		t.Errorf("%+v, want the cap, and when it frees", r)
	}
	w.redis.Del(w.deps.Names.Responses)
	w.campaign(campaign.Spec{ID: "3", Kind: campaign.Transactional}, `{"userId":"ann","fcmToken":"t1"}`, `{"userId":"dan","fcmToken":"t4"}`)
	w.drain("3")
	w.checkRequests(map[string]int{"t1": 2, "phone": 1, "tablet": 1, "t3": 1, "t4": 1})
	if b := w.books("2"); b.Sent != 1 || b.Skipped != 2 || b.Codes["skipped:CAPPED"] != 2 {
		t.Errorf("books %+v, want two capped", b)
	}
	for user, want := range map[string]int{"ann": 1, "bob": 1, "cid": 1, "dan": 0} {
		if n := w.used(user); n != want {
			t.Errorf("%d pushes of %s count, want %d", n, user, want)
		}
	}
}

// A duplicate is found before the caps are asked: it gets no push, so it uses none of its user's.
func TestDuplicatesUseNoCap(t *testing.T) {
	w := newWorld(t)
	w.limit("1 in 1d")
	w.campaign(campaign.Spec{ID: "42"}, `{"userId":"ann","fcmToken":"t1"}`, `{"userId":"ann","fcmToken":"t1"}`)
	w.drain("42")
	w.wantOutcomes(map[string]int{"sent": 1, "skipped " + notification.CodeDuplicate: 1})
}

// Only what FCM accepted, or may have, counts.
func TestUnacceptedPushesDoNotCount(t *testing.T) {
	w := newWorld(t)
	w.limit("1 in 1d")
	answers := map[string]fcm.Answer{
		"bad": {Class: fcm.BadTarget, Code: "INVALID_ARGUMENT", HTTPStatus: 400}, "dead": {Class: fcm.Unregistered, Code: "UNREGISTERED", HTTPStatus: 404},
		"silent": {Class: fcm.Ambiguous},
	}
	w.sender.answer = func(ctx context.Context, token string) fcm.Answer {
		if a, ok := answers[token]; ok {
			return a
		}
		return accepted(ctx, token)
	}
	w.campaign(campaign.Spec{ID: "1", OnAmbiguous: campaign.Report}, `{"userId":"bad","fcmToken":"bad"}`, `{"userId":"silent","fcmToken":"silent"}`,
		`{"userId":"ok","fcmToken":"ok"}`, devicesOf("both", "dead", "fine"), devicesOf("none", "bad", "bad2"))
	answers["bad2"] = answers["bad"]
	w.drain("1")
	for user, want := range map[string]int{"bad": 0, "silent": 1, "ok": 1, "both": 1, "none": 0} {
		if n := w.used(user); n != want {
			t.Errorf("%d pushes of %s count, want %d", n, user, want)
		}
	}
}

// A retry keeps its entry, and one that expires gives it up.
func TestRetriesKeepTheirEntry(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.limit("1 in 1d")
		var tries atomic.Int64
		w.sender.answer = func(ctx context.Context, token string) fcm.Answer {
			if token == "slow" && tries.Add(1) > 2 {
				return accepted(ctx, token)
			}
			return fcm.Answer{Class: fcm.Quota, Scope: fcm.QuotaDevice, Code: "QUOTA_EXCEEDED", HTTPStatus: 429}
		}
		w.campaign(campaign.Spec{ID: "1"}, `{"userId":"ann","fcmToken":"slow"}`)
		w.campaign(campaign.Spec{ID: "2", Deadline: time.Now().Add(90 * time.Second)}, `{"userId":"bob","fcmToken":"never"}`)
		stop := w.serve(w.dispatcher())
		<-time.After(30 * time.Second)
		if w.used("ann") != 1 || w.used("bob") != 1 {
			t.Errorf("%d and %d entries, want those of the retries kept", w.used("ann"), w.used("bob"))
		}
		<-time.After(time.Hour)
		stop()
		if w.used("ann") != 1 || w.used("bob") != 0 || w.books("1").Sent != 1 || w.books("2").Expired != 1 {
			t.Errorf("%d and %d entries, want one push to ann, and none that expired", w.used("ann"), w.used("bob"))
		}
	})
}

// Recipients that a stop gives back unsent do not count.
func TestStopGivesEntriesBack(t *testing.T) {
	w := newWorld(t)
	w.limit("1 in 1d")
	w.options.Concurrency = 10
	waiting := make(chan struct{}, 100)
	w.deps.Pacer = &fakePacer{may: func(ctx context.Context, _ int64) error {
		waiting <- struct{}{}
		<-ctx.Done()
		return ctx.Err()
	}}
	w.campaign(campaign.Spec{ID: "1"}, audience(10)...)
	stop := w.serve(w.dispatcher())
	<-waiting
	stop()
	for i := range 10 {
		if n := w.used(fmt.Sprintf("u%04d", i)); n != 0 {
			t.Errorf("%d pushes of u%04d count, want none", n, i)
		}
	}
}

// A stop gives back no entry that an earlier claim made: the push of that claim may have arrived.
func TestStopKeepsEntriesOfEarlierClaims(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.limit("1 in 1d")
		w.sender.answer = func(context.Context, string) fcm.Answer { return noAnswer }
		w.deps.Pacer = &fakePacer{may: func(ctx context.Context, nth int64) error {
			if nth == 1 {
				return nil
			}
			<-ctx.Done()
			return ctx.Err()
		}}
		w.campaign(campaign.Spec{ID: "1"}, `{"userId":"ann","fcmToken":"t1"}`)
		w.runFor(time.Minute)
		if b := w.books("1"); b.Waiting != 1 || w.sender.total() != 1 {
			t.Fatalf("books %+v after %d pushes, want the recipient back before its second", b, w.sender.total())
		}
		if n := w.used("ann"); n != 1 {
			t.Errorf("%d pushes of ann count, want the one without an answer", n)
		}
	})
}

// While Redis cannot check caps, no one is sent to. Then everyone is.
func TestCapsCannotBeChecked(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		var log bytes.Buffer
		w.deps.Logger = slog.New(slog.NewTextHandler(&log, nil))
		w.limit("1 in 1d")
		for shard := range 16 {
			must(0, w.redis.Set(w.deps.Names.Caps(shard), "no hash"))(t)
		}
		w.campaign(campaign.Spec{ID: "42"}, `{"userId":"ann","fcmToken":"t1"}`)
		stop := w.serve(w.dispatcher())
		<-time.After(time.Minute)
		if b := w.books("42"); b.Retrying+b.InFlight != 1 || !b.IsBalanced() || w.sender.total() != 0 {
			t.Errorf("books %+v and %d pushes, want the recipient deferred", b, w.sender.total())
		}
		for shard := range 16 {
			w.redis.Del(w.deps.Names.Caps(shard))
		}
		<-time.After(3 * time.Minute)
		stop()
		w.checkRequests(map[string]int{"t1": 1})
		if !strings.Contains(log.String(), "caps not checked; recipients deferred") {
			t.Errorf("logged %s, want the failed check", log.String())
		}
	})
}
