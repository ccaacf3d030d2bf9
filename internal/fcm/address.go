package fcm

import (
	"strconv"
	"time"

	"firebase.google.com/go/v4/messaging"
)

// addressed makes one recipient's copy. It shares with the message all that it does not change.
func (m *Message) addressed(e Envelope, now time.Time) *messaging.Message {
	out := m.base
	out.Token = e.Target.Value
	if m.tag || e.TTL > 0 {
		out.Android = androidCopy(out.Android)
	}
	if m.collapse || e.TTL > 0 {
		out.APNS = apnsCopy(out.APNS)
	}
	if m.tag || m.collapse {
		id := identity(e.Campaign, e.User)
		if m.tag {
			out.Android.Notification = taggedCopy(out.Android.Notification, id)
		}
		if m.collapse {
			out.APNS.Headers = withHeader(out.APNS.Headers, headerCollapseID, id)
		}
	}
	if e.TTL > 0 {
		boundTTL(&out, min(e.TTL, maxTTL), now)
	}
	return &out
}

// boundTTL tells each platform in its own way how long to keep the copy, unless the message asks for less.
func boundTTL(m *messaging.Message, ttl time.Duration, now time.Time) {
	if own := m.Android.TTL; own == nil || *own > ttl {
		m.Android.TTL = &ttl
	}
	m.APNS.Headers = withAtMost(m.APNS.Headers, headerExpiration, now.Add(ttl).Unix())
	web := messaging.WebpushConfig{}
	if m.Webpush != nil {
		web = *m.Webpush
	}
	web.Headers = withAtMost(web.Headers, headerWebTTL, int64(ttl/time.Second))
	m.Webpush = &web
}

// withAtMost sets a header to a number unless it holds a smaller one.
func withAtMost(headers map[string]string, name string, most int64) map[string]string {
	if value, set := header(headers, name); set {
		if own, err := strconv.ParseInt(value, 10, 64); err == nil && own <= most {
			return headers
		}
	}
	return withHeader(headers, name, strconv.FormatInt(most, 10))
}

func androidCopy(c *messaging.AndroidConfig) *messaging.AndroidConfig {
	if c == nil {
		return &messaging.AndroidConfig{}
	}
	out := *c
	return &out
}

func apnsCopy(c *messaging.APNSConfig) *messaging.APNSConfig {
	if c == nil {
		return &messaging.APNSConfig{}
	}
	out := *c
	return &out
}

func taggedCopy(n *messaging.AndroidNotification, tag string) *messaging.AndroidNotification {
	out := messaging.AndroidNotification{}
	if n != nil {
		out = *n
	}
	out.Tag = tag
	return &out
}
