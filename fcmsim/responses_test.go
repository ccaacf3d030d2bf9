package fcmsim_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"fanfare/fcmsim"
)

func TestAcceptedMessageIsNamed(t *testing.T) {
	r := newRig(t, fcmsim.Options{})
	got := r.post(t, toToken("phone"))
	if got.proto != 2 {
		t.Errorf("spoke HTTP/%d", got.proto)
	}
	if !regexp.MustCompile(`^projects/demo/messages/0:\d{16}%[0-9a-f]{16}$`).MatchString(name(t, got)) {
		t.Errorf("name %q", name(t, got))
	}
	if again := name(t, r.post(t, toToken("phone"))); again == name(t, got) {
		t.Errorf("two messages are called %s", again)
	}
}

func TestPrefixDecidesTheResponse(t *testing.T) {
	tests := []struct {
		token    string
		status   int
		rpc      string // the error's status
		message  string
		fcmError string // "": no such detail
		accepted int64
		code     fcmsim.Code
	}{
		{"dead-1", 404, "NOT_FOUND", "Requested entity was not found.", "UNREGISTERED", 0, fcmsim.CodeUnregistered},
		{"invalid-1", 400, "INVALID_ARGUMENT", "The registration token is not a valid FCM registration token", "INVALID_ARGUMENT", 0, fcmsim.CodeInvalidArgument},
		{"payload-1", 400, "INVALID_ARGUMENT", "Request contains an invalid argument.", "INVALID_ARGUMENT", 0, fcmsim.CodeInvalidPayload},
		{"mismatch-1", 403, "PERMISSION_DENIED", "SenderId mismatch", "SENDER_ID_MISMATCH", 0, fcmsim.CodeSenderIDMismatch},
		{"quota-1", 429, "RESOURCE_EXHAUSTED", "Message rate exceeded.", "QUOTA_EXCEEDED", 0, fcmsim.CodeQuotaExceeded},
		{"device-quota-1", 429, "RESOURCE_EXHAUSTED", "Device message rate exceeded.", "QUOTA_EXCEEDED", 0, fcmsim.CodeDeviceQuotaExceeded},
		{"topic-quota-1", 429, "RESOURCE_EXHAUSTED", "Topic quota exceeded.", "QUOTA_EXCEEDED", 0, fcmsim.CodeTopicQuotaExceeded},
		{"unavailable-1", 503, "UNAVAILABLE", "The service is currently unavailable.", "UNAVAILABLE", 0, fcmsim.CodeUnavailable},
		{"ghost-1", 503, "UNAVAILABLE", "The service is currently unavailable.", "UNAVAILABLE", 1, fcmsim.CodeUnavailable},
		{"internal-1", 500, "INTERNAL", "Internal error encountered.", "INTERNAL", 0, fcmsim.CodeInternal},
		{"gateway-1", 502, "", "", "", 0, fcmsim.CodeBadGateway},
		{"apns-auth-1", 401, "UNAUTHENTICATED", "Auth error from APNS or Web Push Service", "THIRD_PARTY_AUTH_ERROR", 0, fcmsim.CodeThirdPartyAuth},
		{"unauthenticated-1", 401, "UNAUTHENTICATED", "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid authentication credential. See https://developers.google.com/identity/sign-in/web/devconsole-project.", "", 0, fcmsim.CodeUnauthenticated},
		{"denied-1", 403, "PERMISSION_DENIED", "Permission 'cloudmessaging.messages.create' denied on resource '//cloudresourcemanager.googleapis.com/projects/demo' (or it may not exist).", "", 0, fcmsim.CodePermissionDenied},
		{"missing-1", 404, "NOT_FOUND", "Requested entity was not found.", "", 0, fcmsim.CodeNotFound},
		{"garbled-1", 200, "", "", "", 1, fcmsim.CodeGarbled},
		{"deadline-1", 200, "", "", "", 1, fcmsim.CodeOK}, // begins like a prefix
		{"dead", 200, "", "", "", 1, fcmsim.CodeOK},
	}
	for _, tt := range tests {
		t.Run(tt.token, func(t *testing.T) {
			r := newRig(t, fcmsim.Options{})
			got := r.post(t, toToken(tt.token))
			if got.status != tt.status || got.err.Status != tt.rpc || got.err.Message != tt.message {
				t.Errorf("got %d %s", got.status, got.body)
			}
			if d, _ := got.err.detail(fcmErrorType); d.ErrorCode != tt.fcmError {
				t.Errorf("errorCode %q, want %q", d.ErrorCode, tt.fcmError)
			}
			counts := r.Counts()
			if counts.Accepted != tt.accepted || counts.Codes[tt.code.String()] != 1 {
				t.Errorf("counts %+v, want %d accepted and one %s", counts, tt.accepted, tt.code)
			}
		})
	}
}

func TestErrorBodyHasGooglesFormat(t *testing.T) {
	r := newRig(t, fcmsim.Options{})
	const want = `{
  "error": {
    "code": 404,
    "message": "Requested entity was not found.",
    "status": "NOT_FOUND",
    "details": [
      {
        "@type": "type.googleapis.com/google.firebase.fcm.v1.FcmError",
        "errorCode": "UNREGISTERED"
      }
    ]
  }
}
`
	got := r.post(t, toToken("dead-1"))
	if got.body != want {
		t.Errorf("got %s", got.body)
	}
	if got.header.Get("Content-Type") != "application/json; charset=UTF-8" {
		t.Errorf("content type %s", got.header.Get("Content-Type"))
	}
}

func TestPayloadFaultNamesAField(t *testing.T) {
	r := newRig(t, fcmsim.Options{})
	bad, ok := r.post(t, toToken("payload-1")).err.detail(badRequestType)
	if !ok || len(bad.FieldViolations) != 1 || !strings.HasPrefix(bad.FieldViolations[0].Field, "message.notification") {
		t.Errorf("got %+v", bad)
	}
	if _, ok := r.post(t, toToken("invalid-1")).err.detail(badRequestType); ok {
		t.Error("an invalid token speaks of the payload")
	}
}

func TestQuotaFailureNamesWhoseQuotaItIs(t *testing.T) {
	r := newRig(t, fcmsim.Options{})
	tests := map[string]struct{ body, subject string }{
		"project": {toToken("quota-1"), "project:demo"},
		"device":  {toToken("device-quota-1"), "device:"},
		"topic":   {toToken("topic-quota-1"), "topic:news"},
	}
	for whose, tt := range tests {
		d, ok := r.post(t, tt.body).err.detail(quotaFailureType)
		if !ok || len(d.Violations) != 1 || !strings.HasPrefix(d.Violations[0].Subject, tt.subject) {
			t.Errorf("%s: got %+v", whose, d)
		}
		if strings.Contains(d.Violations[0].Subject, "quota-1") {
			t.Errorf("%s: the token itself is in the answer", whose)
		}
	}
}

func TestPrefixWithNumberLimitsAttempts(t *testing.T) {
	r := newRig(t, fcmsim.Options{})
	for attempt, want := range []int{503, 503, 200, 200} {
		if got := r.post(t, toToken("unavailable2-x")); got.status != want {
			t.Errorf("attempt %d: %d, want %d", attempt+1, got.status, want)
		}
	}
	other := `{"message":{"token":"unavailable2-x","data":{"k":"another message"}}}`
	if got := r.post(t, other); got.status != http.StatusServiceUnavailable {
		t.Errorf("another message starts at %d", got.status)
	}
	if c := r.Counts(); c.Accepted != 2 || c.Distinct != 1 || c.Duplicates != 1 {
		t.Errorf("counts %+v", c)
	}
}

func TestOtherPathsGetTheFrontEndPage(t *testing.T) {
	r := newRig(t, fcmsim.Options{})
	for _, path := range []string{"/v1/projects/demo/messages", "/v1/projects//messages:send", "/v1/projects/a/b/messages:send", "/"} {
		res, err := r.client.Post(strings.TrimSuffix(r.srv.URLs.TLS, "/v1")+path, "application/json", strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		got := readReply(t, res)
		if got.status != http.StatusNotFound || !strings.HasPrefix(got.header.Get("Content-Type"), "text/html") {
			t.Errorf("%s: %d %s", path, got.status, got.body)
		}
	}
	if c := r.Counts(); c.Requests != 0 {
		t.Errorf("they count as %d requests", c.Requests)
	}
}
