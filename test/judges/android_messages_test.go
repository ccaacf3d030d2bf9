package judges

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"firebase.google.com/go/v4/messaging"
	"pgregory.net/rapid"
)

func (d drawer) android(g generated) {
	if !d.has("android") {
		return
	}
	c, p := &messaging.AndroidConfig{}, newPart()
	d.maybe(p, "collapse_key", "collapseKey", &c.CollapseKey, d.text)
	if d.has("package") {
		c.RestrictedPackageName = "com.example"
		d.set(p, "restricted_package_name", "restrictedPackageName", c.RestrictedPackageName)
	}
	if d.has("priority") {
		c.Priority = rapid.SampledFrom([]string{"high", "normal"}).Draw(d.T, "priority")
		p.fcm["priority"], p.node["priority"] = strings.ToUpper(c.Priority), c.Priority
	}
	if d.has("ttl") {
		ms, text := d.millis("ttl")
		ttl := time.Duration(ms) * time.Millisecond
		c.TTL, p.node["ttl"], p.fcm["ttl"] = &ttl, ms, text
	}
	d.flag(p, "direct_boot_ok", "directBootOk", &c.DirectBootOK)
	d.flag(p, "bandwidth_constrained_ok", "bandwidthConstrainedOk", &c.BandwidthConstrainedOK)
	d.flag(p, "restricted_satellite_ok", "restrictedSatelliteOk", &c.RestrictedSatelliteOK)
	if d.has("android data") {
		c.Data = d.data("android data")
		d.set(p, "data", "data", c.Data)
	}
	if d.has("android label") {
		label := d.label("android label")
		c.FCMOptions = &messaging.AndroidFCMOptions{AnalyticsLabel: label}
		d.labelled(p, label)
	}
	if d.has("android notification") {
		n, shown := d.androidNotification()
		c.Notification, p.fcm["notification"], p.node["notification"] = n, shown.fcm, shown.node
	}
	g.sdk.Android, g.fcm["android"], g.node["android"] = c, p.fcm, p.node
}

func (d drawer) androidNotification() (*messaging.AndroidNotification, part) {
	n, p := &messaging.AndroidNotification{}, newPart()
	for _, text := range []struct {
		name, node string
		to         *string
		draw       func(string) string
	}{
		{"title", "title", &n.Title, d.text},
		{"body", "body", &n.Body, d.text},
		{"icon", "icon", &n.Icon, d.text},
		{"color", "color", &n.Color, d.color},
		{"sound", "sound", &n.Sound, d.text},
		{"tag", "tag", &n.Tag, d.text},
		{"click_action", "clickAction", &n.ClickAction, d.text},
		{"channel_id", "channelId", &n.ChannelID, d.text},
		{"image", "imageUrl", &n.ImageURL, d.link},
		{"ticker", "ticker", &n.Ticker, d.text},
	} {
		d.maybe(p, text.name, text.node, text.to, text.draw)
	}
	d.localized(p, "body_loc_key", "body_loc_args", "bodyLocKey", "bodyLocArgs", &n.BodyLocKey, &n.BodyLocArgs)
	d.localized(p, "title_loc_key", "title_loc_args", "titleLocKey", "titleLocArgs", &n.TitleLocKey, &n.TitleLocArgs)
	d.flag(p, "sticky", "sticky", &n.Sticky)
	d.flag(p, "local_only", "localOnly", &n.LocalOnly)
	d.flag(p, "default_sound", "defaultSound", &n.DefaultSound)
	d.flag(p, "default_vibrate_timings", "defaultVibrateTimings", &n.DefaultVibrateTimings)
	d.flag(p, "default_light_settings", "defaultLightSettings", &n.DefaultLightSettings)
	d.choices(n, p)
	if d.has("count") {
		count := rapid.IntRange(0, 1000).Draw(d.T, "count")
		n.NotificationCount = &count
		d.set(p, "notification_count", "notificationCount", count)
	}
	d.timesAndLights(n, p)
	return n, p
}

// choices draws the members that have one of a few values. Node has them in small letters.
func (d drawer) choices(n *messaging.AndroidNotification, p part) {
	if d.has("notification priority") {
		at := rapid.IntRange(0, 4).Draw(d.T, "notification priority")
		n.Priority = []messaging.AndroidNotificationPriority{
			messaging.PriorityMin, messaging.PriorityLow, messaging.PriorityDefault, messaging.PriorityHigh, messaging.PriorityMax,
		}[at]
		name := []string{"min", "low", "default", "high", "max"}[at]
		p.fcm[d.spell("notification_priority")], p.node["priority"] = "PRIORITY_"+strings.ToUpper(name), name
	}
	if d.has("visibility") {
		at := rapid.IntRange(0, 2).Draw(d.T, "visibility")
		n.Visibility = []messaging.AndroidNotificationVisibility{messaging.VisibilityPrivate, messaging.VisibilityPublic, messaging.VisibilitySecret}[at]
		name := []string{"private", "public", "secret"}[at]
		p.fcm["visibility"], p.node["visibility"] = strings.ToUpper(name), name
	}
	if d.has("proxy") {
		at := rapid.IntRange(0, 2).Draw(d.T, "proxy")
		n.Proxy = []messaging.AndroidNotificationProxy{messaging.ProxyAllow, messaging.ProxyDeny, messaging.ProxyIfPriorityLowered}[at]
		name := []string{"allow", "deny", "if_priority_lowered"}[at]
		p.fcm["proxy"], p.node["proxy"] = strings.ToUpper(name), name
	}
}

// timesAndLights draws the members that the SDKs write in other units than FCM.
func (d drawer) timesAndLights(n *messaging.AndroidNotification, p part) {
	if d.has("event time") {
		at := time.UnixMilli(rapid.Int64Range(0, 4e12).Draw(d.T, "event time")).UTC()
		n.EventTimestamp = &at
		p.fcm[d.spell("event_time")], p.node["eventTimestamp"] = at.Format(time.RFC3339Nano), at.Format(time.RFC3339Nano)
	}
	if d.has("vibration") {
		ms, text := d.millis("vibration")
		n.VibrateTimingMillis = []int64{ms, 1000}
		p.fcm[d.spell("vibrate_timings")], p.node["vibrateTimingsMillis"] = []string{text, "1s"}, n.VibrateTimingMillis
	}
	if !d.has("light") {
		return
	}
	on, onText := d.millis("light on")
	off, offText := d.millis("light off")
	color := d.color("light color")
	alpha := rapid.SampledFrom([]string{"", "00", "80", "FF"}).Draw(d.T, "alpha")
	n.LightSettings = &messaging.LightSettings{Color: color + alpha, LightOnDurationMillis: on, LightOffDurationMillis: off}
	p.fcm[d.spell("light_settings")] = map[string]any{
		"color": colorOf(color + alpha), d.spell("light_on_duration"): onText, d.spell("light_off_duration"): offText,
	}
	p.node["lightSettings"] = map[string]any{"color": color + alpha, "lightOnDurationMillis": on, "lightOffDurationMillis": off}
}

// colorOf is a color as FCM has it. Without an alpha it is opaque.
func colorOf(text string) map[string]any {
	part := func(from int) float64 {
		n, err := strconv.ParseUint(text[from:from+2], 16, 8)
		if err != nil {
			panic(fmt.Sprintf("%s is no color", text))
		}
		return float64(n) / 255
	}
	color := map[string]any{"red": part(1), "green": part(3), "blue": part(5), "alpha": 1.0}
	if len(text) > 7 {
		color["alpha"] = part(7)
	}
	return color
}
