package fcm

import (
	"strings"
	"testing"
)

// The SDK refuses or changes some messages. Such a message is not sent, and the answer names the
// field.
func TestTheSDKSendsNothingThatItWouldChange(t *testing.T) {
	t.Parallel()
	srv := serve(t, nil, accept)
	srv.options.Client = ClientSDK
	s := newSender(t, srv.options)
	for message, says := range map[string]string{
		`"android_v2":{"background_sync":{}}`:                                  "message.android_v2",
		`"android":{"notification":{"bypass_proxy_notification":true}}`:        "message.android.notification.bypass_proxy_notification",
		`"webpush":{"fcm_options":{"link":"https://x","analytics_label":"a"}}`: "message.webpush.fcm_options.analytics_label",
		`"android":{"ttl":"3.5s"}`:                                             "message.android.ttl",
		`"apns":{"payload":{"big":12345678901234567890}}`:                      "message.apns.payload.big",
		`"apns":{"payload":{"aps":{"badge":1.5}}}`:                             "cannot read the message",
		`"apns":{"payload":{"aps":{"content-available":true}}}`:                "cannot read the message",
		`"webpush":{"notification":{"vibrate":200}}`:                           "cannot read the message",
		`"android":{"notification":{"light_settings":{"color":{"red":0.3},"light_on_duration":"1s","light_off_duration":"1s"}}}`:                               "light_settings.color",
		`"android":{"notification":{"light_settings":{"color":{"red":0.01,"green":1,"blue":1,"alpha":1},"light_on_duration":"1s","light_off_duration":"1s"}}}`: "light_settings.color",
		`"topic":"news"`: "exactly one of fid",
	} {
		a := s.Send(t.Context(), []byte(`{"message":{"token":"token",`+message+`}}`), to("token"))
		if a.Class != BadMessage || a.Code != "INVALID_ARGUMENT" || !strings.Contains(a.Detail, says) {
			t.Errorf("%s: got %+v, want %s", message, a, says)
		}
	}
	if n := srv.requests.Load(); n != 0 {
		t.Errorf("%d requests on the wire, want none", n)
	}
	for _, message := range []string{
		`"notification":{"title":"","body":"x"},"android":{"direct_boot_ok":false,"notification":{"notification_count":0}}`,
		`"apns":{"payload":{"zero":0,"aps":{"badge":0,"alert":"x","content-available":1,"sound":{"critical":1,"name":"n"}}}},"data":{"k":""}`,
		`"android":{"ttl":"3.500000000s","notification":{"light_settings":{"color":{"red":1,"green":1,"blue":1,"alpha":1},"light_on_duration":"1s","light_off_duration":"1s"}}}`,
	} {
		if a := s.Send(t.Context(), []byte(`{"message":{"token":"token",`+message+`}}`), to("token")); a.Class != Sent {
			t.Errorf("%s: got %+v, want it sent", message, a)
		}
	}
}
