package e2e

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"fanfare/test/servers"
)

// TestScheduleAndWindows schedules a campaign with a window that opens at the next minute, UTC. It
// is open already a quarter of an hour to the east, and opens after the deadline far in the west.
// The Job waits for the start and for the window, and each recipient is sent to in turn.
func TestScheduleAndWindows(t *testing.T) {
	t.Parallel()
	s := servers.NewSystem(t, programs, servers.SystemOptions{Env: probing})
	start := time.Now().Add(8 * time.Second).UTC().Truncate(time.Second)
	opens := start.Add(2 * time.Second).Truncate(time.Minute).Add(time.Minute)
	window := opens.Format("15:04") + "-" + opens.Add(30*time.Minute).Format("15:04")
	s.Fanfare("campaign", "create", "42", "--message", s.File("message.json", servers.PlainMessage), "--start-at", start.Format(time.RFC3339),
		"--window", window, "--deadline", opens.Add(20*time.Minute).Format(time.RFC3339))
	s.Fanfare("load", "42", s.File("audience.csv", "userId,fcmToken,timeZone\nhere,token-here,\neast,token-east,+00:20\nwest,token-west,-03:00\nodd,token-odd,Nowhere/Land\n"))
	if state := s.Show("42").State; state != "scheduled" {
		t.Errorf("the campaign is %s, want scheduled", state)
	}
	s.Job("42").ExpectExit(0)

	var view struct {
		State   string
		History []struct{ What, Detail string }
		Books   struct {
			Sent, Expired, Loaded, WindowWaits, BadZones int64
			Balanced                                     bool
			Waves                                        []struct {
				Opens time.Time
				Sent  int64
			}
		}
	}
	if err := json.Unmarshal(s.Fanfare("campaign", "show", "42", "--json"), &view); err != nil {
		t.Fatal(err)
	}
	b := view.Books
	if view.State != "completed" || b.Sent != 3 || b.Expired != 1 || b.WindowWaits != 2 || b.BadZones != 1 || !b.Balanced {
		t.Errorf("it is %s with the books %+v", view.State, b)
	}
	if len(b.Waves) != 1 || !b.Waves[0].Opens.Equal(opens) || b.Waves[0].Sent != 2 {
		t.Errorf("waves %+v, want 2 sent at %s", b.Waves, opens)
	}
	started := 0
	for _, e := range view.History {
		if e.What == "started" && e.Detail == "scheduled for "+start.Format(time.RFC3339) {
			started++
		}
	}
	if started != 1 {
		t.Errorf("the history has %d scheduled starts: %+v", started, view.History)
	}
	checkMoments(t, s, start, opens)
}

// checkMoments checks when the recipients ended.
func checkMoments(t *testing.T, s *servers.System, start, opens time.Time) {
	t.Helper()
	raw, err := s.Redis.LRange(t.Context(), "notification:responses", 0, -1).Result()
	if err != nil {
		t.Fatal(err)
	}
	ended := make(map[string]string)
	for _, text := range raw {
		var r struct {
			UserID, Status string
			At             time.Time
		}
		if err := json.Unmarshal([]byte(text), &r); err != nil {
			t.Fatal(err)
		}
		when := "before the start"
		switch {
		case !r.At.Before(opens):
			when = "in the window"
		case !r.At.Before(start):
			when = "after the start"
		}
		ended[r.UserID] = r.Status + " " + when
	}
	want := map[string]string{"here": "sent in the window", "odd": "sent in the window", "east": "sent after the start", "west": "expired after the start"}
	if fmt.Sprint(ended) != fmt.Sprint(want) {
		t.Errorf("ended %v, want %v", ended, want)
	}
}
