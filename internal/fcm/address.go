package fcm

import (
	"strconv"
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
