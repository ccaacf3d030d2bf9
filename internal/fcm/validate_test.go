package fcm

import (
	"encoding/json"
	"strings"
	"testing"

	"fanfare/fcmsim"
)

// FCM judges what is only to be validated as it would judge the message itself, and delivers none of it.
func TestValidateDeliversNothing(t *testing.T) {
	sim, srv := simulate(t, fcmsim.Options{})
	s := newSender(t, Options{Endpoint: srv.URLs.TLS, RootCAs: srv.CAFile})
	m := parse(t, hello)
	for token, want := range map[string]Class{
		"good": Sent, "dead-1": Unregistered, "payload-1": BadMessage, "mismatch-1": SenderMismatch, "quota-1": Quota,
	} {
		if a := s.Validate(t.Context(), m, to(token)); a.Class != want {
			t.Errorf("%s: got %+v, want %s", token, a, want)
		}
	}
	counts := sim.Counts()
	if counts.Requests != 5 || counts.Validated != 1 || counts.Accepted != 0 {
		t.Errorf("got %d requests, %d validated and %d accepted; want 5, 1 and 0", counts.Requests, counts.Validated, counts.Accepted)
	}
	if a := s.Send(t.Context(), m, to("good")); a.Class != Sent || sim.Counts().Accepted != 1 {
		t.Errorf("sent after it: %+v, %d accepted", a, sim.Counts().Accepted)
	}
}

// The size is that of the JSON which the SDK writes, with what it adds.
func TestSizeIsThatOnTheWire(t *testing.T) {
	for _, text := range []string{
		hello, `{"data":{"k":"` + strings.Repeat("x", 3000) + `"}}`, `{"apns":{"payload":{"aps":{"alert":"Grüße"}}}}`,
	} {
		m := parse(t, text)
		wire, err := json.Marshal(&m.base)
		if err != nil {
			t.Fatal(err)
		}
		if got := m.Size(); got != len(wire) || got < len(text)-4 || got > MaxSize {
			t.Errorf("%.40s: size %d, want %d", text, got, len(wire))
		}
	}
}
