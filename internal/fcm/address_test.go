package fcm

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"fanfare/internal/notification"
)

func TestMarks(t *testing.T) {
	const both = "42:u1"
	for name, c := range map[string]struct{ message, tag, collapse string }{
		"a notification":               {`{"notification":{"title":"x"}}`, both, both},
		"on Android alone":             {`{"android":{"notification":{"title":"x"}}}`, both, ""},
		"on iOS alone":                 {`{"apns":{"payload":{"aps":{"alert":"x"}}}}`, "", both},
		"data alone":                   {`{"data":{"k":"v"},"android":{"priority":"high"}}`, "", ""},
		"data in the background":       {`{"apns":{"payload":{"aps":{"content-available":1}}}}`, "", ""},
		"a tag of its own":             {`{"notification":{},"android":{"notification":{"tag":"mine"}}}`, "mine", both},
		"a collapse id of its own":     {`{"notification":{},"apns":{"headers":{"Apns-Collapse-Id":"mine"}}}`, both, "mine"},
		"a push type that shows":       {`{"apns":{"headers":{"apns-push-type":"alert"}}}`, "", both},
		"a push type that does not":    {`{"notification":{},"apns":{"headers":{"apns-push-type":"background"}}}`, both, ""},
		"a live activity":              {`{"notification":{},"apns":{"live_activity_token":"x"}}`, both, ""},
		"headers of other kinds":       {`{"notification":{},"apns":{"headers":{"apns-priority":"5"}}}`, both, both},
		"no room left for either mark": {`{"notification":{"body":"` + strings.Repeat("x", 4000) + `"}}`, "", ""},
	} {
		m := parse(t, c.message).addressed(to("token"), time.Time{})
		tag, collapse := "", ""
		if m.Android != nil && m.Android.Notification != nil {
			tag = m.Android.Notification.Tag
		}
		if m.APNS != nil {
			collapse, _ = header(m.APNS.Headers, headerCollapseID)
		}
		if tag != c.tag || collapse != c.collapse {
			t.Errorf("%s: tag %q, collapse id %q; want %q, %q", name, tag, collapse, c.tag, c.collapse)
		}
	}
}

// A full message stays within the limit with its marks, whatever campaign and user are called.
func TestMarksStayWithinTheLimit(t *testing.T) {
	for n := 3500; n < maxMessage; n++ {
		m, err := Parse(notification.Message(`{"notification":{"body":"` + strings.Repeat("x", n) + `"}}`))
		if err != nil {
			return // too large in itself
		}
		out := m.addressed(Envelope{Campaign: strings.Repeat("c", 200), User: "u"}, time.Time{})
		wire, err := json.Marshal(out)
		if err != nil {
			t.Fatal(err)
		}
		if len(wire) > maxMessage {
			t.Fatalf("body of %d: %d bytes on the wire", n, len(wire))
		}
	}
	t.Error("no message was too large")
}

func TestIdentity(t *testing.T) {
	seen := map[string]string{}
	for _, pair := range [][2]string{
		{"42", "u1"}, {"42:u1", ""}, {"42", "u1:"}, {"42:", "u1"}, {"42:u", "1"}, {"4", "2:u1"}, {`4"`, "u"}, {"4", `"u`},
		{"é", "u"}, {"42", "ü"}, {"42", strings.Repeat("u", 61)}, {"42", strings.Repeat("u", 62)}, {"", ""},
	} {
		id := identity(pair[0], pair[1])
		if len(id) > maxCollapseID || strings.ContainsFunc(id, func(r rune) bool { return r <= ' ' || r > '~' }) {
			t.Errorf("%q: %q does not fit a header", pair, id)
		}
		if other, taken := seen[id]; taken {
			t.Errorf("%q and %s are both %q", pair, other, id)
		}
		seen[id] = pair[0] + "|" + pair[1]
		if identity(pair[0], pair[1]) != id {
			t.Errorf("%q: not the same twice", pair)
		}
	}
	if got := identity("42", "u1"); got != "42:u1" {
		t.Errorf("short and plain: %q", got)
	}
}

func TestTTL(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	m := parse(t, `{"data":{"k":"v"},"android":{"ttl":"5s"},"apns":{"headers":{"Apns-Expiration":"9"}},"webpush":{"headers":{"ttl":"7"}}}`)
	own := m.addressed(to("token"), now)
	if got := *own.Android.TTL; got != 5*time.Second || own.APNS.Headers["Apns-Expiration"] != "9" {
		t.Errorf("the message's own: %v, %v", got, own.APNS.Headers)
	}
	e := to("token")
	e.TTL = time.Hour
	out := m.addressed(e, now)
	if *out.Android.TTL != time.Hour || out.APNS.Headers[headerExpiration] != "1700003600" || out.Webpush.Headers[headerWebTTL] != "3600" {
		t.Errorf("a copy's: %v, %v, %v", *out.Android.TTL, out.APNS.Headers, out.Webpush.Headers)
	}
	if len(out.APNS.Headers) != 1 || len(out.Webpush.Headers) != 1 {
		t.Errorf("a header stands in two spellings: %v, %v", out.APNS.Headers, out.Webpush.Headers)
	}
	e.TTL = 40 * 24 * time.Hour
	if out := parse(t, `{}`).addressed(e, now); *out.Android.TTL != maxTTL || out.Webpush.Headers[headerWebTTL] != "2419200" {
		t.Errorf("over the limit: %v, %v", *out.Android.TTL, out.Webpush.Headers)
	}
}

// Recipients share the message; no copy may change it.
func TestCopiesLeaveTheMessageAlone(t *testing.T) {
	for _, text := range []string{everything, hello, `{"notification":{},"android":{"notification":{}},"apns":{"headers":{"a":"b"}}}`} {
		m := parse(t, text)
		before := asJSON(t, m)
		e := Envelope{Target: notification.Token("t"), Campaign: "1", User: "2", TTL: time.Minute}
		if out := m.addressed(e, time.Now()); out.Token != "t" {
			t.Errorf("token %q", out.Token)
		}
		if after := asJSON(t, m); after != before {
			t.Errorf("before:\n%s\nafter:\n%s", before, after)
		}
	}
}

func asJSON(t *testing.T, m *Message) string {
	t.Helper()
	text, err := json.Marshal(&m.base)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
