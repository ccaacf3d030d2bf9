// Package notification holds the nouns that all packages share: Recipient, Message, Target, and the
// Result of a delivery with its Status. It imports the standard library only.
package notification

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"
	"time"
)

// Recipient is one element of a campaign's list, as its producer wrote it.
type Recipient struct {
	// UserID is the producer's own id. A JSON number keeps its digits as written.
	UserID string
	// Target is the user's address according to the producer. The zero Target means "look it up",
	// unless there are Devices.
	Target Target
	// Devices are the user's devices according to the producer, if the element lists them.
	Devices []Device
	// Vars fill the message's placeholders before the profile does. Values are the producer's JSON.
	Vars map[string]json.RawMessage
	// Tag stands in the user's place in the tag on Android and the collapse id on iOS. So messages
	// to one user with different tags do not replace each other. It may be empty.
	Tag string
	// Locale is a BCP 47 tag such as "pt-BR". TimeZone is an IANA name such as "Asia/Saigon". Both
	// may be empty.
	Locale   string
	TimeZone string
	// UserLocale is the user's locale, beside that of the device in Locale. It is used if the
	// device's names no language.
	UserLocale string
	// Platform is what the user's device runs, such as android, ios or web, in lower case. It is
	// empty if the producer does not say.
	Platform string
	// QuietHours are when the user wants no push, such as "22:00-07:00". They may be empty.
	QuietHours string
}

// Device is one address of a user, with what is known of the device behind it.
type Device struct {
	Target Target
	// Problem says why there is no Target, in a producer's list of devices. It is empty otherwise.
	Problem string
	// Platform, Locale and TimeZone are as in a Recipient. They may be empty.
	Platform string
	Locale   string
	TimeZone string
	// LastSeen is when the device was last used. It is zero if that is unknown.
	LastSeen time.Time
}

// CountDevices returns how many devices can be sent to. Addresses of one installation are one
// device.
func CountDevices(all []Device) (n int) {
	for i, d := range all {
		isKnown := func(other Device) bool { return other.Target.IsSendable() && other.Target.IsSameDevice(d.Target) }
		if d.Target.IsSendable() && !slices.ContainsFunc(all[:i], isKnown) {
			n++
		}
	}
	return n
}

// HasAddress reports whether the producer gave an address that can be sent to.
func (r Recipient) HasAddress() bool {
	return r.Target.IsSendable() || slices.ContainsFunc(r.Devices, func(d Device) bool { return d.Target.IsSendable() })
}

// ForDevice returns the recipient as it is for one of its devices. What is unknown of the device
// stays as it is known of the user.
func (r Recipient) ForDevice(d Device) Recipient {
	r.Target, r.Devices = d.Target, nil
	if d.Locale != "" {
		r.Locale, r.UserLocale = d.Locale, cmp.Or(r.UserLocale, r.Locale)
	}
	r.Platform, r.TimeZone = cmp.Or(d.Platform, r.Platform), cmp.Or(d.TimeZone, r.TimeZone)
	return r
}

// MaxDevices is how many devices of a user get a message. All of them are in one result, and more
// than these are no person's.
const MaxDevices = 20

// maxPlatform is the longest name of a platform in bytes.
const maxPlatform = 32

// NormalizePlatform returns a platform's name in lower case: 1 to 32 letters a to z, digits and
// underscores. Any other text gives "", because the name becomes part of fields in Redis.
func NormalizePlatform(text string) string {
	if len(text) > maxPlatform {
		return ""
	}
	name := strings.ToLower(text)
	for _, c := range []byte(name) {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '_' {
			return ""
		}
	}
	return name
}
