package judges

import (
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"fanfare/internal/fcm"
	"fanfare/internal/notification"
	"fanfare/test/servers"
)

// Node answers, refuses and breaks off as FCM may, over TLS. Both clients conclude the same.
func TestAnswersOfNode(t *testing.T) {
	t.Parallel()
	want := map[string]fcm.Class{
		"accepted": fcm.Sent, "parts": fcm.Sent, "unregistered": fcm.Unregistered, "quota": fcm.Quota, "unavailable": fcm.Unavailable,
		"page": fcm.Ambiguous, "refused": fcm.NotSent, "reset": fcm.Ambiguous, "cut": fcm.Ambiguous,
		"goaway": fcm.Sent, "gone": fcm.Ambiguous,
	}
	certificate := servers.NewCertificate(t, "fcm.test")
	endpoint := "https://" + startNode(t, "node/fcm.mjs", certificate.CertFile, certificate.KeyFile) + "/v1"
	for _, client := range []string{fcm.ClientOwn, fcm.ClientSDK} {
		t.Run(client, func(t *testing.T) {
			t.Parallel()
			var all sync.WaitGroup
			for kind, class := range want {
				// A sender each: an end of the connection is not to meet the others' requests.
				sender := newNodeSender(t, client, endpoint, certificate.CertFile)
				all.Go(func() { expectClass(t, sender, kind, class) })
			}
			all.Wait()
		})
	}
}

// expectClass sends one message after the other: what one answer breaks, the next does not notice.
func expectClass(t *testing.T, sender *fcm.Sender, kind string, want fcm.Class) {
	for i := range 3 {
		token := fmt.Sprintf("%s-%d", kind, i)
		body := fmt.Appendf(nil, `{"message":{"token":%q,"notification":{"title":"Hello"}}}`, token)
		a := sender.Send(t.Context(), body, notification.ParseToken(token))
		if a.Class != want {
			t.Errorf("%s: %s (%s), want %s", token, a.Class, a.Detail, want)
		}
		if kind == "quota" && a.RetryAfter != 30*time.Second {
			t.Errorf("%s: retry after %s, want 30 s", token, a.RetryAfter)
		}
	}
}

func newNodeSender(t *testing.T, client, endpoint, roots string) *fcm.Sender {
	t.Helper()
	sender, err := fcm.New(t.Context(), fcm.Options{
		ProjectID: "demo", Endpoint: endpoint, RootCAs: roots, Client: client, Timeout: time.Minute, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = sender.Close() })
	return sender
}
