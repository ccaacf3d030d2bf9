package content_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"fanfare/internal/content"
	"fanfare/internal/notification"
)

const choicesMessage = `{"message":{"notification":{"title":"Hello {{name|you}}","body":"Base"},"android":{"notification":{"channelId":"news"}}},
	"locales":{"pt":{"notification":{"title":"Olá {{name|você}}"}},"vi":{"notification":{"title":"Chào","body":null},"android":{"notification":{"channel_id":"tin"}}}},
	"variants":[{"name":"a","weight":45},{"name":"b","weight":45,"message":{"notification":{"body":"B"}},"locales":{"pt":{"notification":{"body":"B pt"}}}}],
	"holdout":10}`

// texts fills in all texts that can be picked.
func texts(t *testing.T, c *content.Content) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, p := range c.Texts() {
		m, err := p.Content.Fill(nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		out[p.Variant+"/"+p.Locale] = string(m.Text())
	}
	return out
}

// A patch is merged into the message: the variant's, then the language's, then the variant's own
// for the language.
func TestPatchesAreMerged(t *testing.T) {
	got := texts(t, compile(t, choicesMessage))
	want := map[string]string{
		"a/":   `{"notification":{"title":"Hello you","body":"Base"},"android":{"notification":{"channel_id":"news"}}}`,
		"b/":   `{"notification":{"title":"Hello you","body":"B"},"android":{"notification":{"channel_id":"news"}}}`,
		"a/pt": `{"notification":{"title":"Olá você","body":"Base"},"android":{"notification":{"channel_id":"news"}}}`,
		"b/pt": `{"notification":{"title":"Olá você","body":"B pt"},"android":{"notification":{"channel_id":"news"}}}`,
		"a/vi": `{"notification":{"title":"Chào"},"android":{"notification":{"channel_id":"tin"}}}`,
		"b/vi": `{"notification":{"title":"Chào"},"android":{"notification":{"channel_id":"tin"}}}`,
	}
	if !maps.Equal(got, want) {
		t.Errorf("got %v", got)
	}
}

// The first valid locale decides. A language that is not there falls back to the base, and not to a
// related one.
func TestLanguageOfALocale(t *testing.T) {
	c := compile(t, `{"message":{"data":{"k":"base"}},"locales":{"pt":{"data":{"k":"pt"}},"zh-Hant":{"data":{"k":"zt"}},"en_GB":{"data":{"k":"gb"}},"ru":{"data":{"k":"ru"}}}}`)
	for locales, want := range map[string]string{
		"pt-BR": "pt", "pt": "pt", "pt_PT": "pt", "PT-br": "pt", "zh-TW": "zh-Hant", "zh-Hant-HK": "zh-Hant", "en-GB": "en_GB", "ru-RU": "ru",
		"": "", "de": "", "zh-CN": "", "uk": "", "es": "", "und": "",
		"pt_BR.UTF-8": "pt", " pt-BR ": "pt", "pt_BR@euro": "pt", "zh_TW_#Hant": "zh-Hant", "zh__#Hant": "zh-Hant", "pt_BR_#x": "pt",
		"C,pt": "pt", "no locale,pt-BR": "pt", ",vi,pt": "", "de,pt": "", "en-US": "en_GB",
	} {
		if got := c.Pick("42", "u1", strings.Split(locales, ",")...).Locale; got != want {
			t.Errorf("%q: %q, want %q", locales, got, want)
		}
	}
	variants := compile(t, `{"message":{"data":{"k":"base"}},"variants":[{"name":"a","weight":100}]}`)
	if !c.HasLocales() || compile(t, `{"data":{}}`).HasLocales() || variants.HasLocales() {
		t.Error("HasLocales is wrong")
	}
	if variants.NeedsProfile(content.Person{Campaign: "42", User: "u1"}) {
		t.Error("a message in one language needs the profile for the language")
	}
}

// What a message offers is what its author wrote, and a plain message offers no choice.
func TestWhatAMessageOffers(t *testing.T) {
	for message, want := range map[string]struct {
		shares            []content.Share
		variants, locales []string
	}{
		choicesMessage: {[]content.Share{{Variant: "a", Percent: 45}, {Variant: "b", Percent: 45}, {Percent: 10, HeldOut: true}}, []string{"a", "b"}, []string{"pt", "vi"}},
		`{"message":{"data":{}},"variants":[{"name":"a","weight":30},{"name":"b","weight":70}]}`: {[]content.Share{{Variant: "a", Percent: 30}, {Variant: "b", Percent: 70}}, []string{"a", "b"}, nil},
		`{"message":{"data":{}},"locales":{"pt":{}}}`:                                            {nil, nil, []string{"pt"}},
		`{"data":{}}`: {},
	} {
		c := compile(t, message)
		if !slices.Equal(c.Shares(), want.shares) || !slices.Equal(c.Variants(), want.variants) || !slices.Equal(c.Locales(), want.locales) {
			t.Errorf("%s: shares %+v, variants %q, locales %q", message, c.Shares(), c.Variants(), c.Locales())
		}
	}
}

// The first locale that names a language counts: the device's, the user's, the profile's. The
// profile is asked for only if the others name none.
func TestUnreadableLocaleHidesNoOther(t *testing.T) {
	c := compile(t, `{"message":{"data":{"k":"base"}},"locales":{"pt":{"data":{"k":"pt"}}}}`)
	profile := map[string]json.RawMessage{"locale": json.RawMessage(`"pt"`)}
	for p, needs := range map[[2]string]bool{{"nonsense!", "pt"}: false, {"", "pt"}: false, {"nonsense!", ""}: true, {"nonsense!", "more!"}: true, {"", ""}: true} {
		person := content.Person{Campaign: "42", User: "u1", Locale: p[0], UserLocale: p[1]}
		if c.NeedsProfile(person) != needs || c.PickFor(person, profile).Locale != "pt" {
			t.Errorf("%q: needs the profile %t, locale %q", p, c.NeedsProfile(person), c.PickFor(person, profile).Locale)
		}
	}
}

// A locale that names no language is told from one that is not there. A message in one language
// does not ask.
func TestBadLocales(t *testing.T) {
	c := compile(t, `{"message":{"data":{"k":"base"}},"locales":{"pt":{"data":{"k":"pt"}}}}`)
	for locales, want := range map[string]bool{"nonsense!": true, "pt,nonsense!": true, ",und": true, "": false, "pt": false, "de,,pt_BR.UTF-8": false} {
		if got := c.HasBadLocale(strings.Split(locales, ",")...); got != want {
			t.Errorf("%q: bad %t, want %t", locales, got, want)
		}
	}
	if compile(t, `{"data":{}}`).HasBadLocale("nonsense!") {
		t.Error("a message in one language has a bad locale")
	}
}

// The objects of dotted names are read once: with the values that were found, the vars are not
// looked at again. Devices share the values, and a text in another language has its own.
func TestValuesAreFoundOnce(t *testing.T) {
	c := compile(t, `{"message":{"data":{"k":"{{a.b}} {{c.d|none}}"}},"locales":{"pt":{"data":{"k":"pt {{a.b}}"}}}}`)
	person := content.Person{Campaign: "42", User: "u1", Locale: "de", Vars: object(`{"a":{"b":"first"}}`)}
	values, needs := c.FindValues(person, nil)
	if !needs {
		t.Error("c.d has a value, or is not looked for in the profile")
	}
	person.Vars = object(`{"a":{"b":"second"}}`)
	fill := func(p content.Person, profile string) string {
		t.Helper()
		m, _, err := c.FillWith(p, values, object(profile))
		if err != nil {
			t.Fatal(err)
		}
		return string(m.Text())
	}
	for profile, want := range map[string]string{`{"c":{"d":"x"}}`: "first x", `{}`: "first none", `{"a":{"b":"third"}}`: "first none"} {
		if got := fill(person, profile); got != `{"data":{"k":"`+want+`"}}` {
			t.Errorf("with the profile %s: %s, want %s", profile, got, want)
		}
	}
	other := values
	if values, _ = c.FindValues(person, []content.Values{other}); fill(person, `{}`) != `{"data":{"k":"first none"}}` {
		t.Errorf("another device reads the vars again: %s", fill(person, `{}`))
	}
	person.Locale = "pt"
	if values, _ = c.FindValues(person, []content.Values{other}); fill(person, `{}`) != `{"data":{"k":"pt second"}}` {
		t.Errorf("a device in another language: %s", fill(person, `{}`))
	}
	values = other
	if got := fill(person, `{}`); got != `{"data":{"k":"pt second"}}` {
		t.Errorf("in another language: %s", got)
	}
	person.Vars = object(`{"a":{"b":1},"c":{"d":2}}`)
	if person.Locale = "de"; c.NeedsProfile(person) {
		t.Error("the vars have all values, and the profile is needed")
	}
}

// A user's variant stays the same, the weights are kept, and campaigns divide users differently.
func TestVariantsAreStableAndWeighted(t *testing.T) {
	c, again := compile(t, choicesMessage), compile(t, choicesMessage)
	const users = 20_000
	counts, together := map[string]int{}, 0
	for i := range users {
		user := fmt.Sprintf("u%d", i)
		p := c.Pick("42", user, "pt")
		if other := again.Pick("42", user); other.Variant != p.Variant || p.HeldOut != c.IsHeldOut("42", user) || p.HeldOut != other.HeldOut {
			t.Fatalf("%s: %+v, then %+v", user, p, other)
		}
		if p.HeldOut {
			p.Variant = "holdout"
		}
		counts[p.Variant]++
		if c.Pick("43", user).Variant == p.Variant {
			together++
		}
	}
	for name, want := range map[string]int{"a": 45, "b": 45, "holdout": 10} {
		if share := float64(counts[name]) * 100 / users; share < float64(want)-1.5 || share > float64(want)+1.5 {
			t.Errorf("%s: %.1f%%, want %d%%", name, share, want)
		}
	}
	if share := float64(together) / users; share > 0.5 {
		t.Errorf("%.2f of the users have the same variant in both campaigns", share)
	}
	if plain := compile(t, `{"data":{}}`); plain.IsHeldOut("42", "u1") || plain.Pick("42", "u1").Content != plain || !c.IsPersonal() || c.Shared() != nil {
		t.Error("a message without choices has some, or one with choices has none")
	}
}

func TestChoicesThatAreRefused(t *testing.T) {
	for beside, want := range map[string]string{
		`"locales":{"pt":{"notification":{"titel":"x"}}}`:                                  "locales.pt.notification.titel: is unknown to FCM",
		`"locales":{"pt":{"notification":{"title":"{{"}}}`:                                 "locales.pt.notification.title: a placeholder is not closed",
		`"locales":{"pt":{"android":{"notification":{"light_settings":{"color":null}}}}}`:  "locales.pt.android.notification.light_settings.color: is missing",
		`"locales":{"pt":{"notification":{"title":"` + strings.Repeat("x", 4096) + `"}}}`:  "locales.pt: is ",
		`"locales":{"pt":{"message":{"notification":{"title":"x"}}}}`:                      "locales.pt.message: is no field of a message",
		`"locales":{"pt_BR.UTF-8":{}}`:                                                     "locales.pt_BR.UTF-8: is no language",
		`"locales":{"portuguese!":{}}`:                                                     "locales.portuguese!: is no language",
		`"locales":{"pt-BR":{},"pt_BR":{}}`:                                                "locales.pt_BR: is given twice",
		`"locales":[]`:                                                                     "locales: must be an object",
		`"locales":{"pt":"x"}`:                                                             "locales.pt: must be an object",
		`"variants":[{"name":"a","weight":50},{"name":"b","weight":40}]`:                   "variants: have weights that add up to 90",
		`"variants":[{"name":"a","weight":95}],"holdout":10`:                               "variants: have weights that add up to 105",
		`"variants":[{"name":"a","weight":50},{"name":"a","weight":50}]`:                   `variants[1].name: is "a", as that of another variant`,
		`"variants":[{"weight":100}]`:                                                      "variants[0].name: must be",
		`"variants":[{"name":"a"}]`:                                                        "variants[0].weight: is missing",
		`"variants":[{"name":"a","weight":"50"}]`:                                          "variants[0].weight: must be a whole number",
		`"variants":[{"name":"a","weight":100,"text":1}]`:                                  "variants[0].text: is unknown",
		`"variants":[{"name":"a","weight":100,"message":{"data":{"k":1}}}]`:                "variants[0].message.data.k: must be a string",
		`"variants":[{"name":"a","weight":100,"locales":{"de":{"android":{"ttl":"1h"}}}}]`: "variants[0].locales.de.android.ttl: must be a duration",
		`"variants":{}`: "variants: must be a list",
		`"holdout":100`: "holdout: must be a whole number of percent below 100",
		`"holdout":"5"`: "holdout: must be a whole number of percent below 100",
		`"token":"t"`:   `token: is beside "message"`,
	} {
		message := `{"message":{"notification":{"title":"x"},"android":{"notification":{"light_settings":{"color":{},"light_on_duration":"1s","light_off_duration":"1s"}}}},` + beside + `}`
		if !json.Valid([]byte(message)) {
			t.Fatalf("the test's message is no JSON: %s", message)
		}
		_, err := content.Compile(notification.Message(message))
		if faults := notification.FaultsOf(err); len(faults) != 1 || !strings.HasPrefix(faults[0].Error(), want) {
			t.Errorf("%s: got %v, want %s", beside, err, want)
		}
	}
}

// BenchmarkPick finds the variant and the language of a user.
func BenchmarkPick(b *testing.B) {
	c := compile(b, choicesMessage)
	b.ReportAllocs()
	for b.Loop() {
		c.Pick("spring-2026", "u-778899", "pt-BR")
	}
}
