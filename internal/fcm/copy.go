package fcm

import (
	"crypto/sha256"
	"encoding/base64"
	"strconv"
	"strings"
	"time"

	"firebase.google.com/go/v4/messaging"
)

// addressed makes one recipient's copy. It shares with the message all that it does not change.
func (m *Message) copyFor(e Envelope, now time.Time) *messaging.Message {
	out := m.base
	out.Token = e.Target.Value
	if m.addTag || e.TTL > 0 {
		out.Android = copyAndroid(out.Android)
	}
	if m.addCollapseID || e.TTL > 0 {
		out.APNS = copyAPNS(out.APNS)
	}
	if m.addTag || m.addCollapseID {
		id := dedupID(e.Campaign, e.User)
		if m.addTag {
			out.Android.Notification = copyWithTag(out.Android.Notification, id)
		}
		if m.addCollapseID {
			out.APNS.Headers = copyWithHeader(out.APNS.Headers, headerCollapseID, id)
		}
	}
	if e.TTL > 0 {
		capTTL(&out, min(e.TTL, maxTTL), now)
	}
	return &out
}

// boundTTL tells each platform in its own way how long to keep the copy, unless the message asks for less.
func capTTL(m *messaging.Message, ttl time.Duration, now time.Time) {
	if own := m.Android.TTL; own == nil || *own > ttl {
		m.Android.TTL = &ttl
	}
	m.APNS.Headers = capHeader(m.APNS.Headers, headerExpiration, now.Add(ttl).Unix())
	web := messaging.WebpushConfig{}
	if m.Webpush != nil {
		web = *m.Webpush
	}
	web.Headers = capHeader(web.Headers, headerWebTTL, int64(ttl/time.Second))
	m.Webpush = &web
}

// withAtMost sets a header to a number unless it holds a smaller one.
func capHeader(headers map[string]string, name string, most int64) map[string]string {
	if value, set := findHeader(headers, name); set {
		if own, err := strconv.ParseInt(value, 10, 64); err == nil && own <= most {
			return headers
		}
	}
	return copyWithHeader(headers, name, strconv.FormatInt(most, 10))
}

func copyAndroid(c *messaging.AndroidConfig) *messaging.AndroidConfig {
	if c == nil {
		return &messaging.AndroidConfig{}
	}
	out := *c
	return &out
}

func copyAPNS(c *messaging.APNSConfig) *messaging.APNSConfig {
	if c == nil {
		return &messaging.APNSConfig{}
	}
	out := *c
	return &out
}

func copyWithTag(n *messaging.AndroidNotification, tag string) *messaging.AndroidNotification {
	out := messaging.AndroidNotification{}
	if n != nil {
		out = *n
	}
	out.Tag = tag
	return &out
}

// Headers of APNs that a copy may be given, in the case that FCM documents. Apple does not mind the case.
const (
	headerCollapseID = "apns-collapse-id"
	headerExpiration = "apns-expiration"
	headerPushType   = "apns-push-type"
	headerWebTTL     = "TTL"
)

// header finds a header in whatever case it is written.
func findHeader(headers map[string]string, name string) (string, bool) {
	for key, value := range headers {
		if strings.EqualFold(key, name) {
			return value, true
		}
	}
	return "", false
}

// withHeader copies the headers and sets one, whatever case it stood in.
func copyWithHeader(headers map[string]string, name, value string) map[string]string {
	out := make(map[string]string, len(headers)+1)
	for k, v := range headers {
		if !strings.EqualFold(k, name) {
			out[k] = v
		}
	}
	out[name] = value
	return out
}

// markRoom is what both marks may add to a copy's JSON. A message that is so full that they do not fit goes out without.
const maxMarkSize = len(`,"android":{"notification":{"tag":""}},"apns":{"headers":{"apns-collapse-id":""}}`) + 2*maxCollapseID

// wantsTag: Android shows something, and the message has no tag of its own. A message of data alone stays one: an Android
// notification made for the tag would put it on the screen.
func needsTag(m *messaging.Message) bool {
	if m.Android == nil || m.Android.Notification == nil {
		return m.Notification != nil
	}
	return m.Android.Notification.Tag == ""
}

// wantsCollapseID: iOS shows something, and the message has no collapse id of its own.
func needsCollapseID(m *messaging.Message) bool {
	if m.APNS == nil {
		return m.Notification != nil
	}
	if _, own := findHeader(m.APNS.Headers, headerCollapseID); own || m.APNS.LiveActivityToken != "" {
		return false
	}
	if kind, told := findHeader(m.APNS.Headers, headerPushType); told {
		return kind == "alert"
	}
	if m.Notification != nil {
		return true
	}
	if m.APNS.Payload == nil || m.APNS.Payload.Aps == nil {
		return false
	}
	_, alert := m.APNS.Payload.Aps.CustomData["alert"]
	return alert
}

// identity names the message of a campaign to a user: the tag on Android, the collapse id on iOS. A device that gets the same
// message twice shows it once. It is readable where campaign and user are short and plain, and a hash elsewhere.
func dedupID(campaign, user string) string {
	if id := campaign + ":" + user; len(id) <= maxCollapseID && isPlain(campaign) && isPlain(user) {
		return id
	}
	sum := sha256.Sum256([]byte(strconv.Quote(campaign) + user))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// plain holds for names without a colon, which would make two pairs look alike, and fit for a header.
func isPlain(name string) bool {
	for i := range len(name) {
		c := name[i]
		if (c|0x20 < 'a' || c|0x20 > 'z') && (c < '0' || c > '9') && c != '-' && c != '_' && c != '.' {
			return false
		}
	}
	return true
}
