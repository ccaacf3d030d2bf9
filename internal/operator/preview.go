package operator

import (
	"cmp"
	"context"
	"encoding/json"
	"strings"
	"time"

	"fanfare/internal/notification"
)

// Preview is how one platform shows a message.
type Preview struct {
	Platform string `json:"platform"` // Android, iOS or Web
	Title    string `json:"title,omitempty"`
	Body     string `json:"body,omitempty"`
	Image    string `json:"image,omitempty"`
	// Details say how it comes, such as "high priority", or where a click leads.
	Details []string `json:"details,omitempty"`
	// TTL is how long FCM keeps it for a device that is offline; 0: as long as FCM does by itself.
	TTL time.Duration `json:"-"`
}

// IsSilent reports whether nothing is shown: the app gets the data, and decides.
func (p Preview) IsSilent() bool { return p.Title == "" && p.Body == "" }

// MessagePreview is a campaign's message as one user would see it.
type MessagePreview struct {
	Campaign string               `json:"campaignId"`
	User     string               `json:"userId,omitempty"`
	Variant  string               `json:"variant,omitempty"`
	Locale   string               `json:"locale,omitempty"`
	HeldOut  bool                 `json:"heldOut,omitempty"`
	Problem  string               `json:"problem,omitempty"` // why the user would get nothing
	Bytes    int                  `json:"bytes"`             // of the message as JSON
	Devices  []Preview            `json:"devices"`
	Message  notification.Message `json:"-"`
}

// Preview shows a campaign's message as a user would see it, from the profile and the defaults.
// Without a user, placeholders stay as they are. It changes nothing.
func (o *Operator) Preview(ctx context.Context, id, user string) (MessagePreview, error) {
	spec, err := o.deps.Campaigns.Get(ctx, id)
	if err != nil {
		return MessagePreview{}, err
	}
	filled, err := o.FillForNewest(ctx, spec, user)
	if err != nil {
		return MessagePreview{}, err
	}
	out := MessagePreview{Campaign: id, User: user, Variant: filled.Variant, Locale: filled.Locale, HeldOut: filled.HeldOut, Message: filled.Message}
	if filled.Err != nil {
		out.Problem = filled.Err.Error()
	}
	if out.Message == nil {
		out.Message = filled.Template
	}
	out.Bytes, out.Devices = len(out.Message), PreviewMessage(out.Message)
	return out, nil
}

// MarshalJSON writes the message as JSON, not as a string.
func (p MessagePreview) MarshalJSON() ([]byte, error) {
	type plain MessagePreview
	return json.Marshal(struct {
		plain
		Message json.RawMessage `json:"message"`
	}{plain(p), json.RawMessage(p.Message)})
}

// PreviewMessage returns how Android, iOS and browsers show a message. It returns nil for a text
// that is no message.
func PreviewMessage(text notification.Message) []Preview {
	var m shownMessage
	if json.Unmarshal(text, &m) != nil {
		return nil
	}
	apple := m.alert().or(m.Notification).preview("iOS", m.appleDetails())
	apple.Image = cmp.Or(m.APNS.Options.Image, apple.Image)
	if m.APNS.Headers["apns-push-type"] == "background" {
		apple.Title, apple.Body, apple.Image = "", "", ""
	}
	var link []string
	if m.Webpush.Options.Link != "" {
		link = []string{m.Webpush.Options.Link}
	}
	return []Preview{m.android(), apple, m.Webpush.Notification.or(m.Notification).preview("Web", link)}
}

// shownMessage is the part of FCM's message that devices show.
type shownMessage struct {
	Notification *shownText `json:"notification"`
	Data         map[string]json.RawMessage
	Android      shownAndroid
	AndroidV2    *struct {
		TTL                string
		RemoteNotification *shownAndroid `json:"remote_notification"`
	} `json:"android_v2"`
	APNS struct {
		Headers map[string]string
		Payload struct {
			APS struct {
				Alert            json.RawMessage
				Badge            json.RawMessage
				Sound            json.RawMessage
				ContentAvailable any `json:"content-available"`
			}
		}
		Options struct{ Image string } `json:"fcm_options"`
	}
	Webpush struct {
		Notification shownText
		Options      struct{ Link string } `json:"fcm_options"`
	}
}

// shownAndroid is what Android shows, of either version.
type shownAndroid struct {
	Priority     string
	TTL          string
	Notification struct {
		shownText
		ChannelID string `json:"channel_id"`
		Sound     string
	}
}

// shownText is what a notification says. A key stands for a text that the app has.
type shownText struct {
	Title, Body, Image string
	TitleKey           string `json:"title_loc_key"`
	BodyKey            string `json:"body_loc_key"`
}

func (t shownText) preview(platform string, details []string) Preview {
	return Preview{Platform: platform, Title: t.Title, Body: t.Body, Image: t.Image, Details: details}
}

// or returns the text with what it lacks from another one.
func (t shownText) or(base *shownText) shownText {
	if base == nil {
		base = &shownText{}
	}
	return shownText{
		Title: cmp.Or(t.Title, keyText(t.TitleKey), base.Title), Body: cmp.Or(t.Body, keyText(t.BodyKey), base.Body), Image: cmp.Or(t.Image, base.Image),
	}
}

func keyText(key string) string {
	if key == "" {
		return ""
	}
	return "[the app’s text " + key + "]"
}

// alert is what iOS shows: a text, or a title and a body.
func (m shownMessage) alert() shownText {
	var t struct {
		shownText

		TitleKey string `json:"title-loc-key"`
		BodyKey  string `json:"loc-key"`
	}
	if json.Unmarshal(m.APNS.Payload.APS.Alert, &t.Body) == nil {
		return shownText{Body: t.Body}
	}
	_ = json.Unmarshal(m.APNS.Payload.APS.Alert, &t) // nothing of it is shown then
	return shownText{Title: t.Title, Body: t.Body, TitleKey: t.TitleKey, BodyKey: t.BodyKey}
}

// android is how Android shows the message. With android_v2, only a remote notification is shown.
func (m shownMessage) android() Preview {
	part := m.Android
	if v2 := m.AndroidV2; v2 != nil {
		if v2.RemoteNotification == nil {
			return shownText{}.preview("Android", []string{"background sync, which may be delayed"}).keptFor(v2.TTL)
		}
		part = *v2.RemoteNotification
		part.TTL = v2.TTL
	}
	return part.Notification.or(m.Notification).preview("Android", part.details()).keptFor(part.TTL)
}

// keptFor sets the TTL, as FCM writes it.
func (p Preview) keptFor(ttl string) Preview {
	p.TTL, _ = time.ParseDuration(ttl) // 0 if it has none
	return p
}

func (a shownAndroid) details() []string {
	var details []string
	if channel := a.Notification.ChannelID; channel != "" {
		details = append(details, "channel "+channel)
	}
	if a.Priority != "" {
		details = append(details, strings.ToLower(a.Priority)+" priority")
	}
	return details
}

func (m shownMessage) appleDetails() []string {
	aps := m.APNS.Payload.APS
	var details []string
	var alert struct{ Subtitle string }
	if json.Unmarshal(aps.Alert, &alert) == nil && alert.Subtitle != "" {
		details = append(details, "subtitle "+alert.Subtitle)
	}
	if len(aps.Sound) > 0 {
		details = append(details, describeSound(aps.Sound))
	}
	if len(aps.Badge) > 0 {
		details = append(details, "badge "+strings.Trim(string(aps.Badge), `"`))
	}
	if aps.ContentAvailable == 1.0 || aps.ContentAvailable == true {
		details = append(details, "wakes the app")
	}
	return details
}

// describeSound names a sound: a text, or an object with the name of a critical alert's.
func describeSound(raw json.RawMessage) string {
	var sound struct {
		Name     string
		Critical any
	}
	if json.Unmarshal(raw, &sound) != nil {
		return "sound " + strings.Trim(string(raw), `"`)
	}
	if sound.Critical == 1.0 || sound.Critical == true {
		return "critical sound " + sound.Name
	}
	return "sound " + sound.Name
}
