package dispatcher

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"fanfare/internal/breaker"
	"fanfare/internal/campaign"
	"fanfare/internal/fcm"
	"fanfare/internal/notification"
	"fanfare/internal/tokens"
)

const fid = "cXyZ0123456789abcdefgh" // in the form of Google's

// Both addresses of one installation are one device: the ID is tried first, then the token. The
// breaker counts the second answer alone.
func TestAddressesOfOneDevice(t *testing.T) {
	w := newWorld(t)
	w.campaign(campaign.Spec{ID: "42"},
		`{"userId":"u1","devices":[{"token":"`+fid+`:token"},{"fid":"`+fid+`"}]}`,
		`{"userId":"u3","fid":"unregistered","fcmToken":"unregistered:token"}`,
		`{"userId":"u4","fid":"gone","fcmToken":"another:token"}`,
		`{"userId":"u2","devices":[{"fid":"never"},{"token":"never:token"},{"token":"other"}]}`)
	w.sender.answer = byToken(map[string][]fcm.Answer{"never": {unregistered}, "unregistered": {unregistered}, "gone": {unregistered}})
	if err := w.job("42"); err != nil {
		t.Fatal(err)
	}
	w.checkRequests(map[string]int{fid: 1, "never": 1, "never:token": 1, "other": 1, "unregistered": 1, "unregistered:token": 1, "gone": 1, "another:token": 1})
	if r := w.results()["u4"]; summary(r) != "gone… fid failed UNREGISTERED 1; anothe… token sent  1" || r.Status != notification.StatusSent {
		t.Errorf("u4: %s, %s", r.Status, summary(r))
	}
	if r := w.results()["u3"]; r.Devices != nil || r.Status != notification.StatusSent {
		t.Errorf("u3: %+v", r)
	}
	if r := w.results()["u1"]; r.Devices != nil || r.Status != notification.StatusSent {
		t.Errorf("u1: %+v", r)
	}
	if r := w.results()["u2"]; summary(r) != "never:… token sent  2; other… token sent  1" {
		t.Errorf("u2: %s", summary(r))
	}
}

// An app has moved to installation IDs, and all its tokens are dead. The IDs are tried, the tokens
// are deleted, and neither the breaker nor the budget of deletions takes it for a disaster.
func TestMovedTokensAreNoDisaster(t *testing.T) {
	const users = 300
	w := newWorld(t)
	w.useBreakers()
	o := breaker.DeletionsOptions{Logger: w.deps.Logger}
	w.deps.Deletions = must(breaker.NewDeletions(must(w.client())(t), w.deps.Names.Project("p"), o))(t)
	var elements []string
	for i := range users {
		id := fmt.Sprintf("cXyZ0123456789abcd%04d", i)
		elements = append(elements, fmt.Sprintf(`{"userId":"u%d","fcmToken":"%s:token"}`, i, id))
		w.redis.HSet(fmt.Sprintf("user:u%d:devices", i), id, `{"kind":"fid"}`)
		w.redis.Set(fmt.Sprintf("user:u%d:token", i), id+":token")
	}
	w.campaign(campaign.Spec{ID: "42"}, elements...)
	w.sender.answer = answerMoved
	if err := w.job("42"); err != nil {
		t.Fatal(err)
	}
	b := w.books("42")
	if b.Sent != users || b.Moved != users || b.TokensKept != 0 || b.Devices != nil {
		t.Errorf("books %+v, want all sent, all moved", b)
	}
	if left := slices.DeleteFunc(w.redis.Keys(), func(key string) bool { return !strings.HasSuffix(key, ":token") }); len(left) > 0 {
		t.Errorf("%d tokens are still stored", len(left))
	}
	r := w.results()["u0"]
	want := "cXyZ01…oken token failed MOVED 1; cXyZ01…0000 fid sent  2"
	if summary(r) != want || !r.TokenRemoved || r.Token != "cXyZ0123456789abcd0000:token" || r.Devices[1].TokenRemoved {
		t.Errorf("result %+v with the devices %s, want %s", r, summary(r), want)
	}
}

// answerMoved answers that all registration tokens are dead, because their app has moved.
func answerMoved(ctx context.Context, token string) fcm.Answer {
	if strings.Contains(token, ":") {
		return unregistered
	}
	return accepted(ctx, token)
}

// The audience has rows of old tokens beside the installation IDs of the same devices. The breaker
// does not count tokens that moved, whichever element sends to the ID.
func TestMovedTokensBesideTheirInstallationIDs(t *testing.T) {
	const users = 100
	w := newWorld(t)
	w.useBreakers()
	var elements []string
	for i := range users {
		id := fmt.Sprintf("cXyZ0123456789abcd%04d", i)
		elements = append(elements, fmt.Sprintf(`{"userId":"u%d","fid":"%s"}`, i, id),
			fmt.Sprintf(`{"userId":"u%d","fcmToken":"%s:t1"}`, i, id), fmt.Sprintf(`{"userId":"u%d","fcmToken":"%s:t2"}`, i, id))
		w.redis.HSet(fmt.Sprintf("user:u%d:devices", i), id, `{"kind":"fid"}`)
	}
	w.campaign(campaign.Spec{ID: "42"}, elements...)
	w.sender.answer = answerMoved
	w.drain("42")
	if b := w.books("42"); b.Sent != users || b.Skipped != 2*users || b.Moved != 2*users || w.stateOf("42") == campaign.Paused {
		t.Errorf("campaign %s, books %+v; want one push to each phone, and its tokens moved", w.stateOf("42"), b)
	}
	for _, r := range w.allResults() {
		if r.ErrorCode == notification.CodeDuplicate && !strings.HasSuffix(summary(r), "fid skipped DUPLICATE 1") {
			t.Errorf("a duplicate has the devices %s, want the installation ID last", summary(r))
		}
	}
}

// sqlDevices is a table of devices in SQL.
type sqlDevices map[string][]notification.Device

func (sqlDevices) Tokens(context.Context, []string) (map[string]string, error) { return nil, nil }

func (s sqlDevices) Devices(context.Context, []string) (map[string][]notification.Device, error) {
	return s, nil
}

// The installation IDs are in SQL, and Redis still keeps the old tokens. They cost nothing of the
// budget of deletions, and none of them stays stored.
func TestMovedTokensBehindTheCache(t *testing.T) {
	const users = 50
	w := newWorld(t)
	o := breaker.DeletionsOptions{Logger: w.deps.Logger, Least: 5, Share: 0.1}
	w.deps.Deletions = must(breaker.NewDeletions(must(w.client())(t), w.deps.Names.Project("p"), o))(t)
	source := sqlDevices{}
	var elements []string
	for i := range users {
		id, user := fmt.Sprintf("cXyZ0123456789abcd%04d", i), fmt.Sprintf("u%d", i)
		elements = append(elements, fmt.Sprintf(`{"userId":%q}`, user))
		w.redis.Set("user:"+user+":token", id+":token")
		source[user] = []notification.Device{{Target: notification.ParseFID(id)}}
	}
	w.deps.Tokens = must(tokens.New(must(w.client())(t), w.deps.Names, source, tokens.Options{}))(t)
	w.campaign(campaign.Spec{ID: "42"}, elements...)
	w.sender.answer = answerMoved
	w.drain("42")
	if b := w.books("42"); b.Sent != users || b.Moved != users || b.TokensKept != 0 {
		t.Errorf("books %+v, want all sent, all moved, none kept", b)
	}
}

// The push to the installation ID is put off after the token moved. The token is not sent to again,
// and counts once as moved, wherever it stands.
func TestMovedTokenIsNotTriedAgain(t *testing.T) {
	for name, element := range map[string]string{
		"in the element": `{"userId":"u1","fcmToken":"` + fid + `:token"}`,
		"stored":         `{"userId":"u1"}`,
		"two devices":    devicesOf("u1", fid+":token", "tablet"),
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, w *world) {
				w.redis.Set("user:u1:token", fid+":token")
				w.campaign(campaign.Spec{ID: "42"}, element)
				answer := byToken(map[string][]fcm.Answer{fid + ":token": {unregistered, unregistered, unregistered}, fid: {unavailable, unavailable}})
				w.sender.answer = func(ctx context.Context, token string) fcm.Answer {
					w.redis.HSet("user:u1:devices", fid, `{"kind":"fid"}`) // the app moves now
					return answer(ctx, token)
				}
				w.drainSlowly("42")
				want := map[string]int{fid + ":token": 1, fid: 3}
				if strings.Contains(element, "tablet") {
					want["tablet"] = 1
				}
				w.checkRequests(want)
				r := w.results()["u1"]
				if b := w.books("42"); b.Sent != 1 || b.Moved != 1 || !strings.HasPrefix(summary(r), "cXyZ01…oken token failed MOVED 1; cXyZ01…efgh fid sent  4") {
					t.Errorf("books %+v, result %+v with the devices %s", b, r, summary(r))
				}
				if r.Devices[0].Token != fid+":token" || len(r.Devices) == 2 && r.Token != fid+":token" {
					t.Errorf("result %+v, want the token that SQL clears", r)
				}
			})
		})
	}
}

// A dispatcher stops between the answer about the token and the push to the installation ID.
func TestStopKeepsAMovedToken(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.redis.HSet("user:u1:devices", fid, `{"kind":"fid"}`)
		w.campaign(campaign.Spec{ID: "42"}, `{"userId":"u1","fcmToken":"`+fid+`:token"}`)
		w.sender.answer = answerMoved
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
		if b := w.books("42"); b.Waiting != 1 || b.InFlight != 0 {
			t.Fatalf("books %+v, want the user back", b)
		}
		w.deps.Pacer = nil
		w.drainSlowly("42")
		w.checkRequests(map[string]int{fid + ":token": 1, fid: 1})
		if b, r := w.books("42"), w.results()["u1"]; b.Sent != 1 || b.Moved != 1 || r.Token != fid+":token" {
			t.Errorf("books %+v, result %+v", b, r)
		}
	})
}

// The address in the element is dead, and the push to the stored one is put off. The dead one is
// not sent to again, and the result still names it.
func TestDeadTokenIsNotTriedAgain(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.redis.Set("user:u1:token", "stored")
		w.redis.HSet("user:u2:devices", "b-2", "")
		w.campaign(campaign.Spec{ID: "42"}, `{"userId":"u1","fcmToken":"dead"}`, `{"userId":"u2","fid":"gone","fcmToken":"gone:token"}`)
		w.sender.answer = byToken(map[string][]fcm.Answer{
			"dead": {unregistered, unregistered}, "stored": {unavailable, unavailable},
			"gone": {unregistered, unregistered}, "gone:token": {unavailable},
		})
		w.drainSlowly("42")
		w.checkRequests(map[string]int{"dead": 1, "stored": 3, "gone": 1, "gone:token": 2})
		for user, token := range map[string]string{"u1": "dead", "u2": "gone"} {
			if r := w.results()[user]; r.Status != notification.StatusSent || !r.TokenRemoved || r.Token != token || r.Devices != nil {
				t.Errorf("%s: %+v, want it sent, and %q removed", user, r, token)
			}
		}
	})
}

// A recipient fails after a dead address and a wait. A replay of it is sent, so both addresses are
// free for it.
func TestDeadTokenIsFreeAfterAWait(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.options.Retry.MaxAttempts = 3
		w.redis.Set("user:u1:token", "stored")
		element := `{"userId":"u1","fcmToken":"dead"}`
		w.campaign(campaign.Spec{ID: "42"}, element)
		busy := fcm.Answer{Class: fcm.Quota, Scope: fcm.QuotaDevice, Code: "QUOTA_EXCEEDED", HTTPStatus: 429}
		w.sender.answer = byToken(map[string][]fcm.Answer{"dead": {unregistered, unregistered}, "stored": {busy, busy}})
		w.drainSlowly("42")
		w.wantOutcomes(map[string]int{"failed QUOTA_EXCEEDED": 1})
		if _, err := w.redis.RPush("campaign:42", element); err != nil {
			t.Fatal(err)
		}
		w.drainSlowly("42")
		w.wantOutcomes(map[string]int{"failed QUOTA_EXCEEDED": 1, "sent": 1})
	})
}

// A dead installation ID is deleted like a token, under the budget. The device's token is tried.
func TestDeadInstallationIDIsDeleted(t *testing.T) {
	for name, budget := range map[string]int{"within the budget": 1, "beyond it": 0} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.redis.HSet("user:u1:devices", fid, `{"kind":"fid"}`)
			w.redis.Set("user:u1:token", fid+":token")
			if budget == 0 {
				away := must(w.client())(t)
				_ = away.Close()
				w.deps.Deletions = must(breaker.NewDeletions(away, w.deps.Names.Project("p"), breaker.DeletionsOptions{Logger: w.deps.Logger}))(t)
			}
			w.campaign(campaign.Spec{ID: "42"}, `{"userId":"u1"}`)
			w.sender.answer = byToken(map[string][]fcm.Answer{fid: {unregistered}})
			if err := w.job("42"); err != nil {
				t.Fatal(err)
			}
			w.checkRequests(map[string]int{fid: 1, fid + ":token": 1})
			r, kept := w.results()["u1"], w.redis.HGet("user:u1:devices", fid) != ""
			if r.Status != notification.StatusSent || r.TokenRemoved == kept || kept != (budget == 0) {
				t.Errorf("result %+v; the ID is stored: %t", r, kept)
			}
			if b := w.books("42"); b.Moved != 0 || b.TokensKept != int64(1-budget) {
				t.Errorf("books %+v", b)
			}
		})
	}
}
