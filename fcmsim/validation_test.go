package fcmsim_test

import (
	"net/http"
	"strings"
	"testing"

	"fanfare/fcmsim"
)

// inMessage puts members beside a token.
func inMessage(members string) string { return `{"message":{"token":"t",` + members + `}}` }

func TestValidMessages(t *testing.T) {
	r := newRig(t, fcmsim.Options{})
	tests := map[string]string{
		"fid":                   `{"message":{"fid":"cQ3k"}}`,
		"topic":                 `{"message":{"topic":"weather-1.0~a_b%20"}}`,
		"condition of five":     `{"message":{"condition":"'a' in topics || 'b' in topics || 'c' in topics || 'd' in topics || 'e' in topics"}}`,
		"condition":             `{"message":{"condition":"'a' in topics && ('b' in topics || !('c' in topics))"}}`,
		"camel case":            inMessage(`"android":{"collapseKey":"k","directBootOk":true,"fcmOptions":{"analyticsLabel":"l"}}`),
		"null is absent":        inMessage(`"android":null,"topic":null,"data":null`),
		"name is ignored":       inMessage(`"name":"projects/x/messages/1"`),
		"priority in any case":  inMessage(`"android":{"priority":"high"}`),
		"enum by number":        inMessage(`"android":{"priority":1}`),
		"boolean as text":       inMessage(`"android":{"direct_boot_ok":"true"}`),
		"integer as text":       inMessage(`"android":{"notification":{"notification_count":"3"}}`),
		"ttl of zero":           inMessage(`"android":{"ttl":"0s"}`),
		"ttl in nanoseconds":    inMessage(`"android":{"ttl":"3.000000005s"}`),
		"ttl with a fraction":   inMessage(`"android":{"ttl":"3.5s"}`),
		"longest ttl":           inMessage(`"android":{"ttl":"2419200s"}`),
		"longest label":         inMessage(`"fcm_options":{"analytics_label":"` + strings.Repeat("a", 50) + `"}`),
		"longest collapse id":   inMessage(`"apns":{"headers":{"apns-collapse-id":"` + strings.Repeat("c", 64) + `"}}`),
		"any apns payload":      inMessage(`"apns":{"payload":{"aps":{"badge":1,"x":[null,{"y":1.5e3}]},"mine":true}}`),
		"web push":              inMessage(`"webpush":{"headers":{"TTL":"60","Urgency":"high"},"notification":{"actions":[{"a":1}]},"fcm_options":{"link":"https://x.test/"}}`),
		"lights":                inMessage(`"android":{"notification":{"light_settings":{"color":{"red":1,"alpha":0.5},"light_on_duration":"1s","light_off_duration":"0.5s"},"vibrate_timings":["0s","1s"],"event_time":"2026-01-02T03:04:05Z","color":"#0a0B0c"}}`),
		"android v2":            inMessage(`"android_v2":{"remote_notification":{"notification":{"title":"t","id":7}}}`),
		"escapes":               inMessage(`"data":{"é\u00e9\n":"\ud83d\ude00 \"q\""}`),
		"white space":           " {\n\t\"message\" : { \"token\" : \"t\" } ,\r\n \"validateOnly\" : false } ",
		"4,096 bytes":           `{"message":{"token":"t","data":{"k":"` + strings.Repeat("v", 4096-len(`{"data":{"k":""}}`)) + `"}}}`,
		"4,096 bytes and a fid": `{"message":{"data":{"k":"` + strings.Repeat("v", 4096-len(`{"data":{"k":""}}`)) + `"},"fid":"` + strings.Repeat("f", 200) + `"}}`,
	}
	for name, body := range tests {
		if got := r.post(t, body); got.status != http.StatusOK {
			t.Errorf("%s: %d %s", name, got.status, got.body)
		}
	}
}

// Google's front end reports all that does not fit the schema at once, without an FcmError.
func TestMalformedMessages(t *testing.T) {
	r := newRig(t, fcmsim.Options{})
	tests := []struct {
		name, body, field, message string
	}{
		{"unknown name", inMessage(`"x":1`), "message",
			`Invalid JSON payload received. Unknown name "x" at 'message': Cannot find field.`},
		{"unknown name at the root", `{"message":{"token":"t"},"to":"x"}`, "",
			`Invalid JSON payload received. Unknown name "to": Cannot find field.`},
		{"unknown name deep down", inMessage(`"android":{"notification":{"vibrate":[1]}}`), "message.android.notification",
			`Invalid JSON payload received. Unknown name "vibrate" at 'message.android.notification': Cannot find field.`},
		{"two at once", inMessage(`"x":1,"android":{"y":2}`), "message",
			"Invalid JSON payload received. Unknown name \"x\" at 'message': Cannot find field.\n" +
				"Invalid JSON payload received. Unknown name \"y\" at 'message.android': Cannot find field."},
		{"number in data", inMessage(`"data":{"a":"1","b":12}`), "message.data[1].value",
			`Invalid value at 'message.data[1].value' (TYPE_STRING), 12`},
		{"boolean in data", inMessage(`"android":{"data":{"a":true}}`), "message.android.data[0].value",
			`Invalid value at 'message.android.data[0].value' (TYPE_STRING), true`},
		{"null in data", inMessage(`"data":{"a":null}`), "message.data[0].value",
			`Invalid value at 'message.data[0].value' (TYPE_STRING), null`},
		{"object in data", inMessage(`"data":{"a":"1","b":{"metadata":1}}`), "message.data[1].value",
			`Invalid JSON payload received. Unknown name "metadata" at 'message.data[1].value': Cannot find field.`},
		{"list in data", inMessage(`"data":{"a":["1"]}`), "message.data[0]",
			`Invalid JSON payload received. Unknown name "value" at 'message.data[0]': Proto field is not repeating, cannot start list.`},
		{"list as data", inMessage(`"data":[]`), "message",
			`Invalid JSON payload received. Unknown name "data" at 'message': Cannot bind a list to map for field 'data'.`},
		{"text as data", inMessage(`"data":"x"`), "message.data", `Invalid value at 'message.data' (Map), "x"`},
		{"number as title", inMessage(`"notification":{"title":5}`), "message.notification.title",
			`Invalid value at 'message.notification.title' (TYPE_STRING), 5`},
		{"object as title", inMessage(`"notification":{"title":{}}`), "message.notification.title",
			`Invalid value at 'message.notification.title' (TYPE_STRING), {}`},
		{"list as title", inMessage(`"notification":{"title":["x"]}`), "message.notification",
			`Invalid JSON payload received. Unknown name "title" at 'message.notification': Proto field is not repeating, cannot start list.`},
		{"text as notification", inMessage(`"notification":"x"`), "message.notification",
			`Invalid value at 'message.notification' (type.googleapis.com/google.firebase.fcm.v1.Notification), "x"`},
		{"text as message", `{"message":"x"}`, "message",
			`Invalid value at 'message' (type.googleapis.com/google.firebase.fcm.v1.Message), "x"`},
		{"text as payload", inMessage(`"apns":{"payload":"x"}`), "message.apns.payload",
			`Invalid value at 'message.apns.payload' (type.googleapis.com/google.protobuf.Struct), "x"`},
		{"priority", inMessage(`"android":{"priority":"urgent"}`), "message.android.priority",
			`Invalid value at 'message.android.priority' (type.googleapis.com/google.firebase.fcm.v1.AndroidMessagePriority), "urgent"`},
		{"visibility", inMessage(`"android":{"notification":{"visibility":4}}`), "message.android.notification.visibility",
			`Invalid value at 'message.android.notification.visibility' (type.googleapis.com/google.firebase.fcm.v1.AndroidNotification.Visibility), 4`},
		{"ttl without s", inMessage(`"android":{"ttl":"60"}`), "message.android.ttl",
			`Invalid value at 'message.android.ttl' (type.googleapis.com/google.protobuf.Duration), Field 'ttl', Illegal duration format; duration must end with 's'`},
		{"ttl below nanoseconds", inMessage(`"android":{"ttl":"3.0000000005s"}`), "message.android.ttl",
			`Invalid value at 'message.android.ttl' (type.googleapis.com/google.protobuf.Duration), Field 'ttl', Illegal duration format; duration must end with 's'`},
		{"ttl as number", inMessage(`"android":{"ttl":60}`), "message.android.ttl",
			`Invalid value at 'message.android.ttl' (type.googleapis.com/google.protobuf.Duration), Field 'ttl', Illegal duration format; duration must end with 's'`},
		{"timing in a list", inMessage(`"android":{"notification":{"vibrate_timings":["1s","x"]}}`), "message.android.notification.vibrate_timings[1]",
			`Invalid value at 'message.android.notification.vibrate_timings[1]' (type.googleapis.com/google.protobuf.Duration), Field 'vibrate_timings', Illegal duration format; duration must end with 's'`},
		{"event time", inMessage(`"android":{"notification":{"event_time":"noon"}}`), "message.android.notification.event_time",
			`Invalid value at 'message.android.notification.event_time' (type.googleapis.com/google.protobuf.Timestamp), "noon"`},
		{"boolean", inMessage(`"android":{"direct_boot_ok":"yes"}`), "message.android.direct_boot_ok",
			`Invalid value at 'message.android.direct_boot_ok' (TYPE_BOOL), "yes"`},
		{"count with a fraction", inMessage(`"android":{"notification":{"notification_count":1.5}}`), "message.android.notification.notification_count",
			`Invalid value at 'message.android.notification.notification_count' (TYPE_INT32), 1.5`},
		{"colour channel", inMessage(`"android":{"notification":{"light_settings":{"color":{"red":"x"},"light_on_duration":"1s","light_off_duration":"1s"}}}`),
			"message.android.notification.light_settings.color.red",
			`Invalid value at 'message.android.notification.light_settings.color.red' (TYPE_FLOAT), "x"`},
		{"validate_only", `{"message":{"token":"t"},"validate_only":1}`, "validate_only",
			`Invalid value at 'validate_only' (TYPE_BOOL), 1`},
		{"two targets", inMessage(`"topic":"news"`), "message",
			`Invalid value at 'message' (oneof), oneof field 'target' is already set. Cannot set 'topic'`},
		{"both Androids", inMessage(`"android":{},"android_v2":{}`), "message",
			`Invalid value at 'message' (oneof), oneof field 'android' is already set. Cannot set 'androidV2'`},
		{"no object", `[1]`, "", `Invalid JSON payload received. Unknown name "": Root element must be a message.`},
	}
	for _, tt := range tests {
		got := r.post(t, tt.body)
		bad, _ := got.err.detail(badRequestType)
		if got.status != http.StatusBadRequest || got.err.Status != "INVALID_ARGUMENT" || got.err.Message != tt.message {
			t.Errorf("%s: %d %s", tt.name, got.status, got.body)
			continue
		}
		if bad.FieldViolations[0].Field != tt.field || len(bad.FieldViolations) != 1+strings.Count(tt.message, "\n") {
			t.Errorf("%s: violations %+v, want field %q", tt.name, bad.FieldViolations, tt.field)
		}
		if len(got.err.Details) != 1 {
			t.Errorf("%s: details %+v, want the BadRequest alone", tt.name, got.err.Details)
		}
	}
	if c := r.Counts(); c.Accepted != 0 || c.Codes["INVALID_ARGUMENT"] != int64(len(tests)) {
		t.Errorf("counts %+v", c)
	}
}

// What FCM itself refuses has both a BadRequest and an FcmError.
func TestInvalidMessages(t *testing.T) {
	r := newRig(t, fcmsim.Options{})
	const size, token = "Message is too large. The maximum is 4K (4096 bytes).", "The registration token is not a valid FCM registration token"
	tests := []struct {
		name, body, field, message string
	}{
		{"no target", `{"message":{"notification":{"title":"t"}}}`, "message", "Recipient of the message is not set."},
		{"empty message", `{"message":{}}`, "message", "Recipient of the message is not set."},
		{"no message", `{}`, "message", "Recipient of the message is not set."},
		{"no body", ``, "message", "Recipient of the message is not set."},
		{"from", inMessage(`"data":{"from":"x"}`), "message.data", "Invalid data payload key: from"},
		{"message_type", inMessage(`"android":{"data":{"message_type":"x"}}`), "message.android.data", "Invalid data payload key: message_type"},
		{"google.", inMessage(`"webpush":{"data":{"google.x":"x"}}`), "message.webpush.data", "Invalid data payload key: google.x"},
		{"gcm.", inMessage(`"data":{"gcm.notification.x":"x"}`), "message.data", "Invalid data payload key: gcm.notification.x"},
		{"ttl over 28 days", inMessage(`"android":{"ttl":"2419201s"}`), "message.android.ttl", "TTL must be between 0 and 2419200 seconds."},
		{"negative ttl", inMessage(`"android_v2":{"ttl":"-1s"}`), "message.android_v2.ttl", "TTL must be between 0 and 2419200 seconds."},
		{"label", inMessage(`"fcm_options":{"analytics_label":"a b"}`), "message.fcm_options.analytics_label", "Invalid analytics label. It must match ^[a-zA-Z0-9-_.~%]{1,50}$."},
		{"long label", inMessage(`"apns":{"fcm_options":{"analytics_label":"` + strings.Repeat("a", 51) + `"}}`), "message.apns.fcm_options.analytics_label", "Invalid analytics label. It must match ^[a-zA-Z0-9-_.~%]{1,50}$."},
		{"collapse id", inMessage(`"apns":{"headers":{"apns-collapse-id":"` + strings.Repeat("c", 65) + `"}}`), "message.apns.headers.apns-collapse-id", "apns-collapse-id must not exceed 64 bytes."},
		{"apns priority", inMessage(`"apns":{"headers":{"apns-priority":"high"}}`), "message.apns.headers.apns-priority", "apns-priority must be 1, 5 or 10."},
		{"apns expiration", inMessage(`"apns":{"headers":{"apns-expiration":"soon"}}`), "message.apns.headers.apns-expiration", "apns-expiration must be a non-negative integer."},
		{"web push TTL", inMessage(`"webpush":{"headers":{"ttl":"60s"}}`), "message.webpush.headers.TTL", "TTL must be a non-negative integer."},
		{"long web push TTL", inMessage(`"webpush":{"headers":{"TTL":"2419201"}}`), "message.webpush.headers.TTL", "TTL must not exceed 2419200 seconds."},
		{"web push urgency", inMessage(`"webpush":{"headers":{"Urgency":"now"}}`), "message.webpush.headers.Urgency", "Urgency must be very-low, low, normal or high."},
		{"web push topic", inMessage(`"webpush":{"headers":{"Topic":"` + strings.Repeat("t", 33) + `"}}`), "message.webpush.headers.Topic", "Topic must be at most 32 characters of the URL-safe base64 alphabet."},
		{"web push link", inMessage(`"webpush":{"fcm_options":{"link":"http://x.test/"}}`), "message.webpush.fcm_options.link", "Invalid link. It must be an absolute HTTPS URL."},
		{"colour", inMessage(`"android":{"notification":{"color":"red"}}`), "message.android.notification.color", "Invalid color. It must be in the form #RRGGBB."},
		{"count", inMessage(`"android":{"notification":{"notification_count":-1}}`), "message.android.notification.notification_count", "Notification count must not be negative."},
		{"lights without a colour", inMessage(`"android":{"notification":{"light_settings":{"light_on_duration":"1s","light_off_duration":"1s"}}}`), "message.android.notification.light_settings.color", "color is required."},
		{"topic", `{"message":{"topic":"/topics/news"}}`, "message", "Topic name contains invalid characters."},
		{"empty topic", `{"message":{"topic":""}}`, "message", "Topic name contains invalid characters."},
		{"4,097 bytes", `{"message":{"token":"t","data":{"k":"` + strings.Repeat("v", 4097-len(`{"data":{"k":""}}`)) + `"}}}`, "", size},
		{"empty token", toToken(""), "message.token", token},
		{"token with a space", toToken("a b"), "message.token", token},
		{"fid with a line break", `{"message":{"fid":"a\n"}}`, "message.fid", token},
	}
	for _, tt := range tests {
		got := r.post(t, tt.body)
		bad, _ := got.err.detail(badRequestType)
		if got.status != http.StatusBadRequest || got.err.Status != "INVALID_ARGUMENT" || got.err.Message != tt.message {
			t.Errorf("%s: %d %s", tt.name, got.status, got.body)
			continue
		}
		if tt.field == "" != (len(bad.FieldViolations) == 0) || tt.field != "" && bad.FieldViolations[0].Field != tt.field {
			t.Errorf("%s: violations %+v, want field %q", tt.name, bad.FieldViolations, tt.field)
		}
		if d, _ := got.err.detail(fcmErrorType); d.ErrorCode != "INVALID_ARGUMENT" {
			t.Errorf("%s: no FcmError in %s", tt.name, got.body)
		}
	}
}

func TestRefusedConditionHasNoDetails(t *testing.T) {
	r := newRig(t, fcmsim.Options{})
	for _, condition := range []string{
		"", "news", "'a' in topics &&", "'a' in topic", "('a' in topics", "'a b' in topics", "'a' in topics 'b' in topics",
		"'a' in topics || 'b' in topics || 'c' in topics || 'd' in topics || 'e' in topics || 'f' in topics",
	} {
		got := r.post(t, `{"message":{"condition":"`+condition+`"}}`)
		if got.status != http.StatusBadRequest || got.err.Message != "Request contains an invalid argument." || got.err.Details != nil {
			t.Errorf("%q: %d %s", condition, got.status, got.body)
		}
	}
}

func TestBrokenJSONIsPointedAt(t *testing.T) {
	r := newRig(t, fcmsim.Options{})
	tests := map[string]string{
		`not json`:             "Unexpected token.\nnot json\n^",
		`{"message":`:          "Unexpected end of string. Expected a value.\n{\"message\":\n           ^",
		`{message:1}`:          "Expected an object key or }.\n{message:1}\n ^",
		`{"a"}`:                "Expected : between key:value pair.\n{\"a\"}\n    ^",
		`{"a":1 2}`:            "Expected , or } after key:value pair.\n{\"a\":1 2}\n       ^",
		`{"a":[1 2]}`:          "Expected , or ] after array value.\n{\"a\":[1 2]}\n        ^",
		`{"a":"x`:              "Unexpected end of string. Closing quote expected in string.\n{\"a\":\"x\n       ^",
		`{"a":"\x"}`:           "Invalid escape sequence.\n{\"a\":\"\\x\"}\n     ^",
		`{"a":01}`:             "Unexpected token.\n{\"a\":01}\n     ^",
		`{} {}`:                "Unexpected token.\n{} {}\n   ^",
		"{\"a\":\"\xff\"}":     "Encountered non UTF-8 code points.\n{\"a\":\"\uFFFD\"}\n     ^",
		`{"message":{"x":[],}`: "Expected an object key or }.\n{\"message\":{\"x\":[],}\n                   ^",
	}
	for body, want := range tests {
		got := r.post(t, body)
		if want = "Invalid JSON payload received. " + want; got.status != http.StatusBadRequest || got.err.Message != want {
			t.Errorf("%s: %d\n%s\nwant\n%s", body, got.status, got.err.Message, want)
			continue
		}
		bad, _ := got.err.detail(badRequestType)
		if len(bad.FieldViolations) != 1 || bad.FieldViolations[0].Description != want || bad.FieldViolations[0].Field != "" {
			t.Errorf("%s: violations %+v", body, bad.FieldViolations)
		}
	}
}

func TestNestingIsLimited(t *testing.T) {
	r := newRig(t, fcmsim.Options{})
	deep := inMessage(`"apns":{"payload":` + strings.Repeat(`{"a":`, 200) + "1" + strings.Repeat("}", 200) + "}")
	if got := r.post(t, deep); !strings.Contains(got.err.Message, "Message too deep.") {
		t.Errorf("%d %s", got.status, got.body)
	}
}

func TestHugeBodyIsRefused(t *testing.T) {
	r := newRig(t, fcmsim.Options{})
	if got := r.post(t, strings.Repeat(" ", 1<<20+1)); got.status != http.StatusRequestEntityTooLarge {
		t.Errorf("%d %s", got.status, got.body)
	}
}

func TestValidateOnlyAcceptsNothing(t *testing.T) {
	r := newRig(t, fcmsim.Options{})
	dry := func(token string) string {
		return `{"validate_only":true,"message":{"token":"` + token + `","notification":{"title":"t"}}}`
	}
	if got := name(t, r.post(t, dry("t"))); got != "projects/demo/messages/fake_message_id" {
		t.Errorf("name %s", got)
	}
	if got := r.post(t, dry("dead-1")); got.status != http.StatusNotFound {
		t.Errorf("a dead token passes: %d", got.status)
	}
	// A validation does not count as an attempt.
	for range 2 {
		if got := r.post(t, dry("internal1-x")); got.status != http.StatusInternalServerError {
			t.Errorf("a rehearsal counted as an attempt: %d", got.status)
		}
	}
	if c := r.Counts(); c.Accepted != 0 || c.Validated != 1 || c.Requests != 4 {
		t.Errorf("counts %+v", c)
	}
	if entries := r.EntriesOf("t"); len(entries) != 0 {
		t.Errorf("ledger %+v", entries)
	}
}
