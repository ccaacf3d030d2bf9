package profiles

import (
	"cmp"
	"encoding/json"
)

// TimeZone returns the name of the user's time zone, as the profile has it; "" if it has none.
func (p Profile) TimeZone() string {
	text := func(field string) (name string) {
		_ = json.Unmarshal(p[field], &name) // anything but a text is no zone
		return name
	}
	return cmp.Or(text("timeZone"), text("time_zone"), text("timezone"))
}
