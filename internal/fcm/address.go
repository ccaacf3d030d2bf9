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
		setTTL(&out, min(e.TTL, maxTTL), now)
	}
	return &out
}

// setTTL tells each platform in its own way how long to keep the copy.
func setTTL(m *messaging.Message, ttl time.Duration, now time.Time) {
	m.Android.TTL = &ttl
	m.APNS.Headers = withHeader(m.APNS.Headers, headerExpiration, strconv.FormatInt(now.Add(ttl).Unix(), 10))
	web := messaging.WebpushConfig{}
	if m.Webpush != nil {
		web = *m.Webpush
	}
	web.Headers = withHeader(web.Headers, headerWebTTL, strconv.FormatInt(int64(ttl/time.Second), 10))
	m.Webpush = &web
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
