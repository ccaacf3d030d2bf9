package content

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"math"
	"strconv"
	"strings"
)

// slotKind is what differs between the copies of a message.
type slotKind uint8

const (
	slotValue      slotKind = iota // a placeholder's value
	slotTarget                     // "token":"…" or "fid":"…"
	slotSeparator                  // a comma, if there is a target
	slotMark                       // a tag for Android, or a collapse id for iOS
	slotAndroidTTL                 // a duration
	slotExpiration                 // a time in seconds since 1970, for iOS
	slotWebTTL                     // seconds
)

// slot is a place in a template. own is the message's own TTL in the slot's unit, which stays if it
// is shorter.
type slot struct {
	kind slotKind
	own  int64
}

// noOwn is the own TTL of a message without one.
const noOwn = math.MaxInt64

// layout chooses what a template has beside the message: marks, TTLs, both or neither.
type layout uint8

const (
	withMarks layout = 1 << iota
	withTTL
	layouts = 1 << iota
)

// apply returns the message with the layout's slots.
func (l layout) apply(message *object) *object {
	if l&withMarks != 0 {
		message = addMarks(message)
	}
	if l&withTTL != 0 {
		message = addTTLs(message)
	}
	return message
}

// addMarks adds the slots for the tag and the collapse id, so that a device shows a repeated
// message once.
func addMarks(message *object) *object {
	mark := slot{kind: slotMark}
	tag, collapse := tagPath(message), needsCollapseID(message)
	if tag != nil {
		message = message.with(mark, tag...)
	}
	if collapse {
		message = withHeader(message, "apns", headerCollapseID, mark)
	}
	return message
}

// addTTLs adds slots that limit how long each platform keeps the copy.
func addTTLs(message *object) *object {
	android := "android"
	if _, v2 := message.get("android_v2"); v2 {
		android = "android_v2"
	}
	own := int64(noOwn)
	if text, found := message.child(android).get("ttl"); found {
		if d, ok := parseDuration(asText(text)); ok {
			own = int64(d)
		}
	}
	message = message.with(slot{slotAndroidTTL, own}, android, "ttl")
	message = withHeader(message, "apns", headerExpiration, slot{slotExpiration, ownHeader(message, "apns", headerExpiration)})
	return withHeader(message, "webpush", headerWebTTL, slot{slotWebTTL, ownHeader(message, "webpush", headerWebTTL)})
}

// Headers that a copy may get, in the case that FCM documents. Apple ignores the case.
const (
	headerCollapseID = "apns-collapse-id"
	headerExpiration = "apns-expiration"
	headerPushType   = "apns-push-type"
	headerWebTTL     = "TTL"
)

// findHeader looks up a header in any case.
func findHeader(message *object, part, name string) (value any, spelled string, found bool) {
	if headers := message.child(part).child("headers"); headers != nil {
		for _, m := range headers.members {
			if strings.EqualFold(m.name, name) {
				return m.value, m.name, true
			}
		}
	}
	return nil, name, false
}

// ownHeader returns a header's number, or noOwn.
func ownHeader(message *object, part, name string) int64 {
	value, _, _ := findHeader(message, part, name)
	if n, err := strconv.ParseInt(asText(value), 10, 64); err == nil {
		return n
	}
	return noOwn
}

// withHeader sets a header, which keeps its spelling.
func withHeader(message *object, part, name string, value any) *object {
	_, spelled, _ := findHeader(message, part, name)
	return message.with(value, part, "headers", spelled)
}

func asText(node any) string {
	text, _ := node.(string)
	return text
}

// tagPath returns where the tag goes, or nil. It goes where Android shows a notification that has
// no tag. A message of data alone gets none, because a notification with a tag would appear on the
// screen.
func tagPath(message *object) []string {
	path := []string{"android", "notification", "tag"}
	parent, shown := message.child("android"), true
	if v2, is := message.get("android_v2"); is {
		path = []string{"android_v2", "remote_notification", "notification", "tag"}
		v2, _ := v2.(*object)
		parent = v2.child("remote_notification")
		_, shown = v2.get("remote_notification")
	}
	if own := parent.child("notification"); own != nil {
		if tag, _ := own.get("tag"); tag != nil && tag != "" {
			return nil
		}
		return path
	}
	if message.child("notification") == nil || !shown {
		return nil
	}
	return path
}

// needsCollapseID reports whether iOS shows a notification and the message has no collapse id.
func needsCollapseID(message *object) bool {
	apns := message.child("apns")
	if _, _, own := findHeader(message, "apns", headerCollapseID); own {
		return false
	}
	if token, _ := apns.get("live_activity_token"); token != nil && token != "" {
		return false
	}
	if kind, _, found := findHeader(message, "apns", headerPushType); found {
		return kind == "alert"
	}
	if message.child("notification") != nil {
		return true
	}
	alert, found := apns.child("payload").child("aps").get("alert")
	_, null := alert.(json.RawMessage)
	return found && !null
}

// structural reports whether a placeholder decides about the marks or the TTLs of a copy. Such a
// message is compiled again once it is filled in.
func structural(message *object) bool {
	isDynamic := func(node any) bool { _, is := node.(*dynamic); return is }
	for _, platform := range []string{"android", "android_v2"} {
		ttl, _ := message.child(platform).get("ttl")
		tag, _ := message.child(platform).child("notification").get("tag")
		newTag, _ := message.child(platform).child("remote_notification").child("notification").get("tag")
		if isDynamic(ttl) || isDynamic(tag) || isDynamic(newTag) {
			return true
		}
	}
	if token, _ := message.child("apns").get("live_activity_token"); isDynamic(token) {
		return true
	}
	for _, header := range [][2]string{{"apns", headerCollapseID}, {"apns", headerExpiration}, {"apns", headerPushType}, {"webpush", headerWebTTL}} {
		if value, _, _ := findHeader(message, header[0], header[1]); isDynamic(value) {
			return true
		}
	}
	return false
}

// maxMarkSize is the most that tag and collapse id add to a copy's JSON. If they do not fit, the
// message goes out without them.
const maxMarkSize = len(`,"android_v2":{"remote_notification":{"notification":{"tag":""}}},"apns":{"headers":{"apns-collapse-id":""}}`) + 2*maxCollapseID

// appendMark appends the tag on Android and the collapse id on iOS. A device that receives the same
// message twice shows it once. The mark is readable if campaign and user are short and plain, and a
// hash otherwise.
func appendMark(dst []byte, campaign, user string) []byte {
	if len(campaign)+len(":")+len(user) <= maxCollapseID && isPlain(campaign) && isPlain(user) {
		return append(append(append(dst, campaign...), ':'), user...)
	}
	sum := sha256.Sum256([]byte(strconv.Quote(campaign) + user))
	return base64.RawURLEncoding.AppendEncode(dst, sum[:])
}

// isPlain reports whether a name fits into a header and has no colon, which would make two pairs
// look alike.
func isPlain(name string) bool {
	for i := range len(name) {
		c := name[i]
		if (c|0x20 < 'a' || c|0x20 > 'z') && (c < '0' || c > '9') && c != '-' && c != '_' && c != '.' {
			return false
		}
	}
	return true
}
