package dispatcher

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"fanfare/internal/campaign"
	"fanfare/internal/fcm"
	"fanfare/internal/notification"
	"fanfare/internal/suppression"
	"fanfare/internal/tokens"
)

// asked is a database that remembers whose tokens were looked up.
type asked struct{ users atomic.Pointer[[]string] }

func (a *asked) Tokens(_ context.Context, users []string) (map[string]string, error) {
	a.users.Store(&users)
	return map[string]string{"stored": "stored"}, nil
}

func (a *asked) Profiles(context.Context, []string) (map[string]json.RawMessage, error) {
	return nil, nil
}

// Suppressed users end as skipped, whatever their addresses are. Their tokens are not looked up,
// and they take no address from others.
func TestSuppressedUsersGetNothing(t *testing.T) {
	w := newWorld(t)
	w.options.Concurrency = 1
	source := &asked{}
	w.deps.Tokens = must(tokens.New(must(w.client())(t), w.deps.Names, source, tokens.Options{}))(t)
	must(w.deps.Suppressed.Add(t.Context(), "out", "out-stored", "out-devices"))(t)
	w.campaign(campaign.Spec{ID: "42"}, `{"userId":"out","fcmToken":"shared"}`, `{"userId":"out-stored"}`,
		devicesOf("out-devices", "phone", "tablet"), `{"userId":"in","fcmToken":"shared"}`, `{"userId":"stored"}`)
	w.drain("42")
	w.checkRequests(map[string]int{"shared": 1, "stored": 1, "phone": 0, "tablet": 0})
	w.wantOutcomes(map[string]int{"sent": 2, "skipped SUPPRESSED": 3})
	if users := source.users.Load(); users == nil || strings.Join(*users, " ") != "stored" {
		t.Errorf("looked up tokens of %v, want those of stored alone", users)
	}
}

// While Redis cannot tell who is suppressed, no one is sent to. Then everyone is, but for those.
func TestSuppressionLookupFails(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		var log bytes.Buffer
		w.deps.Logger = slog.New(slog.NewTextHandler(&log, nil))
		key := w.deps.Names.Suppressed
		must(0, w.redis.Set(key, "no set"))(t)
		w.campaign(campaign.Spec{ID: "42"}, `{"userId":"out","fcmToken":"t1"}`, `{"userId":"in","fcmToken":"t2"}`)
		stop := w.serve(w.dispatcher())
		<-time.After(3 * time.Minute)
		if b := w.books("42"); b.Retrying+b.InFlight != 2 || !b.IsBalanced() || w.sender.total() != 0 {
			t.Errorf("books %+v and %d pushes, want both deferred", b, w.sender.total())
		}
		w.redis.Del(key)
		must(w.deps.Suppressed.Add(t.Context(), "out"))(t)
		<-time.After(3 * time.Minute)
		stop()
		w.checkRequests(map[string]int{"t1": 0, "t2": 1})
		w.wantOutcomes(map[string]int{"sent": 1, "skipped SUPPRESSED": 1})
		if !strings.Contains(log.String(), "suppression lookup failed; recipients deferred") || !strings.Contains(log.String(), key) {
			t.Errorf("logged %s, want the failed look-up and its key", log.String())
		}
	})
}

// A user is suppressed after one device has the message. The other one gets nothing, and the
// outcome of the first stays.
func TestSuppressedAfterTheFirstDevice(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.campaign(campaign.Spec{ID: "42"}, devicesOf("u1", "phone", "tablet"))
		w.sender.answer = func(ctx context.Context, token string) fcm.Answer {
			if token == "phone" {
				return accepted(ctx, token)
			}
			_, _ = w.deps.Suppressed.Add(ctx, "u1") // the result shows a failure
			return fcm.Answer{Class: fcm.Unavailable, Code: "UNAVAILABLE", HTTPStatus: 503}
		}
		w.drainSlowly("42")
		w.checkRequests(map[string]int{"phone": 1, "tablet": 1})
		r := w.results()["u1"]
		if got := summary(r); r.Status != notification.StatusSent || got != "phone… token sent  1; tablet… token skipped SUPPRESSED 1" {
			t.Errorf("%s with devices %s", r.Status, got)
		}
	})
}

// optOuts is a database of suppressed users that can fail.
type optOuts struct {
	err   atomic.Pointer[error]
	users map[string]bool
}

func (o *optOuts) Suppressed(context.Context, []string) (map[string]bool, error) {
	if err := o.err.Load(); err != nil {
		return nil, *err
	}
	return o.users, nil
}

// While SQL cannot tell who is suppressed, no one is sent to. Then everyone is, but for those.
func TestSuppressedUsersInSQL(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		var log bytes.Buffer
		w.deps.Logger = slog.New(slog.NewTextHandler(&log, nil))
		source := &optOuts{users: map[string]bool{"out": true}}
		away := errDown
		source.err.Store(&away)
		w.deps.Suppressed = suppression.New(must(w.client())(t), w.deps.Names, source)
		w.campaign(campaign.Spec{ID: "42"}, `{"userId":"out","fcmToken":"t1"}`, `{"userId":"in","fcmToken":"t2"}`)
		stop := w.serve(w.dispatcher())
		<-time.After(3 * time.Minute)
		if b := w.books("42"); b.Retrying+b.InFlight != 2 || !b.IsBalanced() || w.sender.total() != 0 {
			t.Errorf("books %+v and %d pushes, want both deferred", b, w.sender.total())
		}
		source.err.Store(nil)
		<-time.After(3 * time.Minute)
		stop()
		w.checkRequests(map[string]int{"t1": 0, "t2": 1})
		w.wantOutcomes(map[string]int{"sent": 1, "skipped SUPPRESSED": 1})
		if !strings.Contains(log.String(), "suppression lookup failed; recipients deferred") || !strings.Contains(log.String(), errDown.Error()) {
			t.Errorf("logged %s, want the failed look-up", log.String())
		}
	})
}

// An earlier sender may have reached a user who is suppressed since.
func TestSuppressedAfterALostSender(t *testing.T) {
	w := newWorld(t)
	w.campaign(campaign.Spec{ID: "42"}, audience(2)...)
	w.loseLease("42", 1)
	must(w.deps.Suppressed.Add(t.Context(), "u0000", "u0001"))(t)
	w.options.Lease = 20 * time.Millisecond // so that the reaper looks soon
	w.drain("42")
	w.wantOutcomes(map[string]int{"unknown OUTCOME_UNKNOWN": 1, "skipped SUPPRESSED": 1})
}
