package fcm

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"fanfare/internal/notification"
)

// camel spells every field of a schema's object as proto3 JSON does by default.
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

// A message in camel case goes to the wire exactly as in FCM's own names.
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
	if got, want := asJSON(t, parse(t, string(spelled))), asJSON(t, parse(t, string(plain))); got != want {
		t.Errorf("on the wire:\n%s\nwant:\n%s", got, want)
	}
	if got, want := string(Canonical(spelled)), string(Canonical(plain)); got != want {
		t.Errorf("canonical:\n%s\nwant:\n%s", got, want)
	}
}

// Names that are not the schema's keep their spelling: data keys, headers, Apple's and the browser's objects.
func TestNamesOfOthersKeepTheirSpelling(t *testing.T) {
	const text = `{"data":{"channelId":"1","channel_id":"2"},"apns":{"headers":{"apns-topic":"x"},"payload":{"fcmOptions":1,"aps":{"threadId":"t"}}},` +
		`"webpush":{"notification":{"requireInteraction":true,"click_action":"x"}}}`
	if got := asJSON(t, parse(t, text)); normal(t, got) != normal(t, text) {
		t.Errorf("got %s", got)
	}
}

func TestAWholeRequestIsTakenForItsMessage(t *testing.T) {
	want := asJSON(t, parse(t, hello))
	for _, text := range []string{
		`{"message":` + hello + `}`,
		"\xef\xbb\xbf {\"validate_only\": false, \"message\": " + hello + "}\n",
		`{"message":` + hello + `,"validateOnly":null}`,
	} {
		if got := asJSON(t, parse(t, text)); got != want {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
	}
}

// Every fault is listed, in the order of the text, under the name that was written.
func TestAllFaultsAreListed(t *testing.T) {
	for text, want := range map[string][]string{
		`{"data":{"n":1,"from":"x","m":null},"notification":{"titel":"x","title":2},"token":"t","android":{"ttl":"1h","fcmOptions":{"analyticsLabel":"a b"}}}`: {
			"message.data.n: must be a string, is 1",
			"message.data.from: is a key that FCM reserves for itself",
			"message.data.m: must be a string, is null",
			"message.notification.titel: is unknown to FCM",
			"message.notification.title: must be a string, is 2",
			"message.token: names a recipient; the audience says to whom the message goes",
			`message.android.ttl: must be a duration in seconds such as "3.5s", is "1h"`,
			`message.android.fcmOptions.analyticsLabel: "a b" does not match ^[a-zA-Z0-9-_.~%]{1,50}$`,
		},
		`{"android":{"notification":{"body_loc_args":["a"],"title_loc_args":["b"],"light_settings":{"color":{"red":2},"lightOnDuration":"x"}}}}`: {
			"message.android.notification.light_settings.color.red: must be a number from 0 to 1, is 2",
			`message.android.notification.light_settings.lightOnDuration: must be a duration in seconds such as "3.5s", is "x"`,
			"message.android.notification.light_settings.light_off_duration: is missing",
			"message.android.notification.body_loc_key: is missing, although body_loc_args needs it",
			"message.android.notification.title_loc_key: is missing, although title_loc_args needs it",
		},
		`{"android":{"collapse_key":"a","collapseKey":"b"}}`: {"message.android.collapseKey: stands there twice, also as collapse_key"},
		`{"validate_only":true,"message":{},"token":"t"}`: {
			`validate_only: stands beside "message": give the message alone`, `token: stands beside "message": give the message alone`,
		},
		`{"message":"[object Object]"}`: {`message: must be an object, is "[object Object]"`},
		`[object Object]`:               {`message: is not JSON but "[object Object]": encode the object, with JSON.stringify in JavaScript`},
		` `:                             {"message: is not JSON: it is empty"},
		`"{\"data\":{}}"`:               {"message: must be an object, is a string that holds JSON: it was encoded twice"},
	} {
		_, err := Parse(notification.Message(text))
		var got []string
		for _, fault := range notification.FaultsOf(err) {
			got = append(got, fault.Error())
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s:\n got %s\nwant %s", text, strings.Join(got, "\n     "), strings.Join(want, "\n     "))
		}
	}
	_, err := Parse(notification.Message(`{"data":{"n":1,"x":"` + strings.Repeat("x", maxMessage) + `"}}`))
	if faults := notification.FaultsOf(err); len(faults) != 2 || faults[1].Field != "message" {
		t.Errorf("a message with a number that is too large as well: %v", err)
	}
}

// The text of an error stays short, whatever is wrong.
func TestManyFaultsMakeAShortText(t *testing.T) {
	_, err := Parse(notification.Message(`{"data":{` + strings.Repeat(`"a":1,"b":2,`, 50) + `"c":3}}`))
	if faults := notification.FaultsOf(err); len(faults) < 50 || !strings.HasSuffix(err.Error(), "more") || strings.Count(err.Error(), "; ") != 10 {
		t.Errorf("%d faults make the text %v", len(faults), err)
	}
}
