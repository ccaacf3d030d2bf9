package profiles

import "strings"

// fillable are the places of a message in which placeholders are recognised; * stands for any key or index.
var fillablePaths = parsePaths(`
	data.*
	notification.title
	notification.body
	notification.image
	android.data.*
	android.notification.title
	android.notification.body
	android.notification.ticker
	android.notification.image
	android.notification.click_action
	android.notification.title_loc_args.*
	android.notification.body_loc_args.*
	apns.payload.aps.alert
	apns.payload.aps.alert.title
	apns.payload.aps.alert.subtitle
	apns.payload.aps.alert.body
	apns.payload.aps.alert.title-loc-args.*
	apns.payload.aps.alert.subtitle-loc-args.*
	apns.payload.aps.alert.loc-args.*
	apns.fcm_options.image
	webpush.data.*
	webpush.notification.title
	webpush.notification.body
	webpush.notification.image
	webpush.notification.icon
	webpush.notification.actions.*.title
	webpush.fcm_options.link
`)

func parsePaths(lines string) [][]string {
	var paths [][]string
	for _, line := range strings.Fields(lines) {
		paths = append(paths, strings.Split(line, "."))
	}
	return paths
}

// isFillable compares names as encoding/json does, which reads a field in any case.
func isFillable(path []string) bool {
	for _, pattern := range fillablePaths {
		if isMatch(pattern, path) {
			return true
		}
	}
	return false
}

func isMatch(pattern, path []string) bool {
	if len(pattern) != len(path) {
		return false
	}
	for i, part := range pattern {
		if part != "*" && !strings.EqualFold(part, path[i]) {
			return false
		}
	}
	return true
}
