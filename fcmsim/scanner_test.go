package fcmsim

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

// jsonish draws texts that are JSON or almost.
func jsonish() *rapid.Generator[string] {
	var value *rapid.Generator[string]
	leaf := rapid.SampledFrom([]string{
		"1", "-0", "01", "1.5e-3", "1.", "+1", "true", "nul", "null", `"a"`, `"\u00e9\n"`, `"\u12"`, `"\x"`, `"`, "\"\x01\"", "\"\xff\"", "", "é",
	})
	value = rapid.Custom(func(t *rapid.T) string {
		space := rapid.SampledFrom([]string{"", " ", "\n\t"})
		children := rapid.SliceOfN(rapid.OneOf(leaf, rapid.Deferred(func() *rapid.Generator[string] { return value })), 0, 3)
		switch rapid.IntRange(0, 3).Draw(t, "kind") {
		case 0:
			return space.Draw(t, "space") + leaf.Draw(t, "leaf") + space.Draw(t, "space")
		case 1:
			return "[" + strings.Join(children.Draw(t, "elements"), ",") + space.Draw(t, "space") + "]"
		case 2:
			members := children.Draw(t, "members")
			for i := range members {
				members[i] = rapid.SampledFrom([]string{`"k":`, `"k" :`, `k:`, `"k"`}).Draw(t, "key") + members[i]
			}
			return "{" + space.Draw(t, "space") + strings.Join(members, ",") + "}"
		default:
			return rapid.SampledFrom([]string{"[1,]", "{,}", "[1 2]", "{}}", "[", "{", `{"a":1`}).Draw(t, "broken")
		}
	})
	return value
}

// The scanner accepts exactly what encoding/json accepts, except text that is not UTF-8.
func TestScannerKnowsJSON(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := []byte(jsonish().Draw(t, "text"))
		s := scanner{data: text}
		err := s.skip(0)
		taken := err == nil && s.peek() == 0 && s.pos == len(text)
		if want := json.Valid(text) && utf8.Valid(text); taken != want {
			t.Fatalf("%q: taken %v, want %v (%v)", text, taken, want, err)
		}
	})
}

// The parser answers any input, and its answer is JSON.
func TestParserSurvivesAnything(t *testing.T) {
	keys := rapid.SampledFrom([]string{"message", "token", "topic", "data", "android", "notification", "ttl", "headers", "apns", "x", "TTL"})
	rapid.Check(t, func(t *rapid.T) {
		var body strings.Builder
		depth := rapid.IntRange(0, 4).Draw(t, "depth")
		for range depth {
			body.WriteString(`{"` + keys.Draw(t, "key") + `":`)
		}
		body.WriteString(jsonish().Draw(t, "value"))
		body.WriteString(strings.Repeat("}", depth))

		p := new(parser)
		refused := p.parse([]byte(body.String()))
		if refused != nil && !json.Valid(refused.body()) {
			t.Fatalf("%q: the answer is no JSON: %s", body.String(), refused.body())
		}
		if refused == nil && !json.Valid([]byte(body.String())) {
			t.Fatalf("%q is taken", body.String())
		}
	})
}

func parsed(t *testing.T, body string) *parser {
	t.Helper()
	p := new(parser)
	if refused := p.parse([]byte(body)); refused != nil {
		t.Fatalf("%s: %s", body, refused.Message)
	}
	return p
}

func TestIdentityOfAMessage(t *testing.T) {
	const base = `{"message":{"token":"a","notification":{"title":"x"},"android":{"ttl":"60s"},"apns":{"headers":{"apns-expiration":"1","apns-priority":"5"}},"webpush":{"headers":{"TTL":"9"}}}}`
	hash := parsed(t, base).contentHash()
	same := map[string]string{
		"another target":          strings.Replace(base, `"a"`, `"another"`, 1),
		"another ttl":             strings.Replace(base, `60s`, `5s`, 1),
		"another APNs expiration": strings.Replace(base, `"apns-expiration":"1"`, `"apns-expiration":"77"`, 1),
		"another web push TTL":    strings.Replace(base, `"TTL":"9"`, `"TTL":"10"`, 1),
	}
	for what, body := range same {
		if parsed(t, body).contentHash() != hash {
			t.Errorf("%s makes another message", what)
		}
	}
	different := map[string]string{
		"another title":    strings.Replace(base, `"x"`, `"y"`, 1),
		"another priority": strings.Replace(base, `"apns-priority":"5"`, `"apns-priority":"10"`, 1),
		"more":             strings.Replace(base, `"title":"x"`, `"title":"x","body":"b"`, 1),
	}
	for what, body := range different {
		if parsed(t, body).contentHash() == hash {
			t.Errorf("%s makes no other message", what)
		}
	}
}
