package campaign

import (
	"maps"
	"strings"

	"fanfare/internal/notification"
)

// NoteMoved is the note of registration tokens that died when their app moved to an installation
// ID, which was tried in their place.
const NoteMoved = "moved"

// noteDevices is the note of devices beside the best one of their user. With a status, and with a
// status and a code, it has those that ended so.
const noteDevices = "devices"

// NotesOfDevice returns the notes of a device that ended beside a better one of its user. A rare
// code is counted as OTHER.
func NotesOfDevice(status notification.Status, code string) []string {
	by := noteDevices + ":" + string(status)
	if code == "" {
		return []string{noteDevices, by}
	}
	if notification.IsRareCode(code) {
		code = notification.CodeOther
	}
	return []string{noteDevices, by, by + ":" + code}
}

// DeviceBooks are the figures of the devices of recipients that have ended. A recipient without an
// address, or with one, counts as one device.
type DeviceBooks struct {
	// Total is the sum of Sent to Unknown; see IsBalanced.
	Total   int64 `json:"total"`
	Sent    int64 `json:"sent"`
	Failed  int64 `json:"failed"`
	Skipped int64 `json:"skipped"`
	Expired int64 `json:"expired"`
	Unknown int64 `json:"unknown"`
	// Codes counts devices by "status:code".
	Codes map[string]int64 `json:"codes,omitempty"`
}

// IsBalanced reports whether every device is accounted for.
func (d DeviceBooks) IsBalanced() bool {
	return d.Total == d.Sent+d.Failed+d.Skipped+d.Expired+d.Unknown
}

// devicesOf adds the notes to what the books say of the users' best devices. It returns nil without
// notes of devices, so recipients with one device cost nothing.
func devicesOf(b Books, notes map[string]string) *DeviceBooks {
	others := parseCount(notes["note:"+noteDevices])
	if others == 0 {
		return nil
	}
	ended := func(s notification.Status) int64 { return parseCount(notes["note:"+noteDevices+":"+string(s)]) }
	d := &DeviceBooks{
		Total:   b.CountEnded() + others,
		Sent:    b.Sent + ended(notification.StatusSent),
		Failed:  b.Failed + ended(notification.StatusFailed),
		Skipped: b.Skipped + ended(notification.StatusSkipped),
		Expired: b.Expired + ended(notification.StatusExpired),
		Unknown: b.Unknown + ended(notification.StatusUnknown),
		Codes:   maps.Clone(b.Codes),
	}
	for name, n := range notes {
		rest, isDevice := strings.CutPrefix(name, "note:"+noteDevices+":")
		if !isDevice || !strings.Contains(rest, ":") {
			continue
		}
		if d.Codes == nil {
			d.Codes = make(map[string]int64)
		}
		d.Codes[rest] += parseCount(n)
	}
	return d
}
