package tokens

import (
	"cmp"
	"encoding/json"
	"strings"
	"time"

	"fanfare/internal/notification"
)

// details is what user:<id>:devices says of an address.
type details struct {
	kind     string // "fid", "token" or anything else
	platform string
	locale   string
	timeZone string
	lastSeen time.Time
}

// device returns the device of an address with these details.
func (d details) device(address string) notification.Device {
	return notification.Device{
		Target: notification.ParseAddress(address, d.kind), Platform: notification.NormalizePlatform(d.platform), Locale: d.locale, TimeZone: d.timeZone, LastSeen: d.lastSeen,
	}
}

// parseDetails reads the value of an address: a JSON object, a time, or nothing. It ignores what it
// cannot read, because the address alone suffices.
func parseDetails(text string) details {
	text = strings.TrimSpace(text)
	if !strings.HasPrefix(text, "{") {
		return details{lastSeen: notification.ParseLastSeen(strings.Trim(text, `"`))}
	}
	var m members
	if json.Unmarshal([]byte(text), &m) != nil {
		return details{}
	}
	seen := cmp.Or(m.LastSeen, m.LastUse, m.LastUsed, m.LastUsedAt, m.LastSeenAt, m.SnakeSeen, m.SnakeUse, m.SnakeUsed, m.SnakeUsedAt, m.SnakeSeenAt)
	return details{
		kind: strings.ToLower(string(cmp.Or(m.Kind, m.Type))), platform: string(m.Platform),
		locale: string(cmp.Or(m.Locale, m.Language)), timeZone: string(cmp.Or(m.TimeZone, m.SnakeZone)), lastSeen: notification.ParseLastSeen(string(seen)),
	}
}

// members are the members of an object as programs name them, in any case of their letters.
type members struct {
	Kind, Type, Platform, Locale, Language              memberText
	LastSeen, LastSeenAt, LastUse, LastUsed, LastUsedAt memberText
	TimeZone                                            memberText
	SnakeZone                                           memberText `json:"time_zone"`
	SnakeSeen                                           memberText `json:"last_seen"`
	SnakeSeenAt                                         memberText `json:"last_seen_at"`
	SnakeUse                                            memberText `json:"last_use"`
	SnakeUsed                                           memberText `json:"last_used"`
	SnakeUsedAt                                         memberText `json:"last_used_at"`
}

// memberText is a text, or a number as it is written. It is empty for other values.
type memberText string

// UnmarshalJSON never fails, because one member must not hide the others.
func (m *memberText) UnmarshalJSON(value []byte) error {
	switch c := value[0]; {
	case c == '"':
		var text string
		if json.Unmarshal(value, &text) == nil {
			*m = memberText(text)
		}
	case c == '-' || '0' <= c && c <= '9':
		*m = memberText(value)
	}
	return nil
}

// valueOf returns the value of a device in user:<id>:devices.
func valueOf(d notification.Device) string {
	value := struct {
		Kind     string `json:"kind"`
		Platform string `json:"platform,omitempty"`
		Locale   string `json:"locale,omitempty"`
		TimeZone string `json:"timeZone,omitempty"`
		LastUse  string `json:"lastUse,omitempty"`
	}{Kind: kindToken, Platform: d.Platform, Locale: d.Locale, TimeZone: d.TimeZone}
	if d.Target.Kind == notification.TargetFID {
		value.Kind = kindFID
	}
	if !d.LastSeen.IsZero() {
		value.LastUse = d.LastSeen.UTC().Format(time.RFC3339)
	}
	text, err := json.Marshal(value)
	if err != nil {
		panic(err) // texts always marshal
	}
	return string(text)
}

// The kinds of addresses.
const (
	kindFID   = "fid"
	kindToken = "token"
)
