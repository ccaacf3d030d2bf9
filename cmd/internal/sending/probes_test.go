package sending

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"fanfare/internal/config"
	"fanfare/internal/fcm"
)

func openRooms(t *testing.T, edit func(*config.Settings)) *Rooms {
	t.Helper()
	s := config.Defaults()
	s.Redis.URL, s.FCM.ProjectID = "redis://127.0.0.1:1", "demo"
	edit(&s)
	rooms, err := Open(t.Context(), s, "test", slog.New(slog.DiscardHandler), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = rooms.Close() })
	return rooms
}

// closedAddress returns an address at which nothing listens.
func closedAddress() string {
	gone := httptest.NewServer(nil)
	gone.Close()
	return strings.TrimPrefix(gone.URL, "http://")
}

// The probe must fail if no message can get through.
func TestEndpointProbeConnects(t *testing.T) {
	plain, secure := httptest.NewServer(http.NotFoundHandler()), httptest.NewTLSServer(http.NotFoundHandler())
	t.Cleanup(plain.Close)
	t.Cleanup(secure.Close)
	secure.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	for endpoint, problem := range map[string]string{
		plain.URL + "/v1":            "",
		"http://" + closedAddress():  "connection refused",
		"https://" + closedAddress(): "connection refused",
		secure.URL + "/v1":           "fcm.ca_file",
	} {
		rooms := openRooms(t, func(s *config.Settings) { s.FCM.Endpoint = config.URL(endpoint) })
		for _, probe := range rooms.Probes() {
			if probe.Name != "fcm endpoint" {
				continue
			}
			if _, err := probe.Run(t.Context()); (err == nil) != (problem == "") || err != nil && !strings.Contains(err.Error(), problem) {
				t.Errorf("%s: got %v, want %q", endpoint, err, problem)
			}
		}
	}
}

// Of several projects, each is checked, with its name.
func TestProbesOfSeveralProjects(t *testing.T) {
	open := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(open.Close)
	rooms := openRooms(t, func(s *config.Settings) {
		first, second := *s, *s
		first.FCM.ProjectID, first.FCM.Endpoint = "first", config.URL(open.URL+"/v1")
		second.FCM.ProjectID, second.FCM.Endpoint = "second", config.URL("http://"+closedAddress())
		s.FCM.ProjectID, s.Projects = "", []config.Settings{first, second}
	})
	works := map[string]bool{"fcm credentials of first": true, "fcm endpoint of first": true, "fcm credentials of second": true, "fcm endpoint of second": false}
	for _, probe := range rooms.Probes() {
		want, is := works[probe.Name]
		if !is {
			continue // those of Redis, which is away here
		}
		delete(works, probe.Name)
		if _, err := probe.Run(t.Context()); (err == nil) != want {
			t.Errorf("%s: got %v, want that it works: %v", probe.Name, err, want)
		}
	}
	if len(works) > 0 {
		t.Errorf("probes are missing: %v", works)
	}
}

// A dispatcher that can reach neither SQL nor FCM is not ready, whatever the state of Redis.
func TestDispatcherIsReadyWhenItCanSend(t *testing.T) {
	database := config.URL("postgres://u@" + closedAddress() + "/d")
	for name, c := range map[string]struct {
		edit func(*config.Settings)
		want []string
	}{
		"no database":          {func(*config.Settings) {}, []string{"fcm"}},
		"tokens from SQL":      {func(s *config.Settings) { s.Store.DatabaseURL = database }, []string{"fcm", "database"}},
		"nothing asked of SQL": {func(s *config.Settings) { s.Store.DatabaseURL, s.Store.TokenQuery = database, "off" }, []string{"fcm"}},
		"profiles from SQL": {func(s *config.Settings) {
			s.Store.DatabaseURL, s.Store.TokenQuery = database, "off"
			s.Store.ProfileQuery = "SELECT id, profile FROM users WHERE id = ANY($1)"
		}, []string{"fcm", "database"}},
	} {
		rooms := openRooms(t, func(s *config.Settings) {
			s.FCM.Endpoint = config.URL("https://" + closedAddress())
			c.edit(s)
		})
		sender := mustSender(t, rooms)
		checks := rooms.ReadyChecks(sender)
		if err := checks["fcm"](t.Context()); err != nil {
			t.Errorf("%s: not ready before FCM was tried: %v", name, err)
		}
		if err := sender.Check(t.Context()); err == nil {
			t.Fatalf("%s: FCM is reached", name)
		}
		for _, check := range c.want {
			if checks[check] == nil || checks[check](t.Context()) == nil {
				t.Errorf("%s: %s is not checked, or well", name, check)
			}
		}
		if len(checks) != len(c.want) {
			t.Errorf("%s: %d checks, want %v", name, len(checks), c.want)
		}
	}
}

func mustSender(t *testing.T, rooms *Rooms) *fcm.Sender {
	t.Helper()
	sender, err := rooms.NewSender(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = sender.Close() })
	return sender
}
