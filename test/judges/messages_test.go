package judges

import (
	"fmt"
	"strings"
	"time"

	"firebase.google.com/go/v4/messaging"
	"pgregory.net/rapid"
)

// generated is one message in three spellings: FCM's own, as a campaign has it, and those of the
// SDKs for Node.js and Go. It has no values that an SDK leaves out, such as empty texts.
type generated struct {
	fcm  map[string]any
	node map[string]any
	sdk  *messaging.Message
}

// drawer draws values of one message.
type drawer struct{ *rapid.T }

func (d drawer) has(name string) bool { return rapid.Bool().Draw(d.T, "has "+name) }

func (d drawer) text(name string) string {
	return rapid.SampledFrom([]string{"a", "Grüße <&> \u2028", "line\nbreak \"quoted\" \\", "\U0001f600", "x-1_2.3~%"}).Draw(d.T, name)
}

func (d drawer) label(name string) string {
	return rapid.StringMatching(`[a-zA-Z0-9-_.~%]{1,50}`).Draw(d.T, name)
}

func (d drawer) link(name string) string {
	return "https://example.com/" + rapid.StringMatching(`[a-z0-9]{1,12}`).Draw(d.T, name)
}

func (d drawer) texts(name string) []string {
	return rapid.SliceOfN(rapid.SampledFrom([]string{"1", "é"}), 1, 3).Draw(d.T, name)
}

func (d drawer) data(name string) map[string]string {
	value := rapid.Map(rapid.String(), func(s string) string { return strings.ReplaceAll(s, "{", "(") }) // no placeholders
	return rapid.MapOfN(rapid.StringMatching(`k[a-zA-Z_.]{0,5}`), value, 1, 3).Draw(d.T, name)
}

// millis draws a duration, in ms for Node and as FCM's text.
func (d drawer) millis(name string) (ms int64, text string) {
	ms = rapid.Int64Range(1, 2_419_200_000).Draw(d.T, name)
	if ms%1000 == 0 {
		return ms, fmt.Sprintf("%ds", ms/1000)
	}
	return ms, fmt.Sprintf("%d.%03ds", ms/1000, ms%1000)
}

// anyMessage draws a message.
func anyMessage(t *rapid.T) generated {
	d := drawer{t}
	g := generated{fcm: map[string]any{}, node: map[string]any{}, sdk: &messaging.Message{}}
	if d.has("data") {
		g.sdk.Data = d.data("data")
		g.fcm["data"], g.node["data"] = g.sdk.Data, g.sdk.Data
	}
	if d.has("notification") {
		n := &messaging.Notification{Title: d.text("title"), Body: d.text("body"), ImageURL: d.link("image")}
		g.fcm["notification"] = map[string]any{"title": n.Title, "body": n.Body, "image": n.ImageURL}
		g.node["notification"] = map[string]any{"title": n.Title, "body": n.Body, "imageUrl": n.ImageURL}
		g.sdk.Notification = n
	}
	if d.has("label") {
		g.sdk.FCMOptions = &messaging.FCMOptions{AnalyticsLabel: d.label("label")}
		g.fcm["fcm_options"] = map[string]any{"analytics_label": g.sdk.FCMOptions.AnalyticsLabel}
		g.node["fcmOptions"] = map[string]any{"analyticsLabel": g.sdk.FCMOptions.AnalyticsLabel}
	}
	d.android(&g)
	d.apns(&g)
	d.webpush(&g)
	return g
}

func (d drawer) android(g *generated) {
	if !d.has("android") {
		return
	}
	c := &messaging.AndroidConfig{CollapseKey: d.text("collapse key"), RestrictedPackageName: "com.example", Priority: "high"}
	fcm := map[string]any{"collapseKey": c.CollapseKey, "restricted_package_name": "com.example", "priority": "HIGH"}
	node := map[string]any{"collapseKey": c.CollapseKey, "restrictedPackageName": "com.example", "priority": "high"}
	if d.has("ttl") {
		ms, text := d.millis("ttl")
		ttl := time.Duration(ms) * time.Millisecond
		c.TTL, node["ttl"], fcm["ttl"] = &ttl, ms, text
	}
	if d.has("direct boot") {
		c.DirectBootOK, node["directBootOk"], fcm["direct_boot_ok"] = true, true, true
	}
	if d.has("android data") {
		c.Data = d.data("android data")
		fcm["data"], node["data"] = c.Data, c.Data
	}
	if d.has("android label") {
		label := d.label("android label")
		c.FCMOptions = &messaging.AndroidFCMOptions{AnalyticsLabel: label}
		fcm["fcm_options"], node["fcmOptions"] = map[string]any{"analyticsLabel": label}, map[string]any{"analyticsLabel": label}
	}
	if d.has("android notification") {
		c.Notification, fcm["notification"], node["notification"] = d.androidNotification()
	}
	g.sdk.Android, g.fcm["android"], g.node["android"] = c, fcm, node
}

func (d drawer) androidNotification() (n *messaging.AndroidNotification, fcm, node map[string]any) {
	n = &messaging.AndroidNotification{
		Title: d.text("title"), Body: d.text("body"), Icon: d.text("icon"), Color: "#a0B1c2", Sound: d.text("sound"), Tag: d.text("tag"),
		ClickAction: d.text("click action"), BodyLocKey: "bk", BodyLocArgs: d.texts("body args"), TitleLocKey: "tk", TitleLocArgs: d.texts("title args"),
		ChannelID: d.text("channel"), ImageURL: d.link("image"), Ticker: d.text("ticker"), Sticky: true, LocalOnly: true, DefaultSound: true,
		DefaultVibrateTimings: true, DefaultLightSettings: true, Visibility: messaging.VisibilitySecret, Priority: messaging.PriorityMax,
	}
	fcm = map[string]any{
		"title": n.Title, "body": n.Body, "icon": n.Icon, "color": n.Color, "sound": n.Sound, "tag": n.Tag, "click_action": n.ClickAction,
		"body_loc_key": "bk", "bodyLocArgs": n.BodyLocArgs, "titleLocKey": "tk", "title_loc_args": n.TitleLocArgs, "channelId": n.ChannelID,
		"image": n.ImageURL, "ticker": n.Ticker, "sticky": true, "localOnly": true, "default_sound": true, "default_vibrate_timings": true,
		"default_light_settings": true, "visibility": "secret", "notification_priority": "PRIORITY_MAX",
	}
	node = map[string]any{
		"title": n.Title, "body": n.Body, "icon": n.Icon, "color": n.Color, "sound": n.Sound, "tag": n.Tag, "clickAction": n.ClickAction,
		"bodyLocKey": "bk", "bodyLocArgs": n.BodyLocArgs, "titleLocKey": "tk", "titleLocArgs": n.TitleLocArgs, "channelId": n.ChannelID,
		"imageUrl": n.ImageURL, "ticker": n.Ticker, "sticky": true, "localOnly": true, "defaultSound": true, "defaultVibrateTimings": true,
		"defaultLightSettings": true, "visibility": "secret", "priority": "max",
	}
	if d.has("count") {
		count := rapid.IntRange(0, 1000).Draw(d.T, "count")
		n.NotificationCount, fcm["notification_count"], node["notificationCount"] = &count, count, count
	}
	if d.has("event time") {
		at := time.UnixMilli(rapid.Int64Range(0, 4e12).Draw(d.T, "event time")).UTC()
		n.EventTimestamp, fcm["event_time"], node["eventTimestamp"] = &at, at.Format(time.RFC3339Nano), at.Format(time.RFC3339Nano)
	}
	if d.has("vibration") {
		ms, text := d.millis("vibration")
		n.VibrateTimingMillis, fcm["vibrate_timings"], node["vibrateTimingsMillis"] = []int64{ms, 1000}, []string{text, "1s"}, []int64{ms, 1000}
	}
	if d.has("light") {
		ms, text := d.millis("light")
		n.LightSettings = &messaging.LightSettings{Color: "#336699CC", LightOnDurationMillis: ms, LightOffDurationMillis: 1000}
		fcm["light_settings"] = map[string]any{
			"color": map[string]any{"red": 0.2, "green": 0.4, "blue": 0.6, "alpha": 0.8}, "light_on_duration": text, "lightOffDuration": "1s",
		}
		node["lightSettings"] = map[string]any{"color": "#336699CC", "lightOnDurationMillis": ms, "lightOffDurationMillis": 1000}
	}
	return n, fcm, node
}

func (d drawer) apns(g *generated) {
	if !d.has("apns") {
		return
	}
	headers := map[string]string{"apns-priority": "5", "apns-collapse-id": "c"}
	badge := rapid.IntRange(0, 99).Draw(d.T, "badge")
	alert := messaging.ApsAlert{
		Title: d.text("title"), SubTitle: d.text("subtitle"), Body: d.text("body"), LocKey: "lk", LocArgs: d.texts("loc args"),
		TitleLocKey: "tk", TitleLocArgs: d.texts("title args"), LaunchImage: d.text("image"),
	}
	fcmAlert := map[string]any{
		"title": alert.Title, "subtitle": alert.SubTitle, "body": alert.Body, "loc-key": "lk", "loc-args": alert.LocArgs,
		"title-loc-key": "tk", "title-loc-args": alert.TitleLocArgs, "launch-image": alert.LaunchImage,
	}
	nodeAlert := map[string]any{
		"title": alert.Title, "subtitle": alert.SubTitle, "body": alert.Body, "locKey": "lk", "locArgs": alert.LocArgs,
		"titleLocKey": "tk", "titleLocArgs": alert.TitleLocArgs, "launchImage": alert.LaunchImage,
	}
	custom := map[string]any{"text": d.text("custom"), "zero": 0, "deep": map[string]any{"list": []any{1.5, true, nil, ""}}}
	aps := &messaging.Aps{Badge: &badge, Alert: &alert, Sound: d.text("sound"), ContentAvailable: true, MutableContent: true, Category: d.text("category"), ThreadID: d.text("thread")}
	fcmAps := map[string]any{
		"badge": badge, "alert": fcmAlert, "sound": aps.Sound, "content-available": 1, "mutable-content": 1, "category": aps.Category, "thread-id": aps.ThreadID,
	}
	nodeAps := map[string]any{
		"badge": badge, "alert": nodeAlert, "sound": aps.Sound, "contentAvailable": true, "mutableContent": true, "category": aps.Category, "threadId": aps.ThreadID,
	}
	if d.has("critical sound") {
		aps.Sound, aps.CriticalSound = "", &messaging.CriticalSound{Critical: true, Name: "n", Volume: 0.5}
		fcmAps["sound"] = map[string]any{"critical": 1, "name": "n", "volume": 0.5}
		nodeAps["sound"] = map[string]any{"critical": true, "name": "n", "volume": 0.5}
	}
	g.sdk.APNS = &messaging.APNSConfig{Headers: headers, Payload: &messaging.APNSPayload{Aps: aps, CustomData: custom}}
	g.fcm["apns"] = map[string]any{"headers": headers, "payload": with(custom, "aps", fcmAps)}
	g.node["apns"] = map[string]any{"headers": headers, "payload": with(custom, "aps", nodeAps)}
}

func with(members map[string]any, name string, value any) map[string]any {
	out := map[string]any{name: value}
	for key, member := range members {
		out[key] = member
	}
	return out
}

func (d drawer) webpush(g *generated) {
	if !d.has("webpush") {
		return
	}
	headers, link, data := map[string]string{"TTL": "60", "Urgency": "high"}, d.link("link"), d.data("web data")
	custom := map[string]any{"title": d.text("title"), "vibrate": []any{100, 50}, "actions": []any{map[string]any{"action": "a", "title": "t"}}, "silent": false}
	g.sdk.Webpush = &messaging.WebpushConfig{
		Headers: headers, Data: data, Notification: &messaging.WebpushNotification{CustomData: custom}, FCMOptions: &messaging.WebpushFCMOptions{Link: link},
	}
	g.fcm["webpush"] = map[string]any{"headers": headers, "data": data, "notification": custom, "fcmOptions": map[string]any{"link": link}}
	g.node["webpush"] = map[string]any{"headers": headers, "data": data, "notification": custom, "fcmOptions": map[string]any{"link": link}}
}
