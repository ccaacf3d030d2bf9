package fcm

import "firebase.google.com/go/v4/messaging"

// markRoom is what both marks may add to a copy's JSON. A message that is so full that they do not fit goes out without.
const maxMarkSize = len(`,"android":{"notification":{"tag":""}},"apns":{"headers":{"apns-collapse-id":""}}`) + 2*maxCollapseID

// wantsTag: Android shows something, and the message has no tag of its own. A message of data alone stays one: an Android
// notification made for the tag would put it on the screen.
func needsTag(m *messaging.Message) bool {
	if m.Android == nil || m.Android.Notification == nil {
		return m.Notification != nil
	}
	return m.Android.Notification.Tag == ""
}

// wantsCollapseID: iOS shows something, and the message has no collapse id of its own.
func needsCollapseID(m *messaging.Message) bool {
	if m.APNS == nil {
		return m.Notification != nil
	}
	if _, own := findHeader(m.APNS.Headers, headerCollapseID); own || m.APNS.LiveActivityToken != "" {
		return false
	}
	if kind, told := findHeader(m.APNS.Headers, headerPushType); told {
		return kind == "alert"
	}
	if m.Notification != nil {
		return true
	}
	if m.APNS.Payload == nil || m.APNS.Payload.Aps == nil {
		return false
	}
	_, alert := m.APNS.Payload.Aps.CustomData["alert"]
	return alert
}
