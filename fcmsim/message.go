package fcmsim

// These are the messages of google.firebase.fcm.v1 with all their fields, after the API's discovery
// document (fcm.googleapis.com/$discovery/rest?version=v1, revision 20261023).

var requestSchema = newSchema(
	object("message", "Message", messageSchema).withRole(roleMessage),
	flag("validate_only").withRole(roleValidateOnly),
)

var messageSchema = newSchema(
	text("name"),
	text("token").inOneof("target").withRole(roleTarget),
	text("fid").inOneof("target").withRole(roleTarget),
	text("topic").inOneof("target").withRole(roleTarget),
	text("condition").inOneof("target").withRole(roleTarget),
	textMap("data", checkData),
	object("notification", "Notification", newSchema(text("title"), text("body"), text("image"))),
	// Not a oneof in the .proto file, but "requests with both will be rejected".
	object("android", "AndroidConfig", androidSchema).inOneof("android"),
	object("android_v2", "AndroidConfigV2", androidV2Schema).inOneof("android"),
	object("apns", "ApnsConfig", apnsSchema),
	object("webpush", "WebpushConfig", webpushSchema),
	object("fcm_options", "FcmOptions", newSchema(text("analytics_label", checkLabel))),
)

var androidSchema = newSchema(
	text("collapse_key"),
	enum("priority", "AndroidMessagePriority", "NORMAL", "HIGH"),
	ttl(),
	text("restricted_package_name"),
	textMap("data", checkData),
	object("notification", "AndroidNotification", newSchema(append(androidNotification(),
		flag("bypass_proxy_notification"),
		enum("proxy", "AndroidNotification.Proxy", "PROXY_UNSPECIFIED", "ALLOW", "DENY", "IF_PRIORITY_LOWERED"),
	)...)),
	androidOptions(),
	flag("direct_boot_ok"),
	flag("bandwidth_constrained_ok"),
	flag("restricted_satellite_ok"),
)

var androidV2Schema = newSchema(
	text("collapse_key"),
	ttl(),
	text("restricted_package_name"),
	textMap("data", checkData),
	object("remote_notification", "AndroidRemoteNotification", newSchema(
		flag("mutable_content"),
		flag("use_as_v1_data_message"),
		object("notification", "AndroidNotificationV2", newSchema(append(androidNotification(),
			integer("id", nil),
		)...)),
	)).inOneof("message_type"),
	object("background_sync", "AndroidBackgroundSyncMessage", newSchema()).inOneof("message_type"),
	androidOptions(),
	flag("direct_boot_ok"),
	flag("bandwidth_constrained_ok"),
	flag("restricted_satellite_ok"),
)

func ttl() field {
	f := duration("ttl").withRole(roleLifetime)
	f.check = checkTTL
	return f
}

func androidOptions() field {
	return object("fcm_options", "AndroidFcmOptions", newSchema(text("analytics_label", checkLabel)))
}

// androidNotification lists the fields that both versions of an Android notification have.
func androidNotification() []field {
	return []field{
		text("title"), text("body"), text("icon"), text("color", checkColor), text("sound"), text("tag"),
		text("click_action"), text("body_loc_key"), texts("body_loc_args"), text("title_loc_key"), texts("title_loc_args"),
		text("channel_id"), text("ticker"), flag("sticky"), timestamp("event_time"), flag("local_only"),
		enum("notification_priority", "AndroidNotification.NotificationPriority", "PRIORITY_UNSPECIFIED", "PRIORITY_MIN",
			"PRIORITY_LOW", "PRIORITY_DEFAULT", "PRIORITY_HIGH", "PRIORITY_MAX"),
		flag("default_sound"), flag("default_vibrate_timings"), flag("default_light_settings"),
		{name: "vibrate_timings", kind: kindDuration, repeated: true},
		enum("visibility", "AndroidNotification.Visibility", "VISIBILITY_UNSPECIFIED", "PRIVATE", "PUBLIC", "SECRET"),
		integer("notification_count", checkCount),
		object("light_settings", "LightSettings", newSchema(
			object("color", "Color", newSchema(float("red"), float("green"), float("blue"), float("alpha"))),
			duration("light_on_duration"),
			duration("light_off_duration"),
		).require("color", "light_on_duration", "light_off_duration")),
		text("image"),
	}
}

var apnsSchema = newSchema(
	textMap("headers", checkAPNsHeader).withRole(roleHeaders),
	anyObject("payload"),
	object("fcm_options", "ApnsFcmOptions", newSchema(text("analytics_label", checkLabel), text("image"))),
	text("live_activity_token"),
)

var webpushSchema = newSchema(
	textMap("headers", checkWebpushHeader).withRole(roleHeaders),
	textMap("data", checkData),
	anyObject("notification"),
	object("fcm_options", "WebpushFcmOptions", newSchema(text("analytics_label", checkLabel), text("link", checkLink))),
)
