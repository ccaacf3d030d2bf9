package sending

import (
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"fanfare/cmd/internal/assembly"
	"fanfare/internal/access"
	"fanfare/internal/config"
	"fanfare/internal/keys"
	"fanfare/internal/pacing"
)

// A dispatcher scans for lists, and a responder does not.
func TestOnlyADispatcherScans(t *testing.T) {
	rooms := openRooms(t, func(*config.Settings) {})
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

// Without pacing, the channel is not checked.
func TestOnlyPacingNeedsTheChannel(t *testing.T) {
	for _, paced := range []bool{true, false} {
		rooms := openRooms(t, func(s *config.Settings) { s.Pacing.Enabled = paced }) // its Redis is away
		if err := rooms.checkChannel(t.Context(), "demo"); (err != nil) != paced {
			t.Errorf("paced %t: %v", paced, err)
		}
	}
}

// The rooms get more than the settings of their process.
func TestRoomsGetTheProjectAndTheLease(t *testing.T) {
	found := collectOptions(t, []string{"FANFARE_QUEUE_LEASE=7s"})
	if got := found["dispatcher: campaign.Options.Project"]; !slices.Contains(got, "demo") {
		t.Errorf("campaigns of the projects %q are served", got)
	}
	if got := found["responder: queue.Options.Lease"]; !slices.Contains(got, "7s") {
		t.Errorf("results are leased for %q", got)
	}
	rooms := openRooms(t, func(*config.Settings) {})
	governor, err := rooms.NewGovernor("demo", "ann@host", nil)
	if err != nil {
		t.Fatal(err)
	}
	l := leaves{}
	l.collect("x", reflect.ValueOf(governor), make(map[uintptr]bool))
	if got := l["x: pacing.Options.By"]; !slices.Contains(got, "ann@host") {
		t.Errorf("halted by %q", got)
	}
}

// Credentials are tried whatever the endpoint is.
func TestGivenCredentialsAreTried(t *testing.T) {
	for given, want := range map[string]bool{"": true, "{}": false} {
		rooms := openRooms(t, func(s *config.Settings) {
			s.FCM.Endpoint, s.FCM.Credentials = "https://127.0.0.1:1/v1", config.Secret(given)
		})
		if said, err := rooms.probeCredentials(t.Context()); (err == nil) != want {
			t.Errorf("%q: %s, %v", given, said, err)
		}
	}
}

// The users in deploy/README.md have every permission that the programs check at their start.
func TestRecommendedUsersMayDoWhatIsChecked(t *testing.T) {
	page, err := os.ReadFile("../../../deploy/README.md")
	if err != nil {
		t.Fatal(err)
	}
	r := &Rooms{Rooms: &assembly.Rooms{Names: keys.Default()}}
	r.Settings.Pacing.Enabled = true
	for user, needed := range map[string][]access.Keys{
		"dispatcher": r.senderAccess("p"), "responder": r.ResultAccess(), "operator": r.senderAccess("p"),
	} {
		_, line, found := strings.Cut(string(page), "ACL SETUSER "+user+" ")
		line, _, _ = strings.Cut(line, "\n")
		words := strings.Fields(line)
		if !found {
			t.Errorf("no user %s is recommended", user)
		}
		for _, a := range needed {
			if pattern := strings.Replace("~"+a.Pattern, "{fanfare:p}:*", "{fanfare:*", 1); a.Pattern != "" && !slices.Contains(words, pattern) {
				t.Errorf("%s has no %s", user, pattern)
			}
			for _, command := range a.Commands() {
				if !slices.Contains(words, "+"+strings.ToLower(command)) {
					t.Errorf("%s has no +%s", user, strings.ToLower(command))
				}
			}
		}
	}
}

func TestDefaultPacingIsThatOfTheRoom(t *testing.T) {
	if got, want := pacingOptions(config.Defaults().Pacing), pacing.DefaultOptions(); got != want {
		t.Errorf("the settings' defaults are %+v, the room's own %+v", got, want)
	}
}
