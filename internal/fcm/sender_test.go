package fcm

import (
	"context"
	"strings"
	"testing"
	"time"

	"fanfare/fcmsim"
	"fanfare/internal/notification"
)

// The simulator answers in every way that FCM can, over both kinds of connection.
func TestSendAgainstSimulator(t *testing.T) { withEachClient(t, testSendAgainstSimulator) }

func testSendAgainstSimulator(t *testing.T, base Options) {
	sim, srv := simulate(t, fcmsim.Options{})
	endpoints := map[string]Options{
		"TLS":   {Client: base.Client, Endpoint: srv.URLs.TLS, RootCAs: srv.CAFile},
		"plain": {Client: base.Client, Endpoint: srv.URLs.HTTP},
	}
	for name, o := range endpoints {
		t.Run(name, func(t *testing.T) {
			sim.ClearLedger()
			patient := newSender(t, o)
			o.Timeout = 100 * time.Millisecond
			impatient := newSender(t, o)
			for token, want := range map[string]Class{
				"good":              Sent,
				"dead-1":            Unregistered,
				"invalid-1":         BadTarget,
				"payload-1":         BadMessage,
				"mismatch-1":        SenderMismatch,
				"quota-1":           Quota,
				"device-quota-1":    Quota,
				"unavailable-1":     Unavailable,
				"ghost-1":           Unavailable,
				"internal-1":        Unavailable,
				"gateway-1":         Ambiguous,
				"apns-auth-1":       ThirdPartyAuth,
				"unauthenticated-1": Credentials,
				"denied-1":          Credentials,
				"missing-1":         NotFound,
				"garbled-1":         Ambiguous,
				"truncated-1":       Ambiguous,
				"hang-1":            Ambiguous,
				"lost-1":            Ambiguous,
				"reset-1":           Ambiguous,
				"close-1":           Ambiguous,
				"not a token":       Other, // never sent
			} {
				s := patient
				if strings.HasPrefix(token, "hang-") || strings.HasPrefix(token, "lost-") {
					s = impatient
				}
				a := s.Send(t.Context(), body(token), to(token))
				if a.Class != want {
					t.Errorf("%s: got %s (%+v), want %s", token, a.Class, a, want)
				}
				if n := sim.EntriesOf(token); len(n) > 0 && n[0].Attempts != 1 {
					t.Errorf("%s: %d requests on the wire, want 1", token, n[0].Attempts)
				}
			}
			if got := sim.Counts().Requests; got != 21 {
				t.Errorf("%d requests on the wire, want 21", got)
			}
		})
	}
}

// An installation ID goes out in its own field, which FCM tells apart from a token.
func TestSendToInstallationID(t *testing.T) { withEachClient(t, testSendToInstallationID) }

func testSendToInstallationID(t *testing.T, base Options) {
	sim, srv := simulate(t, fcmsim.Options{Ledger: fcmsim.LedgerMessages})
	base.Endpoint, base.RootCAs = srv.URLs.TLS, srv.CAFile
	sender := newSender(t, base)
	for fid, want := range map[string]Class{"fid-1": Sent, "dead-fid": Unregistered} {
		if a := sender.Send(t.Context(), []byte(`{"message":{"fid":"`+fid+`",`+hello), notification.ParseFID(fid)); a.Class != want {
			t.Errorf("%s: got %+v, want %s", fid, a, want)
		}
	}
	entries := sim.EntriesOf("fid-1")
	if len(entries) != 1 || !strings.Contains(string(entries[0].Message), `"fid":"fid-1"`) || strings.Contains(string(entries[0].Message), "token") {
		t.Errorf("FCM received %+v", entries)
	}
}

func TestWhatAnAnswerTells(t *testing.T) { withEachClient(t, testWhatAnAnswerTells) }

func testWhatAnAnswerTells(t *testing.T, base Options) {
	_, srv := simulate(t, fcmsim.Options{Rules: fcmsim.Rules{Prefixes: map[string]fcmsim.Outcome{
		"later-": {Code: fcmsim.CodeUnavailable, RetryAfter: "90"},
		"dated-": {Code: fcmsim.CodeQuotaExceeded, RetryAfter: "date+30m"},
	}}})
	base.Endpoint, base.RootCAs = srv.URLs.TLS, srv.CAFile
	s := newSender(t, base)
	send := func(token string) Answer { return s.Send(t.Context(), body(token), to(token)) }

	if a := send("good"); a.MessageID == "" || a.Code != "" || a.HTTPStatus != 200 {
		t.Errorf("accepted: %+v", a)
	}
	if a := send("payload-1"); a.Field != "message.notification.image" || a.Code != "INVALID_ARGUMENT" {
		t.Errorf("field violation: %+v", a)
	}
	if a := send("dead-1"); a.Code != "UNREGISTERED" || a.HTTPStatus != 404 {
		t.Errorf("dead token: %+v", a)
	}
	if a := send("later-1"); a.RetryAfter != 90*time.Second || a.Code != "UNAVAILABLE" {
		t.Errorf("Retry-After in seconds: %+v", a)
	}
	if a := send("dated-1"); a.RetryAfter < 29*time.Minute || a.RetryAfter > 30*time.Minute || a.Scope != QuotaProject {
		t.Errorf("Retry-After as a date: %+v", a)
	}
	if a := send("device-quota-1"); a.Scope != QuotaDevice {
		t.Errorf("device quota: %+v", a)
	}
	if a := s.Send(t.Context(), body(""), notification.Target{}); a.Class != Other || a.Code != notification.CodeNoToken {
		t.Errorf("no target: %+v", a)
	}
}

// Requests that are never answered do not hold up others.
func TestUnansweredRequestsDoNotBlockOthers(t *testing.T) {
	sim, srv := simulate(t, fcmsim.Options{})
	s := newSender(t, Options{Endpoint: srv.URLs.TLS, RootCAs: srv.CAFile})
	const all, silent = 400, 20
	ctx, hangUp := context.WithCancel(t.Context())
	answers := make(chan Answer, all)
	for i := range all {
		token := "good"
		if i%(all/silent) == 0 {
			token = "hang-1"
		}
		go func() { answers <- s.Send(ctx, body(token), to(token)) }()
	}
	for range all - silent {
		if a := <-answers; a.Class != Sent {
			t.Errorf("got %s: %s", a.Class, a.Detail)
		}
	}
	for sim.Counts().Requests < all { // some may still be on their way
		select {
		case <-t.Context().Done():
			t.Fatal("not all requests arrive")
		case <-time.After(time.Millisecond):
		}
	}
	hangUp()
	for range silent {
		if a := <-answers; a.Class != Ambiguous {
			t.Errorf("never answered: got %s: %s", a.Class, a.Detail)
		}
	}
}

// With validate_only, FCM gives the same answer as for a message, and delivers nothing.
func TestValidateDeliversNothing(t *testing.T) { withEachClient(t, testValidateDeliversNothing) }

func testValidateDeliversNothing(t *testing.T, base Options) {
	sim, srv := simulate(t, fcmsim.Options{})
	base.Endpoint, base.RootCAs = srv.URLs.TLS, srv.CAFile
	s := newSender(t, base)
	for token, want := range map[string]Class{
		"good": Sent, "dead-1": Unregistered, "payload-1": BadMessage, "mismatch-1": SenderMismatch, "quota-1": Quota,
	} {
		if a := s.Validate(t.Context(), body(token), to(token)); a.Class != want {
			t.Errorf("%s: got %+v, want %s", token, a, want)
		}
	}
	counts := sim.Counts()
	if counts.Requests != 5 || counts.Validated != 1 || counts.Accepted != 0 {
		t.Errorf("got %d requests, %d validated and %d accepted; want 5, 1 and 0", counts.Requests, counts.Validated, counts.Accepted)
	}
	if a := s.Send(t.Context(), body("good"), to("good")); a.Class != Sent || sim.Counts().Accepted != 1 {
		t.Errorf("sent after it: %+v, %d accepted", a, sim.Counts().Accepted)
	}
}
