package dispatcher

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"fanfare/internal/breaker"
	"fanfare/internal/campaign"
	"fanfare/internal/fcm"
	"fanfare/internal/notification"
)

const fid = "cXyZ0123456789abcdefgh" // in the form of Google's

// Both addresses of one installation are one device: the ID is tried first, then the token. The
// breaker counts the second answer alone.
func TestAddressesOfOneDevice(t *testing.T) {
	w := newWorld(t)
	w.campaign(campaign.Spec{ID: "42"},
		`{"userId":"u1","devices":[{"token":"`+fid+`:token"},{"fid":"`+fid+`"}]}`,
		`{"userId":"u3","fid":"unregistered","fcmToken":"unregistered:token"}`,
		`{"userId":"u2","devices":[{"fid":"never"},{"token":"never:token"},{"token":"other"}]}`)
	w.sender.answer = byToken(map[string][]fcm.Answer{"never": {unregistered}, "unregistered": {unregistered}})
	if err := w.job("42"); err != nil {
		t.Fatal(err)
	}
	w.checkRequests(map[string]int{fid: 1, "never": 1, "never:token": 1, "other": 1, "unregistered": 1, "unregistered:token": 1})
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
	w.sender.answer = func(ctx context.Context, token string) fcm.Answer {
		if strings.Contains(token, ":") {
			return unregistered
		}
		return accepted(ctx, token)
	}
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
