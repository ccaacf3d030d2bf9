package content

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"fanfare/fcmsim"
)

// Every field of the campaign's message is sent, with its meaning unchanged.
func TestEveryFieldReachesTheWire(t *testing.T) {
	wire := asJSON(t, compileFor(t, everything))
	want := strings.NewReplacer(
		`"HIGH"`, `"high"`, `"3.5s"`, `"3.500000000s"`, `"0.05s"`, `"0.050000000s"`, `"0.25s"`, `"0.250000000s"`,
		`2026-01-31T10:00:00+02:00`, `2026-01-31T08:00:00.000000000Z`,
	).Replace(everything)
	if got, want := normal(t, wire), normal(t, want); got != want {
		t.Errorf("on the wire:\n%s\nwant:\n%s", got, want)
	}
}

// The message above uses every field of the schema.
func TestEverythingUsesTheWholeSchema(t *testing.T) {
	var check func(path string, s schema, used map[string]any)
	check = func(path string, s schema, used map[string]any) {
		for name, f := range s {
			if f.kind == target || f.kind == outputOnly || name == "alpha" || name == "android_v2" {
				continue
			}
			v, ok := used[name]
			if !ok {
				t.Errorf("%s.%s is not tried", path, name)
			}
			if f.members != nil && ok {
				check(path+"."+name, f.members, v.(map[string]any))
			}
		}
	}
	var used map[string]any
	if err := json.Unmarshal([]byte(everything), &used); err != nil {
		t.Fatal(err)
	}
	check("message", messageSchema, used)
}

// The simulator, which has its names from FCM's reference, takes every message that is compiled.
func TestTheSimulatorTakesWhatCompiles(t *testing.T) {
	sim, err := fcmsim.New(fcmsim.Options{})
	if err != nil {
		t.Fatal(err)
	}
	server, err := sim.Start(t.Context(), fcmsim.Listen{TLS: fcmsim.Off, Admin: fcmsim.Off})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	rapid.Check(t, func(t *rapid.T) {
		text, err := json.Marshal(anyObject(t, messageSchema))
		if err != nil {
			t.Fatal(err)
		}
		c, err := Compile(text)
		if err != nil {
			t.Skip("refused: ", err)
		}
		e := to("token")
		e.TTL = time.Duration(rapid.Int64Range(0, int64(maxTTL)).Draw(t, "ttl"))
		body := c.Shared().AppendRequest(nil, e, time.Now())
		answer, err := http.Post(server.URLs.HTTP+"/projects/demo/messages:send", "application/json", bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = answer.Body.Close() }()
		if said, _ := io.ReadAll(answer.Body); answer.StatusCode != http.StatusOK {
			t.Fatalf("%s\nis refused: %s", body, said)
		}
	})
}

func anyObject(t *rapid.T, s schema, needs ...string) map[string]any {
	out := map[string]any{}
	for _, name := range slices.Sorted(maps.Keys(s)) {
		f := s[name]
		sendable := f.kind != target && f.kind != outputOnly
		if _, rival := out[f.rival]; rival || !sendable {
			continue
		}
		if name == "android_v2" && out["android"] != nil || name == "remote_notification" && out["background_sync"] != nil {
			continue
		}
		if slices.Contains(needs, name) || rapid.Bool().Draw(t, "with "+name) {
			out[name] = anyValue(t, name, f)
		}
	}
	return out
}

func anyValue(t *rapid.T, name string, f field) any {
	pick := func(values ...any) any { return rapid.SampledFrom(values).Draw(t, name) }
	switch f.kind {
	case boolean:
		return pick(true, false, nil)
	case integer:
		return pick(0, 1, 7, nil)
	case fraction:
		return pick(0, 0.01, 0.5, 1)
	case duration:
		return pick("0s", "1s", "3.5s", "0.000000001s", "0.100s", "2419200s")
	case timestamp:
		return pick("2026-01-31T10:00:00Z", "2026-01-31T10:00:00.5+02:00", nil)
	case choice:
		return pick(f.values[0], f.values[len(f.values)-1], strings.ToLower(f.values[0]))
	case texts:
		return pick([]string{}, []string{"a", ""})
	case durations:
		return pick([]string{}, []string{"0.05s", "1s"})
	case stringMap:
		return pick(map[string]string{}, map[string]string{"k": "<v>"})
	case record:
		return anyObject(t, f.members, f.required...)
	case textOrObject:
		return pick("", "x", map[string]any{"title": 1}, nil)
	case scalar:
		return pick(0, 1, true, "x", nil)
	default:
		fits := slices.DeleteFunc([]any{"", "https://x/y", "#a0B1c2", "plain", "<é\u2028\U0001f600>"}, func(v any) bool {
			return f.check != nil && f.check(v.(string)) != ""
		})
		return pick(append(fits, nil)...)
	}
}

// camel spells the fields of a schema's object in lower camel case, as proto3 JSON does by default.
func camel(s schema, value any) any {
	object, is := value.(map[string]any)
	if !is || s == nil {
		return value
	}
	out := make(map[string]any)
	for name, member := range object {
		if f, known := s[name]; known {
			out[camelCase(name)] = camel(f.members, member)
			continue
		}
		out[name] = member
	}
	return out
}

// A message in camel case is sent exactly like one in FCM's own names.
func TestCamelCaseIsAsGoodAsSnakeCase(t *testing.T) {
	var message any
	if err := json.Unmarshal([]byte(everything), &message); err != nil {
		t.Fatal(err)
	}
	spelled, err := json.Marshal(camel(messageSchema, message))
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(spelled), `"fcm_options"`) || !strings.Contains(string(spelled), `"lightOnDuration"`) {
		t.Fatalf("the test's message is not in camel case: %s", spelled)
	}
	plain, err := json.Marshal(message)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := asJSON(t, compileFor(t, string(spelled))), asJSON(t, compileFor(t, string(plain))); got != want {
		t.Errorf("on the wire:\n%s\nwant:\n%s", got, want)
	}
	if got, want := string(Canonical(spelled)), string(Canonical(plain)); got != want {
		t.Errorf("canonical:\n%s\nwant:\n%s", got, want)
	}
}

// Names outside the schema keep their spelling: data keys, headers, Apple's and the browser's
// objects.
func TestNamesOfOthersKeepTheirSpelling(t *testing.T) {
	const text = `{"data":{"channelId":"1","channel_id":"2"},"apns":{"headers":{"apns-topic":"x"},"payload":{"fcmOptions":1,"aps":{"threadId":"t"}}},` +
		`"webpush":{"notification":{"requireInteraction":true,"click_action":"x"}}}`
	if got := asJSON(t, compileFor(t, text)); normal(t, got) != normal(t, text) {
		t.Errorf("got %s", got)
	}
}
