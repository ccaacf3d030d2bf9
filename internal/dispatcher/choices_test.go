package dispatcher

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"fanfare/internal/campaign"
	"fanfare/internal/fcm"
	"fanfare/internal/notification"
	"fanfare/internal/responses"
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
	results := w.results()
	for user, want := range map[string]string{"of-element": "pt", "of-profile": "vi", "of-both": "pt", "other": "", "odd": "", "of-device": "vi"} {
		if got := results[user].Locale; got != want {
			t.Errorf("the result of %s has the language %q, want %q", user, got, want)
		}
	}
	for locale, want := range map[string]int64{"pt": 2, "vi": 2, "": 2} {
		if n := w.books("43").Locales[locale][notification.StatusSent]; n != want {
			t.Errorf("the books have %d sent in %q, want %d", n, locale, want)
		}
	}
}

// Each device has its own language, and the recipient that of the best device.
func TestLanguagesOfDevices(t *testing.T) {
	w := newWorld(t)
	w.sender.answer = func(_ context.Context, token string) fcm.Answer {
		if token == "dead-phone" {
			return fcm.Answer{Class: fcm.Unregistered, Code: "UNREGISTERED", HTTPStatus: 404}
		}
		return fcm.Answer{Class: fcm.Sent, MessageID: "m", HTTPStatus: 200}
	}
	w.campaign(campaign.Spec{ID: "45", Message: []byte(choices)},
		`{"userId":"u1","devices":[{"token":"dead-phone","locale":"pt"},{"token":"tablet","locale":"vi"},{"token":"watch","locale":"de"}]}`)
	if err := w.job("45"); err != nil {
		t.Fatal(err)
	}
	r := w.results()["u1"]
	var languages []string
	for _, d := range r.Devices {
		languages = append(languages, d.Locale)
	}
	if !slices.Equal(languages, []string{"pt", "vi", ""}) || r.Locale != "vi" {
		t.Errorf("the devices have the languages %q, the user %q", languages, r.Locale)
	}
}

// A locale that names no language ends no one: the next one is used, and the books count it.
func TestBadLocalesAreCounted(t *testing.T) {
	w := newWorld(t)
	w.redis.Set("profile:of-profile", `{"locale":"vi"}`)
	w.campaign(campaign.Spec{ID: "44", Message: []byte(`{"message":{"data":{"k":"base"}},"locales":{"pt":{"data":{"k":"pt"}},"vi":{"data":{"k":"vi"}}}}`)},
		`{"userId":"of-profile","fcmToken":"of-profile","locale":"vietnamese!"}`, `{"userId":"of-base","fcmToken":"of-base","locale":"x y"}`,
		`{"userId":"of-device","devices":[{"token":"one","locale":"und"},{"token":"two","locale":"vi"}],"locale":"pt"}`,
		`{"userId":"good","fcmToken":"good","locale":"pt_BR.UTF-8"}`, `{"userId":"without","fcmToken":"without"}`)
	if err := w.job("44"); err != nil {
		t.Fatal(err)
	}
	for token, want := range map[string]string{"of-profile": "vi", "of-base": "base", "one": "pt", "two": "vi", "good": "pt", "without": "base"} {
		if said := w.sender.saidTo(token); !strings.Contains(said, `"k":"`+want+`"`) {
			t.Errorf("%s was sent %s, want %s", token, said, want)
		}
	}
	if b := w.books("44"); b.BadLocales != 3 || b.Sent != 5 || !b.IsBalanced() {
		t.Errorf("%d bad locales of %d sent, want 3 of 5", b.BadLocales, b.Sent)
	}
}

// A campaign in one language writes nothing about languages.
func TestOneLanguageCostsNothing(t *testing.T) {
	w := newWorld(t)
	w.campaign(campaign.Spec{ID: "46"}, `{"userId":"u1","fcmToken":"t1","locale":"pt"}`, `{"userId":"u2","devices":[{"token":"t2","locale":"pt"},{"token":"t3","locale":"vi"}]}`)
	if err := w.job("46"); err != nil {
		t.Fatal(err)
	}
	names, err := w.redis.HKeys("{campaign:46}:counts")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if strings.HasPrefix(name, "note:locale") {
			t.Errorf("the counts have %s", name)
		}
	}
	for user, r := range w.results() {
		if text := string(responses.Append(nil, &r)); strings.Contains(text, "locale") {
			t.Errorf("the result of %s is %s", user, text)
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
	if n := books.Locales[""][notification.StatusExpired]; n != users-books.HeldOut || len(books.Locales) != 1 {
		t.Errorf("languages %v, want all but %d in the base language", books.Locales, books.HeldOut)
	}
	a, b := books.Variants["a"], books.Variants["b"]
	if a[notification.StatusExpired] == 0 || b[notification.StatusExpired] == 0 || books.HeldOut == 0 || books.WithoutVariant != malformed {
		t.Errorf("books %+v, want expired recipients of both variants and %d without", books, malformed)
	}
	sum := a[notification.StatusExpired] + b[notification.StatusExpired] + books.HeldOut + books.WithoutVariant
	if sum != books.CountEnded() || sum != users+malformed || !books.IsBalanced() {
		t.Errorf("the variants and the others add up to %d of %d ended recipients", sum, books.CountEnded())
	}
}
