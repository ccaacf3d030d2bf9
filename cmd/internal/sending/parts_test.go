package sending

import (
	"reflect"
	"slices"
	"testing"

	"fanfare/internal/config"
)

// A dispatcher looks for lists, a responder does not.
func TestOnlyADispatcherScans(t *testing.T) {
	rooms := open(t, func(*config.Settings) {})
	scans := func(all []string) bool { return slices.Contains(all, "SCAN") }
	var sender, result []string
	for _, a := range rooms.senderAccess("demo") {
		sender = append(sender, a.Commands()...)
	}
	for _, a := range rooms.ResultAccess() {
		result = append(result, a.Commands()...)
	}
	if !scans(sender) || scans(result) {
		t.Errorf("dispatcher %v, responder %v", sender, result)
	}
}

// Where no pace is kept nobody asks for its channel.
func TestTheChannelIsThatOfAPace(t *testing.T) {
	for _, paced := range []bool{true, false} {
		rooms := open(t, func(s *config.Settings) { s.Pacing.Enabled = paced }) // its Redis is away
		if err := rooms.checkChannel(t.Context(), "demo"); (err != nil) != paced {
			t.Errorf("paced %t: %v", paced, err)
		}
	}
}

// What the rooms of a process are told besides its settings.
func TestRoomsAreToldWhatTheyServe(t *testing.T) {
	found := assembled(t, []string{"FANFARE_QUEUE_LEASE=7s"})
	if got := found["dispatcher: campaign.Options.Project"]; !slices.Contains(got, "demo") {
		t.Errorf("campaigns of the projects %q are served", got)
	}
	if got := found["responder: queue.Options.Lease"]; !slices.Contains(got, "7s") {
		t.Errorf("results are leased for %q", got)
	}
	rooms := open(t, func(*config.Settings) {})
	governor, err := rooms.NewGovernor("demo", "ann@host", nil)
	if err != nil {
		t.Fatal(err)
	}
	l := leaves{}
	l.walk("x", reflect.ValueOf(governor), make(map[uintptr]bool))
	if got := l["x: pacing.Options.By"]; !slices.Contains(got, "ann@host") {
		t.Errorf("halted by %q", got)
	}
}

// Credentials that are given are tried, whatever the endpoint is.
func TestGivenCredentialsAreTried(t *testing.T) {
	for given, want := range map[string]bool{"": true, "{}": false} {
		rooms := open(t, func(s *config.Settings) {
			s.FCM.Endpoint, s.FCM.Credentials = "https://127.0.0.1:1/v1", config.Secret(given)
		})
		if said, err := rooms.probeCredentials(t.Context()); (err == nil) != want {
			t.Errorf("%q: %s, %v", given, said, err)
		}
	}
}
