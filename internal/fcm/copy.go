package fcm

import (
	"crypto/sha256"
	"encoding/base64"
	"strconv"
	"strings"
	"time"

	"firebase.google.com/go/v4/messaging"
)

// copyFor creates one recipient's copy. It shares unchanged parts with the message.
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

// capTTL limits how long each platform keeps the copy. A shorter TTL of the message stays.
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

// capHeader sets a header to a number unless it has a smaller one.
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

// Headers that a copy may get, in the case that FCM documents. Apple ignores the case.
const (
	headerCollapseID = "apns-collapse-id"
	headerExpiration = "apns-expiration"
	headerPushType   = "apns-push-type"
	headerWebTTL     = "TTL"
)

// findHeader looks up a header in any case.
func findHeader(headers map[string]string, name string) (string, bool) {
	for key, value := range headers {
		if strings.EqualFold(key, name) {
			return value, true
		}
	}
	return "", false
}

// copyWithHeader copies the headers and sets one, in any case.
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

// maxMarkSize is the most that tag and collapse id add to a copy's JSON. If they do not fit, the
// message goes out without them.
const maxMarkSize = len(`,"android":{"notification":{"tag":""}},"apns":{"headers":{"apns-collapse-id":""}}`) + 2*maxCollapseID

// needsTag reports whether Android shows a notification and the message has no tag. A message of
// data alone gets none, because a notification with a tag would appear on the screen.
func needsTag(m *messaging.Message) bool {
	if m.Android == nil || m.Android.Notification == nil {
		return m.Notification != nil
	}
	return m.Android.Notification.Tag == ""
}

// needsCollapseID reports whether iOS shows a notification and the message has no collapse id.
func needsCollapseID(m *messaging.Message) bool {
	if m.APNS == nil {
		return m.Notification != nil
	}
	if _, own := findHeader(m.APNS.Headers, headerCollapseID); own || m.APNS.LiveActivityToken != "" {
		return false
	}
	if kind, found := findHeader(m.APNS.Headers, headerPushType); found {
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

// dedupID is the tag on Android and the collapse id on iOS. A device that receives the same message
// twice shows it once. It is readable if campaign and user are short and plain, and a hash
// otherwise.
func dedupID(campaign, user string) string {
	if id := campaign + ":" + user; len(id) <= maxCollapseID && isPlain(campaign) && isPlain(user) {
		return id
	}
	sum := sha256.Sum256([]byte(strconv.Quote(campaign) + user))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// isPlain reports whether a name fits into a header and has no colon, which would make two pairs
// look alike.
func isPlain(name string) bool {
	for i := range len(name) {
		c := name[i]
		if (c|0x20 < 'a' || c|0x20 > 'z') && (c < '0' || c > '9') && c != '-' && c != '_' && c != '.' {
			return false
		}
	}
	return true
}
