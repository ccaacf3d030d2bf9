package notification_test

import (
	"strings"
	"testing"

	"fanfare/internal/notification"
)

func TestNormalizePlatform(t *testing.T) {
	for text, want := range map[string]string{
		"ios": "ios", "iOS": "ios", "web_push2": "web_push2", strings.Repeat("x", 32): strings.Repeat("x", 32),
		"az09_": "az09_", "AZ": "az",
		"": "", "i os": "", "ios:": "", "ios/": "", "ios`": "", "ios{": "", "größe": "", strings.Repeat("x", 33): "",
	} {
		if got := notification.NormalizePlatform(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

// Addresses of one installation are one device. What cannot be sent to is none, and hides none.
func TestDevicesAreCounted(t *testing.T) {
	fid := "dGhpc2lzYW5pbnN0YWxsMQ"
	token, moved, other := notification.ParseToken(fid+":APA91b"), notification.ParseFID(fid), notification.ParseToken("another")
	bad := notification.ParseToken("two words")
	for name, c := range map[string]struct {
		all  []notification.Target
		want int
	}{
		"none":                   {nil, 0},
		"two":                    {[]notification.Target{token, other}, 2},
		"a token and its FID":    {[]notification.Target{token, moved, other}, 2},
		"the same twice":         {[]notification.Target{other, other}, 1},
		"unusable":               {[]notification.Target{bad, {}}, 0},
		"unusable before usable": {[]notification.Target{bad, other}, 1},
	} {
		var devices []notification.Device
		for _, target := range c.all {
			devices = append(devices, notification.Device{Target: target})
		}
		if got := notification.CountDevices(devices); got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
}

// A user has an address if a device has one.
func TestHasAddress(t *testing.T) {
	good, bad := notification.ParseToken("tok-1"), notification.ParseToken("two words")
	for name, c := range map[string]struct {
		r    notification.Recipient
		want bool
	}{
		"none":           {notification.Recipient{}, false},
		"own":            {notification.Recipient{Target: good}, true},
		"unusable":       {notification.Recipient{Target: bad, Devices: []notification.Device{{Target: bad}, {}}}, false},
		"second device":  {notification.Recipient{Devices: []notification.Device{{Target: bad}, {Target: good}}}, true},
		"installationID": {notification.Recipient{Target: notification.ParseFID("fid-1")}, true},
	} {
		if got := c.r.HasAddress(); got != c.want {
			t.Errorf("%s: has an address: %v", name, got)
		}
	}
}

// What a device does not say is as it is for its user.
func TestForDevice(t *testing.T) {
	user := notification.Recipient{UserID: "u", Platform: "ios", Locale: "de", TimeZone: "UTC", QuietHours: "22:00-07:00"}
	user.Devices = []notification.Device{{Target: notification.ParseToken("tok-1")}}
	known := notification.Device{Target: notification.ParseToken("tok-2"), Platform: "web", Locale: "fr", TimeZone: "Asia/Tokyo"}
	for _, c := range []struct {
		d                    notification.Device
		platform, lang, zone string
	}{{user.Devices[0], "ios", "de", "UTC"}, {known, "web", "fr", "Asia/Tokyo"}} {
		got := user.ForDevice(c.d)
		if got.Platform != c.platform || got.Locale != c.lang || got.TimeZone != c.zone || got.Target != c.d.Target || got.Devices != nil || got.UserID != "u" || got.QuietHours != "22:00-07:00" {
			t.Errorf("%+v became %+v", c.d, got)
		}
	}
}
