package content

import (
	"maps"
	"strings"
	"unicode"
)

// kind is the JSON form of a field.
type kind uint8

const (
	text         kind = iota
	boolean           // true or false
	integer           // a whole number of 32 bits
	fraction          // a number from 0 to 1
	duration          // "3.5s"
	timestamp         // RFC 3339
	choice            // one of field.values, in any case
	texts             // a list of strings
	durations         // a list of durations
	stringMap         // an object of strings
	record            // an object with field.members
	anything          // any JSON, which FCM passes on
	scalar            // any JSON, but Apple or a browser wants a number, true or false
	textOrObject      // a string, or an object with field.members
	target            // the recipient, which Fanfare fills in
	outputOnly        // set by FCM
)

// field is one entry of the schema. A check returns what is wrong with a value, or "".
type field struct {
	kind         kind
	values       []string // of a choice, as they are sent; _UNSPECIFIED counts as absent
	members      schema   // of an object
	allowUnknown bool     // the object may have members of Apple's or the browser's
	required     []string // members that the object must have
	requires     string   // another member that this one needs
	rival        string   // another member that must be absent
	check        func(value string) string
	checkKey     func(key string) string                    // of a stringMap
	checkEntry   func(key string) func(value string) string // the check of a key's value, or nil
}

// schema holds an object's fields by name.
type schema map[string]field

// messageSchema is the Message of FCM's HTTP v1 API, revision 20261023 with android_v2. Names are
// FCM's own. lookUp also accepts the other spelling.
var messageSchema = schema{
	"data": {kind: stringMap, checkKey: checkDataKey},
	"notification": {kind: record, members: schema{
		"title": {}, "body": {}, "image": {check: checkImage},
	}},
	"android":     {kind: record, members: androidSchema, rival: "android_v2"},
	"android_v2":  {kind: record, members: androidV2Schema},
	"apns":        {kind: record, members: apnsSchema},
	"webpush":     {kind: record, members: webpushSchema},
	"fcm_options": labelOptions,
	"token":       {kind: target}, "fid": {kind: target}, "topic": {kind: target}, "condition": {kind: target},
	"name": {kind: outputOnly},
}

// labelOptions are the fcm_options of a part that has only a label.
var labelOptions = field{kind: record, members: schema{"analytics_label": {check: checkLabel}}}

// androidCommon are the members that both versions of Android's part have.
var androidCommon = schema{
	"collapse_key":             {},
	"ttl":                      {kind: duration, check: checkTTL},
	"restricted_package_name":  {},
	"data":                     {kind: stringMap, checkKey: checkDataKey},
	"fcm_options":              labelOptions,
	"direct_boot_ok":           {kind: boolean},
	"bandwidth_constrained_ok": {kind: boolean},
	"restricted_satellite_ok":  {kind: boolean},
}

var androidSchema = androidCommon.plus(schema{
	"priority": {kind: choice, values: []string{"normal", "high"}},
	"notification": {kind: record, members: androidNotification.plus(schema{
		"proxy":                     {kind: choice, values: []string{"ALLOW", "DENY", "IF_PRIORITY_LOWERED", "PROXY_UNSPECIFIED"}},
		"bypass_proxy_notification": {kind: boolean},
	})},
})

var androidV2Schema = androidCommon.plus(schema{
	"remote_notification": {kind: record, rival: "background_sync", members: schema{
		"mutable_content":        {kind: boolean},
		"use_as_v1_data_message": {kind: boolean},
		"notification":           {kind: record, members: androidNotification.plus(schema{"id": {kind: integer}})},
	}},
	"background_sync": {kind: record, members: schema{}},
})

// androidNotification are the members that both versions of a notification have.
var androidNotification = schema{
	"title": {}, "body": {}, "icon": {}, "color": {check: checkColor}, "sound": {}, "tag": {}, "click_action": {},
	"body_loc_key": {}, "body_loc_args": {kind: texts, requires: "body_loc_key"}, "title_loc_key": {}, "title_loc_args": {kind: texts, requires: "title_loc_key"},
	"channel_id": {}, "ticker": {}, "sticky": {kind: boolean}, "event_time": {kind: timestamp}, "local_only": {kind: boolean},
	"notification_priority": {kind: choice, values: []string{
		"PRIORITY_MIN", "PRIORITY_LOW", "PRIORITY_DEFAULT", "PRIORITY_HIGH", "PRIORITY_MAX", "PRIORITY_UNSPECIFIED",
	}},
	"default_sound": {kind: boolean}, "default_vibrate_timings": {kind: boolean}, "default_light_settings": {kind: boolean},
	"vibrate_timings":    {kind: durations},
	"visibility":         {kind: choice, values: []string{"PRIVATE", "PUBLIC", "SECRET", "VISIBILITY_UNSPECIFIED"}},
	"notification_count": {kind: integer, check: checkCount},
	"light_settings": {kind: record, required: []string{"color", "light_on_duration", "light_off_duration"}, members: schema{
		"color": {kind: record, members: schema{
			"red": {kind: fraction}, "green": {kind: fraction}, "blue": {kind: fraction}, "alpha": {kind: fraction},
		}},
		"light_on_duration":  {kind: duration},
		"light_off_duration": {kind: duration},
	}},
	"image": {check: checkImage},
}

// plus returns a schema with the fields of both.
func (s schema) plus(others schema) schema {
	out := maps.Clone(s)
	maps.Copy(out, others)
	return out
}

var apnsSchema = schema{
	"headers": {kind: stringMap, checkEntry: apnsHeaderCheck},
	"payload": {kind: record, allowUnknown: true, members: schema{
		"aps": {kind: record, allowUnknown: true, members: schema{
			"alert": {kind: textOrObject}, "badge": {kind: integer}, "category": {}, "thread-id": {},
			"sound":             {kind: textOrObject, members: schema{"critical": {kind: scalar}, "volume": {kind: scalar}}},
			"content-available": {kind: scalar}, "mutable-content": {kind: scalar}, "relevance-score": {kind: scalar},
			"timestamp": {kind: scalar}, "stale-date": {kind: scalar}, "dismissal-date": {kind: scalar},
		}},
	}},
	"fcm_options":         {kind: record, members: schema{"analytics_label": {check: checkLabel}, "image": {check: checkImage}}},
	"live_activity_token": {},
}

var webpushSchema = schema{
	"headers": {kind: stringMap, checkEntry: webpushHeaderCheck},
	"data":    {kind: stringMap, checkKey: checkDataKey},
	"notification": {kind: record, allowUnknown: true, members: schema{
		"timestamp": {kind: scalar}, "renotify": {kind: scalar}, "requireInteraction": {kind: scalar}, "silent": {kind: scalar},
	}},
	"fcm_options": {kind: record, members: schema{"link": {check: checkLink}, "analytics_label": {check: checkLabel}}},
}

// lookUp finds a field by either name that proto3 JSON accepts, such as collapse_key and
// collapseKey. It returns FCM's own name.
func (s schema) lookUp(written string) (name string, f field, known bool) {
	if f, known = s[written]; known {
		return written, f, true
	}
	name = snakeCase(written)
	if f, known = s[name]; known && camelCase(name) == written {
		return name, f, true
	}
	return written, field{}, false
}

// snakeCase converts lower camel case to a field's own name: androidV2 to android_v2.
func snakeCase(camel string) string {
	var out strings.Builder
	for _, c := range camel {
		if unicode.IsUpper(c) {
			out.WriteByte('_')
			c = unicode.ToLower(c)
		}
		out.WriteRune(c)
	}
	return out.String()
}

// camelCase converts a field's own name to its JSON name in proto3.
func camelCase(snake string) string {
	var out strings.Builder
	for i, part := range strings.Split(snake, "_") {
		if i > 0 && part != "" {
			part = strings.ToUpper(part[:1]) + part[1:]
		}
		out.WriteString(part)
	}
	return out.String()
}

// sdkNames maps names of the Admin SDKs to FCM's, for hints.
var sdkNames = map[string]string{
	"imageUrl": "image", "vibrateTimingsMillis": "vibrate_timings", "eventTimestamp": "event_time",
}

// suggest returns the field that a misspelled name probably means, such as Collapse-Key or the
// Admin SDK's imageUrl.
func (s schema) suggest(name string) string {
	if own, known := sdkNames[name]; known {
		if _, here := s[own]; here {
			return own
		}
	}
	letters := func(n string) string { return strings.ToLower(strings.NewReplacer("_", "", "-", "").Replace(n)) }
	for known := range s {
		if letters(known) == letters(name) {
			return known
		}
	}
	return ""
}
