package fcm

import (
	"encoding/json"
	"fmt"
	"math"
	"time"

	"firebase.google.com/go/v4/messaging"
)

// apart holds what the SDK's own reading would change: it drops zeros from colors, and forgets or refuses what it does not know of
// Apple's and the browsers' objects. Those go to the wire as the campaign wrote them.
type rawParts struct {
	light, payload, browser tree
}

// detach takes these parts out of the message.
func (t tree) detachRaw() rawParts {
	return rawParts{
		light:   t.child("android").child("notification").take("light_settings"),
		payload: t.child("apns").take("payload"),
		browser: t.child("webpush").take("notification"),
	}
}

// sizeAtMost bounds what the parts add to the message's JSON, in bytes. Writing the whole message to measure it costs more.
func (a rawParts) maxSize() int {
	const names, colors = len(`"light_settings":,"payload":,"aps":{},"notification":,`), 4 * len(`"alpha":0.00392156862745098,`)
	size := names + colors
	for _, part := range []tree{a.light, a.payload, a.browser} {
		if part == nil {
			continue
		}
		text, err := json.Marshal(part)
		if err != nil {
			return maxMessage
		}
		size += len(text)
	}
	return size
}

// attach puts them into the SDK's message.
func (a rawParts) attach(m *messaging.Message) {
	if a.light != nil {
		m.Android.Notification.LightSettings = a.light.toLightSettings()
	}
	if a.payload != nil {
		// The SDK writes "aps" in any case, as null where it is not set.
		m.APNS.Payload = &messaging.APNSPayload{Aps: &messaging.Aps{CustomData: a.payload.take("aps")}, CustomData: a.payload}
	}
	if a.browser != nil {
		m.Webpush.Notification = &messaging.WebpushNotification{CustomData: a.browser}
	}
	if m.Webpush != nil && m.Webpush.FCMOptions != nil && m.Webpush.FCMOptions.Link == "" {
		m.Webpush.FCMOptions = nil // the SDK takes an empty link for a bad one
	}
}

// child is the object that stands in a member; nil where there is none.
func (t tree) child(name string) tree {
	c, _ := t[name].(tree)
	return c
}

func (t tree) take(name string) tree {
	c := t.child(name)
	delete(t, name)
	return c
}

func (t tree) toLightSettings() *messaging.LightSettings {
	millis := func(name string) int64 {
		text, _ := t[name].(string)
		d, _ := parseDuration(text)
		return int64(d / time.Millisecond)
	}
	return &messaging.LightSettings{
		Color:                  t.child("color").toColor(),
		LightOnDurationMillis:  millis("light_on_duration"),
		LightOffDurationMillis: millis("light_off_duration"),
	}
}

// color is #RRGGBBAA. Without an alpha a color is solid.
func (t tree) toColor() string {
	part := func(name string, absent float64) uint8 {
		x, there := t[name].(float64)
		if !there {
			x = absent
		}
		return uint8(math.Round(x * math.MaxUint8))
	}
	return fmt.Sprintf("#%02X%02X%02X%02X", part("red", 0), part("green", 0), part("blue", 0), part("alpha", 1))
}
