package profiles

import (
	"cmp"
	"encoding/json"
)

// TimeZone returns the name of the user's time zone, as the profile has it; "" if it has none.
func (p Profile) TimeZone() string {
	return cmp.Or(p.text("timeZone"), p.text("time_zone"), p.text("timezone"))
}

// QuietHours returns when the user wants no push, as the profile has it; "" if it does not say.
func (p Profile) QuietHours() string {
	return cmp.Or(p.text("quietHours"), p.text("quiet_hours"))
}

// text returns a member of the profile; "" for anything but a text.
func (p Profile) text(member string) (text string) {
	_ = json.Unmarshal(p[member], &text)
	return text
}
