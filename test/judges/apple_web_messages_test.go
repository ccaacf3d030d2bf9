package judges

import (
	"maps"

	"firebase.google.com/go/v4/messaging"
	"pgregory.net/rapid"
)

func (d drawer) apns(g generated) {
	if !d.has("apns") {
		return
	}
	c, p := &messaging.APNSConfig{}, newPart()
	if d.has("apns headers") {
		c.Headers = map[string]string{"apns-priority": "5"}
		if d.has("collapse id") {
			c.Headers["apns-collapse-id"] = d.label("collapse id")
		}
		d.set(p, "headers", "headers", c.Headers)
	}
	d.maybe(p, "live_activity_token", "liveActivityToken", &c.LiveActivityToken, d.label)
	if d.has("apns options") {
		c.FCMOptions = &messaging.APNSFCMOptions{}
		options := newPart()
		d.maybe(options, "analytics_label", "analyticsLabel", &c.FCMOptions.AnalyticsLabel, d.label)
		d.maybe(options, "image", "imageUrl", &c.FCMOptions.ImageURL, d.link)
		p.fcm[d.spell("fcm_options")], p.node["fcmOptions"] = options.fcm, options.node
	}
	aps, shown := d.aps()
	custom := map[string]any{"text": d.text("custom"), "zero": 0, "deep": map[string]any{"list": []any{1.5, true, nil, ""}}}
	c.Payload = &messaging.APNSPayload{Aps: aps, CustomData: custom}
	p.fcm["payload"], p.node["payload"] = with(custom, "aps", shown.fcm), with(custom, "aps", shown.node)
	g.sdk.APNS, g.fcm["apns"], g.node["apns"] = c, p.fcm, p.node
}

func (d drawer) aps() (*messaging.Aps, part) {
	aps, p := &messaging.Aps{}, newPart()
	switch rapid.IntRange(0, 2).Draw(d.T, "alert") {
	case 1:
		aps.AlertString = d.text("alert")
		d.set(p, "alert", "alert", aps.AlertString)
	case 2:
		alert, shown := d.alert()
		aps.Alert, p.fcm["alert"], p.node["alert"] = alert, shown.fcm, shown.node
	}
	if d.has("badge") {
		badge := rapid.IntRange(0, 99).Draw(d.T, "badge")
		aps.Badge = &badge
		d.set(p, "badge", "badge", badge)
	}
	d.maybe(p, "category", "category", &aps.Category, d.text)
	d.maybe(p, "thread-id", "threadId", &aps.ThreadID, d.text)
	for _, flag := range []struct {
		name, node string
		to         *bool
	}{{"content-available", "contentAvailable", &aps.ContentAvailable}, {"mutable-content", "mutableContent", &aps.MutableContent}} {
		if *flag.to = d.has(flag.name); *flag.to {
			p.fcm[flag.name], p.node[flag.node] = 1, true
		}
	}
	if d.has("critical sound") {
		volume := rapid.SampledFrom([]float64{0.25, 0.5, 1}).Draw(d.T, "volume")
		aps.CriticalSound = &messaging.CriticalSound{Critical: true, Name: "n", Volume: volume}
		p.fcm["sound"] = map[string]any{"critical": 1, "name": "n", "volume": volume}
		p.node["sound"] = map[string]any{"critical": true, "name": "n", "volume": volume}
	} else {
		d.maybe(p, "sound", "sound", &aps.Sound, d.text)
	}
	return aps, p
}

func (d drawer) alert() (*messaging.ApsAlert, part) {
	a, p := &messaging.ApsAlert{}, newPart()
	d.maybe(p, "title", "title", &a.Title, d.text)
	d.maybe(p, "subtitle", "subtitle", &a.SubTitle, d.text)
	d.maybe(p, "body", "body", &a.Body, d.text)
	d.maybe(p, "action-loc-key", "actionLocKey", &a.ActionLocKey, d.text)
	d.maybe(p, "launch-image", "launchImage", &a.LaunchImage, d.text)
	d.localized(p, "loc-key", "loc-args", "locKey", "locArgs", &a.LocKey, &a.LocArgs)
	d.localized(p, "title-loc-key", "title-loc-args", "titleLocKey", "titleLocArgs", &a.TitleLocKey, &a.TitleLocArgs)
	d.localized(p, "subtitle-loc-key", "subtitle-loc-args", "subtitleLocKey", "subtitleLocArgs", &a.SubTitleLocKey, &a.SubTitleLocArgs)
	return a, p
}

func with(members map[string]any, name string, value any) map[string]any {
	out := maps.Clone(members)
	out[name] = value
	return out
}

func (d drawer) webpush(g generated) {
	if !d.has("webpush") {
		return
	}
	c, p := &messaging.WebpushConfig{}, newPart()
	if d.has("web headers") {
		c.Headers = map[string]string{"TTL": "60", "Urgency": "high"}
		d.set(p, "headers", "headers", c.Headers)
	}
	if d.has("web data") {
		c.Data = d.data("web data")
		d.set(p, "data", "data", c.Data)
	}
	if d.has("web notification") {
		n, shown := d.webNotification()
		c.Notification, p.fcm["notification"], p.node["notification"] = n, shown.fcm, shown.node
	}
	if d.has("link") {
		link := d.link("link")
		c.FCMOptions = &messaging.WebpushFCMOptions{Link: link}
		p.fcm[d.spell("fcm_options")], p.node["fcmOptions"] = map[string]any{"link": link}, map[string]any{"link": link}
	}
	g.sdk.Webpush, g.fcm["webpush"], g.node["webpush"] = c, p.fcm, p.node
}

// webNotification draws what the Web Notification API has, and members that no one knows.
func (d drawer) webNotification() (*messaging.WebpushNotification, part) {
	n, p := &messaging.WebpushNotification{}, newPart()
	for _, text := range []struct {
		name string
		to   *string
		draw func(string) string
	}{
		{"title", &n.Title, d.text}, {"body", &n.Body, d.text}, {"icon", &n.Icon, d.link}, {"badge", &n.Badge, d.link},
		{"image", &n.Image, d.link}, {"lang", &n.Language, d.text}, {"tag", &n.Tag, d.text},
	} {
		d.maybe(p, text.name, text.name, text.to, text.draw)
	}
	d.flag(p, "renotify", "renotify", &n.Renotify)
	d.flag(p, "requireInteraction", "requireInteraction", &n.RequireInteraction)
	d.flag(p, "silent", "silent", &n.Silent)
	if d.has("dir") {
		n.Direction = rapid.SampledFrom([]string{"ltr", "rtl"}).Draw(d.T, "dir")
		d.set(p, "dir", "dir", n.Direction)
	}
	if d.has("timestamp") {
		at := rapid.Int64Range(0, 4e12).Draw(d.T, "timestamp")
		n.TimestampMillis = &at
		d.set(p, "timestamp", "timestamp", at)
	}
	if d.has("vibrate") {
		n.Vibrate = []int{100, 50}
		d.set(p, "vibrate", "vibrate", n.Vibrate)
	}
	if d.has("actions") {
		n.Actions = []*messaging.WebpushNotificationAction{{Action: "a", Title: d.text("action")}}
		d.set(p, "actions", "actions", []any{map[string]any{"action": "a", "title": n.Actions[0].Title}})
	}
	if d.has("web custom") {
		n.CustomData = map[string]any{"text": d.text("web custom"), "list": []any{1.5, true, nil}}
		for name, value := range n.CustomData {
			d.set(p, name, name, value)
		}
	}
	return n, p
}
