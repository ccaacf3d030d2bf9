package fcm

import (
	"encoding/json"
	"fmt"
	"math"
	"time"

	"firebase.google.com/go/v4/messaging"
)

// rawParts are the parts that the SDK's own parser would change. It drops zeros from colors, and
// drops or refuses unknown members of Apple's and the browsers' objects. These parts go to FCM as
// the campaign wrote them.
type rawParts struct {
	light, payload, browser tree
}

// detachRaw takes these parts out of the message.
func (t tree) detachRaw() rawParts {
	return rawParts{
		light:   t.child("android").child("notification").take("light_settings"),
		payload: t.child("apns").take("payload"),
		browser: t.child("webpush").take("notification"),
	}
}

// maxSize is an upper bound of what the parts add to the message's JSON, in bytes. Encoding the
// whole message to measure it costs more.
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

// attach puts the parts into the SDK's message.
func (a rawParts) attach(m *messaging.Message) {
	if a.light != nil {
		m.Android.Notification.LightSettings = a.light.toLightSettings()
	}
	if a.payload != nil {
		// The SDK always writes "aps", as null if it is not set.
		m.APNS.Payload = &messaging.APNSPayload{Aps: &messaging.Aps{CustomData: a.payload.take("aps")}, CustomData: a.payload}
	}
	if a.browser != nil {
		m.Webpush.Notification = &messaging.WebpushNotification{CustomData: a.browser}
	}
	if m.Webpush != nil && m.Webpush.FCMOptions != nil && m.Webpush.FCMOptions.Link == "" {
		m.Webpush.FCMOptions = nil // the SDK refuses an empty link
	}
}

// child returns the object in a member, or nil.
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

// toColor returns #RRGGBBAA. A color without alpha is opaque.
func (t tree) toColor() string {
	part := func(name string, absent float64) uint8 {
		x, found := t[name].(float64)
		if !found {
			x = absent
		}
		return uint8(math.Round(x * math.MaxUint8))
	}
	return fmt.Sprintf("#%02X%02X%02X%02X", part("red", 0), part("green", 0), part("blue", 0), part("alpha", 1))
}
