package content

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"fanfare/internal/notification"
)

func TestCompileRefusesFaults(t *testing.T) {
	long := strings.Repeat("x", 65)
	for text, want := range map[string]struct{ field, problem string }{
		``:             {"message", "is not JSON"},
		`{"a"`:         {"message", "is not JSON"},
		`{} {}`:        {"message", "is not JSON"},
		"{\"a\":\xff}": {"message", "is not valid UTF-8"},
		`[]`:           {"message", "must be an object, is a list"},
		`"hello"`:      {"message", `must be an object, is "hello"`},
		`null`:         {"message", "must be an object, is null"},

		`{"locales":{"pt":{}}}`:                   {"message.locales", `write it beside "message": {"message": {…}, "locales": …}`},
		`{"variants":[]}`:                         {"message.variants", `write it beside "message"`},
		`{"message":{"holdout":5}}`:               {"message.holdout", `write it beside "message"`},
		`{"notification":{"locales":{}}}`:         {"message.notification.locales", "is unknown to FCM"},
		`{"titel":"x"}`:                           {"message.titel", "is unknown to FCM"},
		`{"Data":{}}`:                             {"message.Data", "did you mean data?"},
		`{"notification":{"titel":"x"}}`:          {"message.notification.titel", "is unknown to FCM"},
		`{"android":{"Collapse-Key":"x"}}`:        {"message.android.Collapse-Key", "did you mean collapse_key?"},
		`{"android":{"CollapseKey":"x"}}`:         {"message.android.CollapseKey", "did you mean collapse_key?"},
		`{"notification":{"imageUrl":"x"}}`:       {"message.notification.imageUrl", "did you mean image?"},
		`{"notification":{"title":1}}`:            {"message.notification.title", "must be a string, is 1"},
		`{"notification":[]}`:                     {"message.notification", "must be an object, is a list"},
		`{"notification":{"title":"","title":1}}`: {"message.notification.title", "is given twice"},
		`{"notification":{"image":"cat.png"}}`:    {"message.notification.image", "not an absolute http or https URL"},

		`{"token":"t"}`:                  {"message.token", "names a recipient"},
		`{"topic":"news"}`:               {"message.topic", "names a recipient"},
		`{"condition":""}`:               {"message.condition", "names a recipient"},
		`{"fid":null}`:                   {"message.fid", "names a recipient"},
		`{"name":"x"}`:                   {"message.name", "is set by FCM; remove it"},
		`{"android":{},"android_v2":{}}`: {"message.android_v2", "is beside android"},
		`{"android_v2":{},"android":{}}`: {"message.android_v2", "is beside android"},
		`{"android_v2":{"remote_notification":{},"background_sync":{}}}`:            {"message.android_v2.background_sync", "is beside remote_notification"},
		`{"android_v2":{"priority":"high"}}`:                                        {"message.android_v2.priority", "is unknown to FCM"},
		`{"android_v2":{"remote_notification":{"notification":{"proxy":"ALLOW"}}}}`: {"message.android_v2.remote_notification.notification.proxy", "is unknown to FCM"},
		`{"android":{"notification":{"id":1}}}`:                                     {"message.android.notification.id", "is unknown to FCM"},

		`{"data":{"n":1}}`:                          {"message.data.n", "must be a string, is 1"},
		`{"data":{"n":null}}`:                       {"message.data.n", "must be a string, is null"},
		`{"data":{"n":{"a":1}}}`:                    {"message.data.n", "must be a string, is an object"},
		`{"data":{"n":"1","n":"2"}}`:                {"message.data.n", "is given twice"},
		`{"data":{"from":"x"}}`:                     {"message.data.from", "reserves"},
		`{"data":{"google.x":"x"}}`:                 {"message.data.google.x", "reserves"},
		`{"android":{"data":{"gcm.x":"x"}}}`:        {"message.android.data.gcm.x", "reserves"},
		`{"webpush":{"data":{"message_type":"x"}}}`: {"message.webpush.data.message_type", "reserves"},

		`{"android":{"ttl":"2419201s"}}`:                  {"message.android.ttl", "28 days"},
		`{"android":{"ttl":"2419200.1s"}}`:                {"message.android.ttl", "28 days"},
		`{"android":{"ttl":"-1s"}}`:                       {"message.android.ttl", "must be a duration in seconds"},
		`{"android":{"ttl":"1h"}}`:                        {"message.android.ttl", "must be a duration in seconds"},
		`{"android":{"ttl":3600}}`:                        {"message.android.ttl", "must be a duration in seconds"},
		`{"webpush":{"headers":{"TTL":"soon"}}}`:          {"message.webpush.headers.TTL", "not a number of seconds"},
		`{"webpush":{"headers":{"ttl":"2419201"}}}`:       {"message.webpush.headers.ttl", "28 days"},
		`{"webpush":{"headers":{"Urgency":"asap"}}}`:      {"message.webpush.headers.Urgency", "asap"},
		`{"webpush":{"fcm_options":{"link":"http://x"}}}`: {"message.webpush.fcm_options.link", "not an absolute https URL"},

		`{"fcm_options":{"analytics_label":"a b"}}`:                                   {"message.fcm_options.analytics_label", "does not match"},
		`{"android":{"fcm_options":{"analytics_label":"` + long + `"}}}`:              {"message.android.fcm_options.analytics_label", "does not match"},
		`{"apns":{"fcm_options":{"analytics_label":"é"}}}`:                            {"message.apns.fcm_options.analytics_label", "does not match"},
		`{"apns":{"headers":{"apns-collapse-id":"` + long + `"}}}`:                    {"message.apns.headers.apns-collapse-id", "is 65 bytes"},
		`{"apns":{"headers":{"APNS-Collapse-ID":"` + strings.Repeat("é", 33) + `"}}}`: {"message.apns.headers.APNS-Collapse-ID", "is 66 bytes"},
		`{"apns":{"headers":{"apns-priority":"high"}}}`:                               {"message.apns.headers.apns-priority", "not 1, 5 or 10"},
		`{"apns":{"headers":{"apns-expiration":"-1"}}}`:                               {"message.apns.headers.apns-expiration", "not a time"},
		`{"apns":{"headers":{"apns-priority":5}}}`:                                    {"message.apns.headers.apns-priority", "must be a string"},
		`{"apns":{"payload":[]}}`:                                                     {"message.apns.payload", "must be an object"},
		`{"apns":{"payload":{"aps":"x"}}}`:                                            {"message.apns.payload.aps", "must be an object"},
		`{"apns":{"payload":{"aps":{"badge":"1"}}}}`:                                  {"message.apns.payload.aps.badge", "must be a whole number"},
		`{"apns":{"payload":{"aps":{"alert":7}}}}`:                                    {"message.apns.payload.aps.alert", "must be a string or an object"},

		`{"android":{"priority":"urgent"}}`:                                       {"message.android.priority", "one of normal, high"},
		`{"android":{"direct_boot_ok":"true"}}`:                                   {"message.android.direct_boot_ok", "must be true or false"},
		`{"android":{"notification":{"color":"red"}}}`:                            {"message.android.notification.color", "#RRGGBB"},
		`{"android":{"notification":{"notification_count":1.5}}}`:                 {"message.android.notification.notification_count", "whole number"},
		`{"android":{"notification":{"notification_count":-1}}}`:                  {"message.android.notification.notification_count", "below zero"},
		`{"android":{"notification":{"event_time":"tomorrow"}}}`:                  {"message.android.notification.event_time", "must be a time"},
		`{"android":{"notification":{"body_loc_args":["a"]}}}`:                    {"message.android.notification.body_loc_key", "body_loc_args needs it"},
		`{"android":{"notification":{"title_loc_key":"k","title_loc_args":[1]}}}`: {"message.android.notification.title_loc_args[0]", "must be a string"},
		`{"android":{"notification":{"vibrate_timings":["1s","x"]}}}`:             {"message.android.notification.vibrate_timings[1]", "duration"},
		`{"android":{"notification":{"light_settings":{"color":{}}}}}`:            {"message.android.notification.light_settings.light_on_duration", "is missing"},
		`{"android":{"notification":{"light_settings":{"color":{"red":2}}}}}`:     {"message.android.notification.light_settings.color.red", "from 0 to 1"},
		`{"android":{"notification":{"visibility":"HIDDEN"}}}`:                    {"message.android.notification.visibility", "one of PRIVATE"},
	} {
		_, err := Compile(notification.Message(text))
		wrong, ok := errors.AsType[*notification.Fault](err)
		if !ok {
			t.Errorf("%s: got %v, want a *notification.Fault", text, err)
			continue
		}
		if wrong.Field != want.field || !strings.Contains(wrong.Problem, want.problem) {
			t.Errorf("%s:\n got %s\nwant %s: … %s …", text, wrong, want.field, want.problem)
		}
	}
}

func TestSizeLimit(t *testing.T) {
	sized := func(n int) notification.Message {
		const frame = `{"data":{"k":""}}`
		return notification.Message(fmt.Sprintf(" {\n\"data\": {\"k\": %q}} ", strings.Repeat("x", n-len(frame))))
	}
	if _, err := Compile(sized(maxMessage)); err != nil {
		t.Errorf("white space counts: %v", err)
	}
	_, err := Compile(sized(maxMessage + 1))
	if tooLarge, ok := errors.AsType[*notification.Fault](err); !ok || tooLarge.Field != "message" || !strings.Contains(tooLarge.Problem, "4097") {
		t.Errorf("got %v", err)
	}
	filled := compileFor(t, `{"data":{"k":"{{x}}","l":"{{x}}"}}`)
	const frame = `{"data":{"k":"","l":""}}`
	for _, n := range []int{(maxMessage - len(frame)) / 2, (maxMessage-len(frame))/2 + 1} {
		_, err := filled.Fill(map[string]json.RawMessage{"x": []byte(`"` + strings.Repeat("x", n) + `"`)}, nil)
		if tooLarge, is := errors.AsType[*TooLargeError](err); is != (2*n+len(frame) > maxMessage) || is && tooLarge.Size != 2*n+len(frame) {
			t.Errorf("%d bytes of values: %v", n, err)
		}
	}
}

// The reader handles foreign text. It refuses it with a fault, or it accepts it and can encode the
// result.
func FuzzCompile(f *testing.F) {
	for _, text := range []string{everything, hello, `{"data":{"a":"\\"}}`, `{"apns":{"payload":{"a":[1, {"b":"]}"}]}}}`, "{\n}", `{"a":1e9`} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		c, err := Compile(text)
		if _, named := errors.AsType[*notification.Fault](err); err != nil && !named {
			t.Fatalf("%q: %v", text, err)
		}
		if err == nil && !c.IsPersonal() && !json.Valid(c.Shared().AppendRequest(nil, to("token"), time.Now())) {
			t.Fatalf("%q: no JSON", text)
		}
	})
}

// Null and the UNSPECIFIED values of FCM count as absent.
func TestNullAndUnspecifiedAreAbsent(t *testing.T) {
	const text = `{"data":null,"android":{"ttl":null,"notification":{"visibility":"VISIBILITY_UNSPECIFIED","proxy":"proxy_unspecified",
		"notification_priority":"PRIORITY_UNSPECIFIED"}},"webpush":{"fcm_options":{},"notification":{}}}`
	const want = `{"android":{"notification":{}},"webpush":{"fcm_options":{},"notification":{}}}`
	if got := asJSON(t, compileFor(t, text)); normal(t, got) != normal(t, want) {
		t.Errorf("got %s", got)
	}
}

// everything uses each field but android_v2, in the spelling of FCM's reference.
const everything = `{
  "data": {"k": "v"},
  "notification": {"title": "T", "body": "B <&>", "image": "https://x/i.png"},
  "fcm_options": {"analytics_label": "all-of_it.~%"},
  "android": {
    "collapse_key": "ck", "priority": "HIGH", "ttl": "3.5s", "restricted_package_name": "com.x", "data": {"a": "b"},
    "fcm_options": {"analytics_label": "droid"}, "direct_boot_ok": true,
    "bandwidth_constrained_ok": true, "restricted_satellite_ok": false,
    "notification": {
      "title": "t", "body": "b", "icon": "i", "color": "#aabbcc", "sound": "s", "tag": "mine", "click_action": "ca",
      "body_loc_key": "blk", "body_loc_args": ["1"], "title_loc_key": "tlk", "title_loc_args": ["2"], "channel_id": "ch",
      "ticker": "tk", "sticky": true, "event_time": "2026-01-31T10:00:00+02:00", "local_only": true,
      "notification_priority": "PRIORITY_MAX", "default_sound": true, "default_vibrate_timings": true,
      "default_light_settings": true, "vibrate_timings": ["0.05s", "1s"], "visibility": "SECRET", "notification_count": 3,
      "light_settings": {"color": {"red": 0, "green": 0.2, "blue": 1}, "light_on_duration": "0.25s", "light_off_duration": "2s"},
      "image": "https://x/a.png", "proxy": "IF_PRIORITY_LOWERED",
      "bypass_proxy_notification": true
    }
  },
  "apns": {
    "headers": {"apns-collapse-id": "cid", "apns-priority": "10"}, "live_activity_token": "lat",
    "fcm_options": {"analytics_label": "apple", "image": "https://x/p.png"},
    "payload": {"custom": {"big": 12345678901234567890, "zero": 0}, "aps": {
      "alert": {"title": "A", "title-loc-args": []}, "badge": 0, "sound": {"critical": 1, "name": "n", "volume": 0.5},
      "content-available": true, "mutable-content": 0, "relevance-score": 0.75, "timestamp": 1, "stale-date": 2, "dismissal-date": 3, "interruption-level": "time-sensitive", "thread-id": "th", "category": "c"}}
  },
  "webpush": {
    "headers": {"TTL": "60", "Urgency": "high"}, "data": {"w": "x"}, "fcm_options": {"link": "https://x/l", "analytics_label": "web"},
    "notification": {"title": "", "silent": false, "renotify": true, "requireInteraction": false, "vibrate": 200, "timestamp": 1769853600000, "data": {"deep": [1]}}
  }
}`

// normal sorts members and keeps every digit.
func normal(t *testing.T, text string) string {
	t.Helper()
	dec := json.NewDecoder(strings.NewReader(text))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		t.Fatal(err)
	}
	out, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func TestAWholeRequestIsTakenForItsMessage(t *testing.T) {
	want := asJSON(t, compileFor(t, hello))
	for _, text := range []string{
		`{"message":` + hello + `}`,
		"\xef\xbb\xbf {\"validate_only\": false, \"message\": " + hello + "}\n",
		`{"message":` + hello + `,"validateOnly":null}`,
	} {
		if got := asJSON(t, compileFor(t, text)); got != want {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
	}
}

// All faults are listed, in the order of the text, with the names as written.
func TestAllFaultsAreListed(t *testing.T) {
	for text, want := range map[string][]string{
		`{"data":{"n":1,"from":"x","m":null},"notification":{"titel":"x","title":2},"token":"t","android":{"ttl":"1h","fcmOptions":{"analyticsLabel":"a b"}}}`: {
			"message.data.n: must be a string, is 1",
			"message.data.from: is a key that FCM reserves for itself",
			"message.data.m: must be a string, is null",
			"message.notification.titel: is unknown to FCM",
			"message.notification.title: must be a string, is 2",
			"message.token: names a recipient; remove it: recipients come from the campaign's list",
			`message.android.ttl: must be a duration in seconds such as "3.5s", is "1h"`,
			`message.android.fcmOptions.analyticsLabel: "a b" does not match ^[a-zA-Z0-9-_.~%]{1,50}$`,
		},
		`{"android":{"notification":{"body_loc_args":["a"],"title_loc_args":["b"],"light_settings":{"color":{"red":2},"lightOnDuration":"x"}}}}`: {
			"message.android.notification.light_settings.color.red: must be a number from 0 to 1, is 2",
			`message.android.notification.light_settings.lightOnDuration: must be a duration in seconds such as "3.5s", is "x"`,
			"message.android.notification.light_settings.light_off_duration: is missing",
			"message.android.notification.body_loc_key: is missing, but body_loc_args needs it",
			"message.android.notification.title_loc_key: is missing, but title_loc_args needs it",
		},
		`{"android":{"collapse_key":"a","collapseKey":"b"}}`: {"message.android.collapseKey: is given twice, also as collapse_key"},
		`{"validate_only":true,"message":{},"token":"t"}`: {
			`validate_only: is beside "message": give the message alone`, `token: is beside "message": give the message alone`,
		},
		`{"message":"[object Object]"}`: {`message: must be an object, is "[object Object]"`},
		`[object Object]`:               {`message: is not JSON but "[object Object]": encode the object, with JSON.stringify in JavaScript`},
		` `:                             {"message: is not JSON: it is empty"},
		`"{\"data\":{}}"`:               {"message: must be an object, is a string that holds JSON: it was encoded twice"},
	} {
		_, err := Compile(notification.Message(text))
		var got []string
		for _, fault := range notification.FaultsOf(err) {
			got = append(got, fault.Error())
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s:\n got %s\nwant %s", text, strings.Join(got, "\n     "), strings.Join(want, "\n     "))
		}
	}
	_, err := Compile(notification.Message(`{"data":{"n":1,"x":"` + strings.Repeat("x", maxMessage) + `"}}`))
	if faults := notification.FaultsOf(err); len(faults) != 2 || faults[1].Field != "message" {
		t.Errorf("a message with a number that is too large as well: %v", err)
	}
}

// The error text stays short even with many faults.
func TestManyFaultsMakeAShortText(t *testing.T) {
	_, err := Compile(notification.Message(`{"data":{` + strings.Repeat(`"a":1,"b":2,`, 50) + `"c":3}}`))
	if faults := notification.FaultsOf(err); len(faults) < 50 || !strings.HasSuffix(err.Error(), "more") || strings.Count(err.Error(), "; ") != 10 {
		t.Errorf("%d faults make the text %v", len(faults), err)
	}
}

// The size is that of the JSON that is sent, without the target.
func TestSizeIsThatOnTheWire(t *testing.T) {
	for _, text := range []string{
		`{}`, hello, `{"data":{"k":"` + strings.Repeat("x", 3000) + `"}}`, `{"apns":{"payload":{"aps":{"alert":"Grüße <&>"}}}}`,
	} {
		m := compileFor(t, text).Shared()
		if got := m.Size(); got != len(m.Text()) || string(m.Text()) != text {
			t.Errorf("%.40s: size %d of %s", text, got, m.Text())
		}
	}
}

const hello = `{"notification":{"title":"Hello","body":"World"},"data":{"k":"v"}}`

func compileFor(t testing.TB, text string) *Content {
	t.Helper()
	c, err := Compile(notification.Message(text))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func asJSON(t testing.TB, c *Content) string {
	t.Helper()
	return string(c.Shared().Text())
}

func to(token string) Envelope {
	return Envelope{Target: notification.ParseToken(token), Campaign: "42", User: "u1"}
}
