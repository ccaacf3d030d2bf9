package tokens

import (
	"slices"

	"fanfare/internal/notification"
)

// Newest returns the address of the device that was used last, or the zero Target without devices.
func Newest(devices []notification.Device) notification.Target {
	if len(devices) == 0 {
		return notification.Target{}
	}
	return devices[0].Target
}

// arrange puts the newest last use first and keeps one address of each device. Without times, the
// order stays.
//
// A registration token begins with the installation ID of its device. It gives way to that ID, or
// to the newer of two tokens, so that the device gets one message. It stays stored: only FCM proves
// a token dead, and it is worth a try if the ID proves dead.
func arrange(devices []notification.Device) []notification.Device {
	slices.SortStableFunc(devices, func(a, b notification.Device) int { return b.LastSeen.Compare(a.LastSeen) })
	kept := devices[:0:0]
	for i, d := range devices {
		if !isSuperseded(d.Target, devices, i) {
			kept = append(kept, d)
		}
	}
	return kept
}

// limitDevices leaves each user the devices that were used last.
func (s *Store) limitDevices(found map[string][]notification.Device) {
	users, left, example := 0, 0, ""
	for user, devices := range found {
		if over := len(devices) - notification.MaxDevices; over > 0 {
			found[user] = devices[:notification.MaxDevices:notification.MaxDevices]
			users, left, example = users+1, left+over, user
		}
	}
	if users > 0 {
		s.warnSometimes.Do(func() {
			s.opts.Logger.Warn("users have more devices than the limit; those used longest ago get nothing", "users", users, "devices", left, "limit", notification.MaxDevices, "example", example)
		})
	}
}

// isSuperseded reports whether another address of the device at this position is kept instead.
func isSuperseded(t notification.Target, devices []notification.Device, position int) bool {
	fid := t.FID()
	for i, other := range devices {
		switch {
		case i == position:
		case other.Target.IsSame(t):
			if i < position {
				return true
			}
		case t.Kind != notification.TargetToken || fid == "":
		case other.Target.Kind == notification.TargetFID && other.Target.Value == fid,
			i < position && notification.IsInstallationID(fid) && other.Target.FID() == fid:
			return true
		}
	}
	return false
}
