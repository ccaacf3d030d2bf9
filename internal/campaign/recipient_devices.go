package campaign

import (
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"fanfare/internal/bounds"
	"fanfare/internal/notification"
)

// readDevices reads the element's list of devices, objects with a fid or a token each, and perhaps
// platform, locale, timeZone and lastSeen. An address beside the list joins it as the first device.
// A list with a single usable address becomes the recipient's Target.
//
// A device without a usable address stays in the list with its Problem, so that it ends by itself.
// An address that is listed twice counts once.
func readDevices(literal json.RawMessage, r *notification.Recipient) error {
	if isNull(literal) {
		return nil
	}
	var items []json.RawMessage
	if literal[0] != '[' || json.Unmarshal(literal, &items) != nil {
		return &MalformedError{"devices is not a list"}
	}
	if len(items) > notification.MaxDevices {
		return &MalformedError{fmt.Sprintf("devices has %d entries, want at most %d", len(items), notification.MaxDevices)}
	}
	if len(items) == 0 {
		return nil
	}
	all := r.Devices // a fid and a token beside the list
	if !r.Target.IsZero() {
		all = append(all, notification.Device{Target: r.Target, Platform: r.Platform, Locale: r.Locale, TimeZone: r.TimeZone})
	}
	for _, item := range items {
		if device := readDevice(item); device.Problem != "" || !hasAddress(all, device.Target) {
			all = append(all, device)
		}
	}
	if len(all) == 1 && all[0].Problem == "" {
		*r = r.ForDevice(all[0])
		return nil
	}
	r.Target, r.Devices = notification.Target{}, all
	return nil
}

// readDevice reads one device. It never fails: a bad device has a Problem, or an invalid Target.
func readDevice(literal json.RawMessage) notification.Device {
	var fields map[string]json.RawMessage
	if literal[0] != '{' || json.Unmarshal(literal, &fields) != nil {
		return notification.Device{Problem: "it is not an object"}
	}
	var d notification.Device
	platform, _, _ := readString(fields["platform"])
	d.Platform = notification.NormalizePlatform(platform)
	d.Locale, _, _ = readString(fields["locale"])
	d.TimeZone, _, _ = readString(fields["timeZone"])
	d.LastSeen = readLastSeen(fields["lastSeen"])
	token, err := readAddress("token", fields)
	fid, err2 := readAddress("fid", fields)
	switch {
	case err != nil || err2 != nil:
		d.Problem = "its address is not a text"
		return d
	case token != "" && fid != "":
		d.Problem = "it has both a token and a fid"
		return d
	case fid != "":
		d.Target = notification.ParseFID(fid)
	default:
		d.Target = notification.ParseToken(token)
	}
	if d.Target.IsZero() {
		d.Problem = "it has neither a token nor a fid"
	}
	return d
}

// readLastSeen reads a moment in RFC 3339 or in milliseconds since 1970. Any other value is zero:
// unknown.
func readLastSeen(literal json.RawMessage) time.Time {
	if text, isString, err := readString(literal); isString && err == nil {
		return parseTime(text)
	}
	ms, err := strconv.ParseInt(string(literal), 10, 64)
	if err != nil {
		return time.Time{}
	}
	return bounds.Milli(ms)
}

func hasAddress(devices []notification.Device, target notification.Target) bool {
	for i := range devices {
		if devices[i].Target.IsSame(target) {
			return true
		}
	}
	return false
}

// appendDevices appends the list of devices, unless it is empty.
func appendDevices(dst []byte, devices []notification.Device) []byte {
	if len(devices) == 0 {
		return dst
	}
	dst = append(dst, `,"devices":[`...)
	for i, d := range devices {
		if i > 0 {
			dst = append(dst, ',')
		}
		start := len(dst)
		dst = appendAddress(append(dst, '{'), "token", d.Target)
		dst = appendMember(dst, "platform", d.Platform)
		dst = appendMember(dst, "locale", d.Locale)
		dst = appendMember(dst, "timeZone", d.TimeZone)
		if !d.LastSeen.IsZero() {
			dst = appendMember(dst, "lastSeen", d.LastSeen.UTC().Format(time.RFC3339Nano))
		}
		if len(dst) > start+1 {
			dst = append(dst[:start+1], dst[start+2:]...) // the first member follows a comma
		}
		dst = append(dst, '}')
	}
	return append(dst, ']')
}
