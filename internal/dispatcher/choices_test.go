package dispatcher

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"fanfare/internal/campaign"
	"fanfare/internal/notification"
)

const choices = `{"message":{"notification":{"title":"Hello {{name|you}}"}},
	"locales":{"pt":{"notification":{"title":"Olá"}},"vi":{"notification":{"title":"Chào"}}},
	"variants":[{"name":"a","weight":40},{"name":"b","weight":40,"message":{"data":{"v":"b"}}}],"holdout":20}`

// The language comes from the device, the element or the profile, in that order.
func TestEachUserGetsTheirLanguage(t *testing.T) {
	w := newWorld(t)
	w.redis.Set("profile:of-profile", `{"locale":"vi-VN"}`)
	w.redis.Set("profile:of-both", `{"locale":"vi"}`)
	w.redis.Set("profile:odd", `{"locale":7,"name":"Ada"}`)
	w.campaign(campaign.Spec{ID: "43", Message: []byte(`{"message":{"notification":{"title":"Hello {{name|you}}"}},"locales":{"pt":{"notification":{"title":"Olá{{name|}}"}},"vi":{"notification":{"title":"Chào{{name|}}"}}}}`)},
		`{"userId":"of-element","fcmToken":"of-element","locale":"pt-BR"}`, `{"userId":"of-profile","fcmToken":"of-profile"}`,
		`{"userId":"of-both","fcmToken":"of-both","locale":"pt"}`, `{"userId":"other","fcmToken":"other","locale":"de"}`, `{"userId":"odd","fcmToken":"odd"}`,
		`{"userId":"of-device","devices":[{"token":"of-device","locale":"vi"}],"locale":"pt"}`)
	if err := w.job("43"); err != nil {
		t.Fatal(err)
	}
	for token, want := range map[string]string{
		"of-element": "Olá", "of-profile": "Chào", "of-both": "Olá", "other": "Hello you", "odd": "Hello Ada", "of-device": "Chào",
	} {
		if said := w.sender.saidTo(token); !strings.Contains(said, `"title":"`+want+`"`) {
			t.Errorf("%s was sent %s, want %s", token, said, want)
		}
	}
}

// Users of the hold-out group end as skipped, and the books have each variant's outcomes.
func TestVariantsAreCounted(t *testing.T) {
	w := newWorld(t)
	const users = 300
	w.campaign(campaign.Spec{ID: "42", Message: []byte(choices)}, audience(users)...)
	if err := w.job("42"); err != nil {
		t.Fatal(err)
	}
	books, counted := w.books("42"), map[string]int64{}
	for user, r := range w.results() {
		token := "token-" + user[1:]
		switch said := w.sender.saidTo(token); {
		case r.ErrorCode == notification.CodeHoldout:
			if r.Status != notification.StatusSkipped || r.Variant != "" || said != "" {
				t.Errorf("held out: %+v, sent %q", r, said)
			}
			counted["holdout"]++
		case r.Status != notification.StatusSent || strings.Contains(said, `"v":"b"`) != (r.Variant == "b"):
			t.Errorf("%+v was sent %s", r, said)
		default:
			counted[r.Variant]++
		}
	}
	if counted["a"] < 80 || counted["b"] < 80 || counted["holdout"] < 30 || !books.IsBalanced() {
		t.Errorf("got %v, books %+v", counted, books)
	}
	for _, name := range []string{"a", "b"} {
		if n := books.Variants[name][notification.StatusSent]; n != counted[name] {
			t.Errorf("the books have %d of variant %s, want %d", n, name, counted[name])
		}
	}
	if n := books.Codes["skipped:"+notification.CodeHoldout]; n != counted["holdout"] {
		t.Errorf("%d are held out, want %d: %s", n, counted["holdout"], fmt.Sprint(books.Codes))
	}
}

// Recipients that wait when the deadline passes end under their variant. Those without one stand
// beside the variants, so that the sums are all ended recipients.
func TestVariantsAddUpToAllEndedRecipients(t *testing.T) {
	w := newWorld(t)
	const users, malformed = 100, 3
	w.campaign(campaign.Spec{ID: "44", Message: []byte(choices)},
		append(audience(users), slices.Repeat([]string{"no JSON"}, malformed)...)...)
	past, guard := time.Now().Add(-time.Minute).UnixMilli(), time.Now().Add(time.Hour).UnixMilli()
	w.redis.HSet("{campaign:44}:counts", "deadline", fmt.Sprint(past), "guard", fmt.Sprint(guard)) // as of a list's EXPIRE
	w.redis.SetTTL("campaign:44", time.Hour)
	if err := w.job("44"); err == nil || !strings.Contains(err.Error(), "expired") {
		t.Fatalf("ended with %v, want expired", err)
	}
	books := w.books("44")
	a, b := books.Variants["a"], books.Variants["b"]
	if a[notification.StatusExpired] == 0 || b[notification.StatusExpired] == 0 || books.HeldOut == 0 || books.WithoutVariant != malformed {
		t.Errorf("books %+v, want expired recipients of both variants and %d without", books, malformed)
	}
	sum := a[notification.StatusExpired] + b[notification.StatusExpired] + books.HeldOut + books.WithoutVariant
	if sum != books.CountEnded() || sum != users+malformed || !books.IsBalanced() {
		t.Errorf("the variants and the others add up to %d of %d ended recipients", sum, books.CountEnded())
	}
}
