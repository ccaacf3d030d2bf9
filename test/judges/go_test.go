package judges

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"

	"fanfare/fcmsim"

	firebase "firebase.google.com/go/v4"
	"firebase.google.com/go/v4/errorutils"
	"firebase.google.com/go/v4/messaging"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/google"
	"google.golang.org/api/option"
)

// golang is the Firebase Admin SDK for Go, signed in with the simulator's service account.
func (s *simulator) golang(t *testing.T) *messaging.Client {
	t.Helper()
	pem, err := os.ReadFile(s.server.CAFile)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(pem)
	transport := &http.Transport{ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{RootCAs: pool}}
	t.Cleanup(transport.CloseIdleConnections)
	config, err := google.JWTConfigFromJSON(s.account, "https://www.googleapis.com/auth/firebase.messaging")
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.WithValue(t.Context(), oauth2.HTTPClient, &http.Client{Transport: transport})
	app, err := firebase.NewApp(ctx, &firebase.Config{ProjectID: "demo"},
		option.WithEndpoint(s.server.URLs.TLS), option.WithHTTPClient(config.Client(ctx)))
	if err != nil {
		t.Fatal(err)
	}
	client, err := app.Messaging(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// classes of the SDK: first FCM's own, then the platform's.
var classes = []struct {
	name string
	is   func(error) bool
}{
	{"unregistered", messaging.IsUnregistered},
	{"invalid-argument", messaging.IsInvalidArgument},
	{"sender-id-mismatch", messaging.IsSenderIDMismatch},
	{"quota-exceeded", messaging.IsQuotaExceeded},
	{"unavailable", messaging.IsUnavailable},
	{"internal", messaging.IsInternal},
	{"third-party-auth-error", messaging.IsThirdPartyAuthError},
	{"NOT_FOUND", errorutils.IsNotFound},
	{"INVALID_ARGUMENT", errorutils.IsInvalidArgument},
	{"PERMISSION_DENIED", errorutils.IsPermissionDenied},
	{"RESOURCE_EXHAUSTED", errorutils.IsResourceExhausted},
	{"UNAUTHENTICATED", errorutils.IsUnauthenticated},
	{"INTERNAL", errorutils.IsInternal},
	{"UNAVAILABLE", errorutils.IsUnavailable},
	{"UNKNOWN", errorutils.IsUnknown},
}

func classOf(err error) string {
	var found []string
	for _, class := range classes {
		if class.is(err) {
			found = append(found, class.name)
		}
	}
	return strings.Join(found, " ")
}

// goVerdicts are the classes of the SDK's reference. Where the answer has no FcmError, there is the
// platform's alone; an empty class is no error.
var goVerdicts = map[string]string{
	"dead-":            "unregistered NOT_FOUND",
	"invalid-":         "invalid-argument INVALID_ARGUMENT",
	"payload-":         "invalid-argument INVALID_ARGUMENT",
	"mismatch-":        "sender-id-mismatch PERMISSION_DENIED",
	"quota-":           "quota-exceeded RESOURCE_EXHAUSTED",
	"device-quota-":    "quota-exceeded RESOURCE_EXHAUSTED",
	"topic-quota-":     "quota-exceeded RESOURCE_EXHAUSTED",
	"rate-limit-":      "RESOURCE_EXHAUSTED",
	"overload-":        "RESOURCE_EXHAUSTED",
	"internal-":        "internal INTERNAL",
	"gateway-":         "UNKNOWN",
	"apns-auth-":       "third-party-auth-error UNAUTHENTICATED",
	"unauthenticated-": "UNAUTHENTICATED",
	"denied-":          "PERMISSION_DENIED",
	"missing-":         "NOT_FOUND",
	"goaway-":          "",
	"good-":            "",
}

func TestGoTellsTheAnswersApart(t *testing.T) {
	s := newSimulator(t, fcmsim.Rules{})
	sdk := s.golang(t)
	var messages []*messaging.Message
	var wanted []string
	for prefix, want := range goVerdicts {
		messages, wanted = append(messages, &messaging.Message{Token: prefix + "1"}), append(wanted, want)
	}
	batch, err := sdk.SendEach(t.Context(), messages)
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range batch.Responses {
		if got := classOf(r.Error); got != wanted[i] || r.Success != (wanted[i] == "") {
			t.Errorf("%s: class %q of %v, want %q", messages[i].Token, got, r.Error, wanted[i])
		}
	}
	if c := s.Counts(); c.Requests != int64(len(messages)) || c.Accepted != 2 {
		t.Errorf("counts %+v", c)
	}
}

func TestGoHearsOfLimits(t *testing.T) {
	s := newSimulator(t, fcmsim.Rules{Quota: quota(3), Device: fcmsim.DeviceLimits{PerMinute: 1}})
	sdk := s.golang(t)
	var got []string
	for _, token := range []string{"a", "a", "b", "dead-1", "c"} {
		_, err := sdk.Send(t.Context(), &messaging.Message{Token: token})
		got = append(got, classOf(err))
	}
	over := goVerdicts["quota-"]
	if want := []string{"", over, "", goVerdicts["dead-"], over}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// What is wrong with a certificate is found by Go's own verifier, before anything is sent.
func TestGoHearsOfTheCertificate(t *testing.T) {
	expired := func(err error) bool {
		invalid, ok := errors.AsType[x509.CertificateInvalidError](err)
		return ok && invalid.Reason == x509.Expired
	}
	for fault, is := range map[fcmsim.HandshakeFault]func(error) bool{
		fcmsim.HandshakeExpired:   expired,
		fcmsim.HandshakeWrongHost: func(err error) bool { _, ok := errors.AsType[x509.HostnameError](err); return ok },
		fcmsim.HandshakeUntrusted: func(err error) bool { _, ok := errors.AsType[x509.UnknownAuthorityError](err); return ok },
	} {
		s := newSimulator(t, fcmsim.Rules{Handshake: fault})
		pem, err := os.ReadFile(s.server.CAFile)
		if err != nil {
			t.Fatal(err)
		}
		pool := x509.NewCertPool()
		pool.AppendCertsFromPEM(pem)
		dialer := tls.Dialer{Config: &tls.Config{RootCAs: pool}}
		address := strings.TrimSuffix(strings.TrimPrefix(s.server.URLs.TLS, "https://"), "/v1")
		if conn, err := dialer.DialContext(t.Context(), "tcp", address); !is(err) {
			t.Errorf("%s: %v %v", fault, conn, err)
		}
	}
}
