package judges

import (
	"fmt"
	"strings"

	"firebase.google.com/go/v4/messaging"
	"pgregory.net/rapid"
)

// generated is one message in three spellings: FCM's own, as a campaign has it, and those of the
// SDKs for Node.js and Go. It has no values that an SDK leaves out, such as empty texts and flags
// that are false, and no android_v2, which no SDK knows.
type generated struct {
	part
	sdk *messaging.Message
}

// part is an object of a message in FCM's and in Node's spelling.
type part struct{ fcm, node map[string]any }

func newPart() part { return part{map[string]any{}, map[string]any{}} }

// drawer draws values of one message.
type drawer struct{ *rapid.T }

func (d drawer) has(name string) bool { return rapid.Bool().Draw(d.T, "has "+name) }

// spell writes a name as FCM's documents do, or in camel case, which FCM reads as well.
func (d drawer) spell(name string) string {
	if !strings.Contains(name, "_") || !d.has("snake "+name) {
		return name
	}
	words := strings.Split(name, "_")
	for i, word := range words[1:] {
		words[i+1] = strings.ToUpper(word[:1]) + word[1:]
	}
	return strings.Join(words, "")
}

// set adds a member by both of its names.
func (d drawer) set(p part, name, node string, value any) {
	p.fcm[d.spell(name)], p.node[node] = value, value
}

// maybe adds a drawn text to all three spellings, or leaves it out.
func (d drawer) maybe(p part, name, node string, to *string, draw func(name string) string) {
	if d.has(name) {
		*to = draw(name)
		d.set(p, name, node, *to)
	}
}

// flag adds a flag that is set, or leaves it out.
func (d drawer) flag(p part, name, node string, to *bool) {
	if *to = d.has(name); *to {
		d.set(p, name, node, true)
	}
}

// localized adds a key and its arguments, or leaves them out.
func (d drawer) localized(p part, key, args, nodeKey, nodeArgs string, toKey *string, toArgs *[]string) {
	if !d.has(key) {
		return
	}
	*toKey = d.text(key)
	d.set(p, key, nodeKey, *toKey)
	if d.has(args) {
		*toArgs = d.texts(args)
		d.set(p, args, nodeArgs, *toArgs)
	}
}

func (d drawer) text(name string) string {
	return rapid.SampledFrom([]string{"a", "Grüße <&> \u2028", "line\nbreak \"quoted\" \\", "\U0001f600", "x-1_2.3~%"}).Draw(d.T, name)
}

func (d drawer) label(name string) string {
	return rapid.StringMatching(`[a-zA-Z0-9-_.~%]{1,50}`).Draw(d.T, name)
}

func (d drawer) link(name string) string {
	return "https://example.com/" + rapid.StringMatching(`[a-z0-9]{1,12}`).Draw(d.T, name)
}

func (d drawer) color(name string) string {
	return rapid.StringMatching(`#[0-9a-fA-F]{6}`).Draw(d.T, name)
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
	g := generated{newPart(), &messaging.Message{}}
	if d.has("data") {
		g.sdk.Data = d.data("data")
		d.set(g.part, "data", "data", g.sdk.Data)
	}
	if d.has("notification") {
		n, p := &messaging.Notification{}, newPart()
		d.maybe(p, "title", "title", &n.Title, d.text)
		d.maybe(p, "body", "body", &n.Body, d.text)
		d.maybe(p, "image", "imageUrl", &n.ImageURL, d.link)
		g.sdk.Notification = n
		g.fcm["notification"], g.node["notification"] = p.fcm, p.node
	}
	if d.has("label") {
		label := d.label("label")
		g.sdk.FCMOptions = &messaging.FCMOptions{AnalyticsLabel: label}
		d.labelled(g.part, label)
	}
	d.android(g)
	d.apns(g)
	d.webpush(g)
	return g
}

// labelled adds the options of a part with its analytics label.
func (d drawer) labelled(p part, label string) {
	p.fcm[d.spell("fcm_options")], p.node["fcmOptions"] = map[string]any{d.spell("analytics_label"): label}, map[string]any{"analyticsLabel": label}
}
