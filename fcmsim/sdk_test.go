package fcmsim_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"

	"fanfare/fcmsim"

	firebase "firebase.google.com/go/v4"
	"firebase.google.com/go/v4/errorutils"
	"firebase.google.com/go/v4/messaging"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/google"
	"google.golang.org/api/option"
)

// The Firebase Admin SDK, which knows the real FCM, reads the responses.

func newSDK(t *testing.T, endpoint string, client *http.Client) *messaging.Client {
	t.Helper()
	app, err := firebase.NewApp(t.Context(), &firebase.Config{ProjectID: "demo"},
		option.WithEndpoint(endpoint), option.WithHTTPClient(client))
	if err != nil {
		t.Fatal(err)
	}
	sdk, err := app.Messaging(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return sdk
}

// classes of the SDK; an error belongs to at most one of the first group.
var classes = map[string]func(error) bool{
	"unregistered":     messaging.IsUnregistered,
	"invalid argument": messaging.IsInvalidArgument,
	"sender mismatch":  messaging.IsSenderIDMismatch,
	"quota":            messaging.IsQuotaExceeded,
	"unavailable":      messaging.IsUnavailable,
	"internal":         messaging.IsInternal,
	"third party auth": messaging.IsThirdPartyAuthError,
}

func classOf(err error) string {
	var found []string
	for class, is := range classes {
		if is(err) {
			found = append(found, class)
		}
	}
	return strings.Join(found, " and ")
}

func TestSDKClassifiesResponses(t *testing.T) {
	r := newRig(t, fcmsim.Options{})
	sdk := newSDK(t, r.srv.URLs.TLS, r.client)
	tests := []struct {
		token, class string
		platform     func(error) bool
	}{
		{"dead-1", "unregistered", errorutils.IsNotFound},
		{"invalid-1", "invalid argument", errorutils.IsInvalidArgument},
		{"payload-1", "invalid argument", errorutils.IsInvalidArgument},
		{"mismatch-1", "sender mismatch", errorutils.IsPermissionDenied},
		{"quota-1", "quota", errorutils.IsResourceExhausted},
		{"device-quota-1", "quota", errorutils.IsResourceExhausted},
		{"topic-quota-1", "quota", errorutils.IsResourceExhausted},
		{"internal-1", "internal", errorutils.IsInternal},
		{"apns-auth-1", "third party auth", errorutils.IsUnauthenticated},
		{"unauthenticated-1", "", errorutils.IsUnauthenticated},
		{"denied-1", "", errorutils.IsPermissionDenied},
		{"missing-1", "", errorutils.IsNotFound},
		{"gateway-1", "", errorutils.IsUnknown},
	}
	for _, tt := range tests {
		_, err := sdk.Send(t.Context(), &messaging.Message{Token: tt.token, Notification: &messaging.Notification{Title: "t"}})
		if err == nil || classOf(err) != tt.class || !tt.platform(err) {
			t.Errorf("%s: class %q of %v, want %q", tt.token, classOf(err), err, tt.class)
		}
	}
	if c := r.Counts(); c.Requests != int64(len(tests)) {
		t.Errorf("%d requests for %d sends", c.Requests, len(tests))
	}
}

// The SDK repeats a 503 itself, over seven seconds; here they pass at once.
func TestSDKClassifiesUnavailable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim, err := fcmsim.New(fcmsim.Options{})
		if err != nil {
			t.Fatal(err)
		}
		sdk := newSDK(t, "http://fcm.test/v1", &http.Client{Transport: direct{sim.Handler()}})
		if _, err := sdk.Send(t.Context(), &messaging.Message{Token: "unavailable-1"}); classOf(err) != "unavailable" || !errorutils.IsUnavailable(err) {
			t.Errorf("class %q of %v", classOf(err), err)
		}
		if c := sim.Counts(); c.Requests != 5 || c.Accepted != 0 {
			t.Errorf("counts %+v", c)
		}
		if _, err := sdk.Send(t.Context(), &messaging.Message{Token: "ghost2-1"}); err != nil {
			t.Error(err)
		}
		if c := sim.Counts(); c.Accepted != 3 || c.Duplicates != 2 {
			t.Errorf("delivered all the same, and repeated: counts %+v", c)
		}
	})
}

// direct sends requests to a handler without a network.
type direct struct{ handler http.Handler }

func (d direct) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	d.handler.ServeHTTP(w, r)
	return w.Result(), nil
}

// The schema knows all that the SDK can put into a message.
func TestSDKFullMessageIsAccepted(t *testing.T) {
	r := newRig(t, fcmsim.Options{Ledger: fcmsim.LedgerMessages})
	sdk := newSDK(t, r.srv.URLs.TLS, r.client)
	for target, m := range map[string]*messaging.Message{"t": {Token: "t"}, "news": {Topic: "news"}, "'a' in topics": {Condition: "'a' in topics"}} {
		fill(m)
		id, err := sdk.Send(t.Context(), m)
		if err != nil {
			t.Errorf("%s: %v", target, err)
			continue
		}
		entries := r.EntriesOf(target)
		if len(entries) != 1 || entries[0].MessageIDs[0] != id {
			t.Errorf("%s: ledger %+v, want %s", target, entries, id)
		}
	}
}

func fill(m *messaging.Message) {
	badge := 3
	m.Data = map[string]string{"k": "v<&>"}
	m.Notification = &messaging.Notification{Title: "t", Body: "b", ImageURL: "https://x.test/i.png"}
	m.FCMOptions = &messaging.FCMOptions{AnalyticsLabel: "label"}
	m.Android = &messaging.AndroidConfig{
		CollapseKey: "c", Priority: "high", RestrictedPackageName: "p", Data: map[string]string{"a": "b"}, DirectBootOK: true,
		FCMOptions: &messaging.AndroidFCMOptions{AnalyticsLabel: "label"},
		Notification: &messaging.AndroidNotification{
			Title: "t", Body: "b", Icon: "i", Color: "#112233", Sound: "s", Tag: "tag", ClickAction: "a", ChannelID: "ch",
			BodyLocKey: "k", BodyLocArgs: []string{"1"}, TitleLocKey: "k", TitleLocArgs: []string{"2"}, Ticker: "ti",
			Priority: messaging.PriorityHigh, Visibility: messaging.VisibilityPublic, Proxy: messaging.ProxyDeny,
			VibrateTimingMillis: []int64{100, 2500}, NotificationCount: &badge, Sticky: true, LocalOnly: true,
			LightSettings: &messaging.LightSettings{Color: "#112233", LightOnDurationMillis: 100, LightOffDurationMillis: 1500},
		},
	}
	m.Webpush = &messaging.WebpushConfig{
		Headers: map[string]string{"TTL": "60", "Urgency": "high"}, Data: map[string]string{"a": "b"},
		Notification: &messaging.WebpushNotification{Title: "t", Actions: []*messaging.WebpushNotificationAction{{Action: "a", Title: "b"}}},
		FCMOptions:   &messaging.WebpushFCMOptions{Link: "https://x.test/"},
	}
	m.APNS = &messaging.APNSConfig{
		Headers: map[string]string{"apns-priority": "10", "apns-collapse-id": "c"}, LiveActivityToken: "live",
		Payload: &messaging.APNSPayload{Aps: &messaging.Aps{
			Alert: &messaging.ApsAlert{Title: "t", LocKey: "k", LocArgs: []string{"x"}}, Badge: &badge, MutableContent: true,
			CriticalSound: &messaging.CriticalSound{Critical: true, Name: "s", Volume: 1}, CustomData: map[string]any{"n": nil},
		}},
		FCMOptions: &messaging.APNSFCMOptions{AnalyticsLabel: "label", ImageURL: "https://x.test/i.png"},
	}
}

// The SDK accepts these; FCM does not.
func TestSDKReceivesPayloadErrors(t *testing.T) {
	r := newRig(t, fcmsim.Options{})
	sdk := newSDK(t, r.srv.URLs.TLS, r.client)
	for what, m := range map[string]*messaging.Message{
		"reserved key": {Token: "t", Data: map[string]string{"from": "x"}},
		"size":         {Token: "t", Data: map[string]string{"k": strings.Repeat("v", 4096)}},
		"collapse id":  {Token: "t", APNS: &messaging.APNSConfig{Headers: map[string]string{"apns-collapse-id": strings.Repeat("c", 65)}}},
		"bad token":    {Token: "a b"},
	} {
		if _, err := sdk.Send(t.Context(), m); !messaging.IsInvalidArgument(err) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if id, err := sdk.SendDryRun(t.Context(), &messaging.Message{Token: "t"}); err != nil || !strings.HasSuffix(id, "/fake_message_id") {
		t.Errorf("dry run: %s %v", id, err)
	}
}

// As in production: a credentials file, a token from the OAuth endpoint, and that token on every
// request.
func TestSDKSignsInWithAServiceAccount(t *testing.T) {
	r := newRig(t, fcmsim.Options{RequireAuth: true, Project: "demo"})
	file, err := r.srv.ServiceAccount("demo")
	if err != nil {
		t.Fatal(err)
	}
	signIn := func(credentials []byte) *http.Client {
		t.Helper()
		config, err := google.JWTConfigFromJSON(credentials, messagingScope)
		if err != nil {
			t.Fatal(err)
		}
		return config.Client(context.WithValue(t.Context(), oauth2.HTTPClient, r.client))
	}
	send := func(client *http.Client) error {
		_, err := newSDK(t, r.srv.URLs.TLS, client).Send(t.Context(), &messaging.Message{Token: "t"})
		return err
	}
	client := signIn(file)
	for range 2 {
		if err := send(client); err != nil {
			t.Error(err)
		}
	}
	if c := r.Counts(); c.Accepted != 2 || c.AccessTokens != 1 {
		t.Errorf("counts %+v", c)
	}
	if err := send(r.client); !errorutils.IsUnauthenticated(err) {
		t.Errorf("without credentials: %v", err)
	}
	// A replaced key signs no more. The SDK would repeat the failed exchange for seconds, so this
	// test does not use it.
	if _, err := r.srv.ServiceAccount("demo"); err != nil {
		t.Fatal(err)
	}
	if _, err := signIn(file).Get(r.srv.URLs.TLS); err == nil || !strings.Contains(err.Error(), "Invalid JWT Signature") {
		t.Errorf("with the replaced key: %v", err)
	}
}
