package fcm

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"fanfare/internal/notification"
)

func TestTagAndCollapseID(t *testing.T) {
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
		m := parse(t, c.message).copyFor(to("token"), time.Time{})
		tag, collapse := "", ""
		if m.Android != nil && m.Android.Notification != nil {
			tag = m.Android.Notification.Tag
		}
		if m.APNS != nil {
			collapse, _ = findHeader(m.APNS.Headers, headerCollapseID)
		}
		if tag != c.tag || collapse != c.collapse {
			t.Errorf("%s: tag %q, collapse id %q; want %q, %q", name, tag, collapse, c.tag, c.collapse)
		}
	}
}

// A full message stays within the limit with tag and collapse id, whatever the names of campaign
// and user.
func TestTagAndCollapseIDStayWithinTheLimit(t *testing.T) {
	for n := 3500; n < maxMessage; n++ {
		m, err := Parse(notification.Message(`{"notification":{"body":"` + strings.Repeat("x", n) + `"}}`))
		if err != nil {
			return // the message itself is too large
		}
		out := m.copyFor(Envelope{Campaign: strings.Repeat("c", 200), User: "u"}, time.Time{})
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

func TestDedupID(t *testing.T) {
	seen := map[string]string{}
	for _, pair := range [][2]string{
		{"42", "u1"}, {"42:u1", ""}, {"42", "u1:"}, {"42:", "u1"}, {"42:u", "1"}, {"4", "2:u1"}, {`4"`, "u"}, {"4", `"u`},
		{"é", "u"}, {"42", "ü"}, {"42", strings.Repeat("u", 61)}, {"42", strings.Repeat("u", 62)}, {"", ""},
	} {
		id := dedupID(pair[0], pair[1])
		if len(id) > maxCollapseID || strings.ContainsFunc(id, func(r rune) bool { return r <= ' ' || r > '~' }) {
			t.Errorf("%q: %q does not fit a header", pair, id)
		}
		if other, taken := seen[id]; taken {
			t.Errorf("%q and %s are both %q", pair, other, id)
		}
		seen[id] = pair[0] + "|" + pair[1]
		if dedupID(pair[0], pair[1]) != id {
			t.Errorf("%q: not the same twice", pair)
		}
	}
	if got := dedupID("42", "u1"); got != "42:u1" {
		t.Errorf("short and plain: %q", got)
	}
}

func TestTTL(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	brief := parse(t, `{"data":{"k":"v"},"android":{"ttl":"5s"},"apns":{"headers":{"Apns-Expiration":"9"}},"webpush":{"headers":{"ttl":"7"}}}`)
	long := parse(t, `{"android":{"ttl":"7200s"},"apns":{"headers":{"Apns-Expiration":"1900000000"}},"webpush":{"headers":{"ttl":"7200"}}}`)
	for _, c := range []struct {
		name                string
		message             *Message
		bound               time.Duration
		android             time.Duration
		expirationKey, apns string
		ttlKey, web         string
	}{
		{"no bound", brief, 0, 5 * time.Second, "Apns-Expiration", "9", "ttl", "7"},
		{"the message's own is shorter", brief, time.Hour, 5 * time.Second, "Apns-Expiration", "9", "ttl", "7"},
		{"the bound is shorter", long, time.Hour, time.Hour, headerExpiration, "1700003600", headerWebTTL, "3600"},
		{"no TTL of its own", parse(t, `{}`), time.Minute, time.Minute, headerExpiration, "1700000060", headerWebTTL, "60"},
		{"bound above FCM's limit", parse(t, `{}`), 40 * 24 * time.Hour, maxTTL, headerExpiration, "1702419200", headerWebTTL, "2419200"},
	} {
		e := to("token")
		e.TTL = c.bound
		out := c.message.copyFor(e, now)
		if *out.Android.TTL != c.android || out.APNS.Headers[c.expirationKey] != c.apns || out.Webpush.Headers[c.ttlKey] != c.web {
			t.Errorf("%s: %v, %v, %v", c.name, *out.Android.TTL, out.APNS.Headers, out.Webpush.Headers)
		}
		if len(out.APNS.Headers) != 1 || len(out.Webpush.Headers) != 1 {
			t.Errorf("%s: a header stands in two spellings: %v, %v", c.name, out.APNS.Headers, out.Webpush.Headers)
		}
	}
}

// Recipients share the message, so no copy may change it.
func TestCopiesLeaveTheMessageAlone(t *testing.T) {
	for _, text := range []string{everything, hello, `{"notification":{},"android":{"notification":{}},"apns":{"headers":{"a":"b"}}}`} {
		m := parse(t, text)
		before := asJSON(t, m)
		e := Envelope{Target: notification.ParseToken("t"), Campaign: "1", User: "2", TTL: time.Minute}
		if out := m.copyFor(e, time.Now()); out.Token != "t" {
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
