package content

import (
	"cmp"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"fanfare/internal/notification"
)

func TestTagAndCollapseID(t *testing.T) {
	const both = "42:u1"
	for name, c := range map[string]struct{ message, tag, collapse string }{
		"a notification":                {`{"notification":{"title":"x"}}`, both, both},
		"on Android alone":              {`{"android":{"notification":{"title":"x"}}}`, both, ""},
		"on iOS alone":                  {`{"apns":{"payload":{"aps":{"alert":"x"}}}}`, "", both},
		"data alone":                    {`{"data":{"k":"v"},"android":{"priority":"high"}}`, "", ""},
		"data in the background":        {`{"apns":{"payload":{"aps":{"content-available":1}}}}`, "", ""},
		"a tag of its own":              {`{"notification":{},"android":{"notification":{"tag":"mine"}}}`, "mine", both},
		"a collapse id of its own":      {`{"notification":{},"apns":{"headers":{"Apns-Collapse-Id":"mine"}}}`, both, "mine"},
		"a push type that shows":        {`{"apns":{"headers":{"apns-push-type":"alert"}}}`, "", both},
		"a push type that does not":     {`{"notification":{},"apns":{"headers":{"apns-push-type":"background"}}}`, both, ""},
		"a live activity":               {`{"notification":{},"apns":{"live_activity_token":"x"}}`, both, ""},
		"headers of other kinds":        {`{"notification":{},"apns":{"headers":{"apns-priority":"5"}}}`, both, both},
		"a live activity's empty token": {`{"notification":{},"apns":{"live_activity_token":""}}`, both, both},
		"an empty tag":                  {`{"android":{"notification":{"tag":""}}}`, both, ""},
		"a null alert":                  {`{"apns":{"payload":{"aps":{"alert":null}}}}`, "", ""},
		"a new notification":            {`{"android_v2":{"remote_notification":{"notification":{"id":1}}}}`, both, ""},
		"a new notification for all":    {`{"notification":{},"android_v2":{"remote_notification":{}}}`, both, both},
		"a new notification's tag":      {`{"android_v2":{"remote_notification":{"notification":{"tag":"mine"}}}}`, "mine", ""},
		"a new synchronisation":         {`{"notification":{},"android_v2":{"background_sync":{}}}`, "", both},
		"no room left for either mark":  {`{"notification":{"body":"` + strings.Repeat("x", 4000) + `"}}`, "", ""},
	} {
		m := copyOf(t, compileFor(t, c.message), to("token"), time.Time{})
		tag, collapse := cmp.Or(m.Android.Notification.Tag, m.AndroidV2.Remote.Notification.Tag), m.APNS.header(headerCollapseID)
		if tag != c.tag || collapse != c.collapse {
			t.Errorf("%s: tag %q, collapse id %q; want %q, %q", name, tag, collapse, c.tag, c.collapse)
		}
	}
}

// A full message stays within the limit with tag and collapse id, whatever the names of campaign
// and user.
func TestTagAndCollapseIDStayWithinTheLimit(t *testing.T) {
	for n := 3500; n < maxMessage; n++ {
		c, err := Compile(notification.Message(`{"notification":{"body":"` + strings.Repeat("x", n) + `"}}`))
		if err != nil {
			return // the message itself is too large
		}
		body := c.Shared().AppendRequest(nil, Envelope{Campaign: strings.Repeat("c", 200), User: "u"}, time.Time{})
		if size := len(body) - len(`{"message":`) - len(`}`); size > maxMessage {
			t.Fatalf("body of %d: %d bytes on the wire", n, size)
		}
	}
	t.Error("no message was too large")
}

// An element's tag stands in its user's place.
func TestTagOfAnElement(t *testing.T) {
	c := compileFor(t, hello)
	e := to("token")
	e.Tag = "order-7"
	m := copyOf(t, c, e, time.Time{})
	if m.Android.Notification.Tag != "42:order-7" || m.APNS.header(headerCollapseID) != "42:order-7" {
		t.Errorf("got %+v", m)
	}
}

func TestDedupID(t *testing.T) {
	seen := map[string]string{}
	for _, pair := range [][2]string{
		{"42", "u1"}, {"42:u1", ""}, {"42", "u1:"}, {"42:", "u1"}, {"42:u", "1"}, {"4", "2:u1"}, {`4"`, "u"}, {"4", `"u`},
		{"é", "u"}, {"42", "ü"}, {"42", strings.Repeat("u", 61)}, {"42", strings.Repeat("u", 62)}, {"", ""},
	} {
		id := string(appendMark(nil, pair[0], pair[1]))
		if len(id) > maxCollapseID || strings.ContainsFunc(id, func(r rune) bool { return r <= ' ' || r > '~' }) {
			t.Errorf("%q: %q does not fit a header", pair, id)
		}
		if other, taken := seen[id]; taken {
			t.Errorf("%q and %s are both %q", pair, other, id)
		}
		seen[id] = pair[0] + "|" + pair[1]
		if string(appendMark(nil, pair[0], pair[1])) != id {
			t.Errorf("%q: not the same twice", pair)
		}
	}
	if got := string(appendMark(nil, "42", "u1")); got != "42:u1" {
		t.Errorf("short and plain: %q", got)
	}
	for users, plain := range map[int]bool{61: true, 62: false} { // of 64 bytes, and one more
		if got := string(appendMark(nil, "42", strings.Repeat("u", users))); strings.HasPrefix(got, "42:u") != plain {
			t.Errorf("a user of %d bytes: %q, want it readable: %t", users, got, plain)
		}
	}
}

func TestTTL(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	brief := compileFor(t, `{"data":{"k":"v"},"android":{"ttl":"5s"},"apns":{"headers":{"Apns-Expiration":"9"}},"webpush":{"headers":{"ttl":"7"}}}`)
	long := compileFor(t, `{"android":{"ttl":"7200s"},"apns":{"headers":{"Apns-Expiration":"1900000000"}},"webpush":{"headers":{"ttl":"7200"}}}`)
	for _, c := range []struct {
		name                string
		message             *Content
		bound               time.Duration
		android             time.Duration
		expirationKey, apns string
		ttlKey, web         string
	}{
		{"no bound", brief, 0, 5 * time.Second, "Apns-Expiration", "9", "ttl", "7"},
		{"the message's own is shorter", brief, time.Hour, 5 * time.Second, "Apns-Expiration", "9", "ttl", "7"},
		{"the bound is shorter", long, time.Hour, time.Hour, "Apns-Expiration", "1700003600", "ttl", "3600"},
		{"no TTL of its own", compileFor(t, `{}`), time.Minute, time.Minute, headerExpiration, "1700000060", headerWebTTL, "60"},
		{"bound above FCM's limit", compileFor(t, `{}`), 40 * 24 * time.Hour, maxTTL, headerExpiration, "1702419200", headerWebTTL, "2419200"},
	} {
		e := to("token")
		e.TTL = c.bound
		out := copyOf(t, c.message, e, now)
		if ttl, err := time.ParseDuration(out.Android.TTL); err != nil || ttl != c.android || out.APNS.Headers[c.expirationKey] != c.apns || out.Webpush.Headers[c.ttlKey] != c.web {
			t.Errorf("%s: %v, %v, %v", c.name, out.Android.TTL, out.APNS.Headers, out.Webpush.Headers)
		}
		if len(out.APNS.Headers) != 1 || len(out.Webpush.Headers) != 1 {
			t.Errorf("%s: a header stands in two spellings: %v, %v", c.name, out.APNS.Headers, out.Webpush.Headers)
		}
	}
}

// With a placeholder in a tag or a TTL, its value decides as if it were written there.
func TestPlaceholdersThatDecideAboutMarksAndTTLs(t *testing.T) {
	c := compileFor(t, `{"notification":{},"android":{"ttl":"{{ttl}}","notification":{"tag":"{{tag|}}"}},"apns":{"headers":{"apns-expiration":"{{at}}"}}}`)
	for vars, want := range map[string][3]string{
		`{"ttl":"5s","tag":"mine {{x}}","at":9}`: {"5s", "mine {{x}}", "9"},
		`{"ttl":"3600s","at":"9999999999"}`:      {"60s", "42:u1", "1700000060"},
	} {
		var values map[string]json.RawMessage
		if err := json.Unmarshal([]byte(vars), &values); err != nil {
			t.Fatal(err)
		}
		m, err := c.Fill(values, nil)
		if err != nil {
			t.Fatal(err)
		}
		e := to("token")
		e.TTL = time.Minute
		out := readCopy(t, m.AppendRequest(nil, e, time.Unix(1_700_000_000, 0)))
		if got := [3]string{out.Android.TTL, out.Android.Notification.Tag, out.APNS.Headers[headerExpiration]}; got != want {
			t.Errorf("%s: got %q, want %q", vars, got, want)
		}
	}
}

// Each field that decides about marks and TTLs does so as a literal would, and so does its absence.
// A text of a value that looks like a placeholder stays a text.
func TestFilledFieldsDecideAsLiterals(t *testing.T) {
	const notes = `"notification":{},"data":{"k":"{{x}}"},"apns":{"payload":{"k":["{{x}}"]}`
	for message, values := range map[string][]string{
		`{"android":{"ttl":"%"},` + notes + `}}`:                                                    {"5s", "7200s"},
		`{"android_v2":{"ttl":"%","remote_notification":{"notification":{"id":1}}},` + notes + `}}`: {"5s", "7200s"},
		`{"android":{"notification":{"tag":"%"}},` + notes + `}}`:                                   {"mine", ""},
		`{"android_v2":{"remote_notification":{"notification":{"id":1,"tag":"%"}}},` + notes + `}}`: {"mine", ""},
		`{` + notes + `,"live_activity_token":"%"}}`:                                                {"mine", ""},
		`{` + notes + `,"headers":{"apns-collapse-id":"%"}}}`:                                       {"mine", ""},
		`{` + notes + `,"headers":{"APNS-Expiration":"%"}}}`:                                        {"9", "9999999999"},
		`{` + notes + `,"headers":{"apns-push-type":"%"}}}`:                                         {"alert", "background"},
		`{"webpush":{"headers":{"ttl":"%"}},` + notes + `}}`:                                        {"7", "7200"},
	} {
		for _, value := range values {
			request := func(field string) string {
				m, err := compileFor(t, strings.ReplaceAll(message, "%", field)).Fill(map[string]json.RawMessage{
					"x": json.RawMessage(`"{{no}}"`), "v": json.RawMessage(`"` + value + `"`),
				}, nil)
				if err != nil {
					t.Fatalf("%s with %q: %v", message, field, err)
				}
				e := to("token")
				e.TTL = time.Minute
				return string(m.AppendRequest(nil, e, time.Unix(1_700_000_000, 0)))
			}
			if got, want := request("{{v}}"), request(value); got != want || !strings.Contains(got, `["{{no}}"]`) {
				t.Errorf("%s with %q:\n%s\nwant\n%s", message, value, got, want)
			}
		}
	}
}

// sentCopy is what the tests look at in a request.
type sentCopy struct {
	Token, FID string
	Android    struct {
		TTL          string
		Notification struct{ Tag string }
	}
	AndroidV2 struct {
		TTL    string
		Remote struct {
			Notification struct{ Tag string }
		} `json:"remote_notification"`
	} `json:"android_v2"`
	APNS, Webpush sentHeaders
}

type sentHeaders struct{ Headers map[string]string }

// header looks one up in any case.
func (h sentHeaders) header(name string) string {
	for key, value := range h.Headers {
		if strings.EqualFold(key, name) {
			return value
		}
	}
	return ""
}

func copyOf(t testing.TB, c *Content, e Envelope, now time.Time) sentCopy {
	t.Helper()
	return readCopy(t, c.Shared().AppendRequest(nil, e, now))
}

func readCopy(t testing.TB, body []byte) sentCopy {
	t.Helper()
	var request struct{ Message sentCopy }
	if err := json.Unmarshal(body, &request); err != nil {
		t.Fatalf("%v: %s", err, body)
	}
	return request.Message
}
