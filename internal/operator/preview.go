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
	filled, err := o.FillFor(ctx, spec, user)
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
	android := m.Android.Notification.or(m.Notification).preview("Android", m.androidDetails())
	android.TTL, _ = time.ParseDuration(m.Android.TTL) // 0 if it has none
	apple := m.alert().or(m.Notification).preview("iOS", m.appleDetails())
	apple.Image = cmp.Or(m.APNS.Options.Image, apple.Image)
	var link []string
	if m.Webpush.Options.Link != "" {
		link = []string{m.Webpush.Options.Link}
	}
	return []Preview{android, apple, m.Webpush.Notification.or(m.Notification).preview("Web", link)}
}

// shownMessage is the part of FCM's message that devices show.
type shownMessage struct {
	Notification *shownText `json:"notification"`
	Data         map[string]json.RawMessage
	Android      struct {
		Priority     string
		TTL          string
		Notification struct {
			shownText
			ChannelID string `json:"channel_id"`
			Sound     string
		}
	}
	APNS struct {
		Headers map[string]string
		Payload struct {
			APS struct {
				Alert            json.RawMessage
				Badge            json.RawMessage
				Sound            json.RawMessage
				ContentAvailable json.RawMessage `json:"content-available"`
			}
		}
		Options struct{ Image string } `json:"fcm_options"`
	}
	Webpush struct {
		Notification shownText
		Options      struct{ Link string } `json:"fcm_options"`
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

func (m shownMessage) androidDetails() []string {
	var details []string
	if channel := m.Android.Notification.ChannelID; channel != "" {
		details = append(details, "channel "+channel)
	}
	if m.Android.Priority != "" {
		details = append(details, strings.ToLower(m.Android.Priority)+" priority")
	}
	return details
}

func (m shownMessage) appleDetails() []string {
	aps := m.APNS.Payload.APS
	var details []string
	for _, each := range []struct {
		name string
		raw  json.RawMessage
	}{{"sound", aps.Sound}, {"badge", aps.Badge}} {
		if len(each.raw) > 0 {
			details = append(details, each.name+" "+strings.Trim(string(each.raw), `"`))
		}
	}
	if string(aps.ContentAvailable) == "1" {
		details = append(details, "wakes the app")
	}
	return details
}
