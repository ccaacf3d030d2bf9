package e2e

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
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

// The zones of ZONEINFO go before those that the programs have a copy of. A recipient is sent to by
// a zone that is nowhere else, in a window that is closed in UTC.
func TestZonesOfZONEINFO(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "Our"), 0o700); err != nil {
		t.Fatal(err)
	}
	const east = 11 * 60 * 60 // seconds
	if err := os.WriteFile(filepath.Join(dir, "Our", "Island"), fixedZone(east), 0o600); err != nil {
		t.Fatal(err)
	}
	s := servers.NewSystem(t, programs, servers.SystemOptions{Env: []string{"ZONEINFO=" + dir}})
	there := time.Now().UTC().Add(east * time.Second)
	window := there.Add(-2*time.Hour).Format("15:04") + "-" + there.Add(2*time.Hour).Format("15:04")
	s.Fanfare("campaign", "create", "42", "--message", s.File("message.json", servers.PlainMessage), "--window", window)
	s.Fanfare("load", "42", s.File("audience.csv", "userId,fcmToken,timeZone\nu1,ok-u1,Our/Island\n"))
	s.Fanfare("campaign", "start", "42")
	s.Job("42").ExpectExit(0)
	if b := s.Show("42").Books; b.Sent != 1 {
		t.Errorf("books %+v, want one sent to", b)
	}
	create := []string{"campaign", "create", "43", "--message", s.File("message.json", servers.PlainMessage), "--time-zone", "Our/Island"}
	without := s.Start([]string{"ZONEINFO="}, "fanfare", create...)
	without.ExpectExit(2)
	if !strings.Contains(without.Log(), `time-zone is "Our/Island"`) {
		t.Errorf("without ZONEINFO: %s", without.Log())
	}
	s.Fanfare(create...)
}

// fixedZone is a file of the IANA database (RFC 9636, version 1) for a zone with one offset.
func fixedZone(offset uint32) []byte {
	const types, characters = 1, 4
	file := append([]byte("TZif"), make([]byte, 16)...)
	for _, n := range []uint32{0, 0, 0, 0, types, characters, offset} {
		file = binary.BigEndian.AppendUint32(file, n)
	}
	return append(file, 0, 0, 'O', 'U', 'R', 0) // no daylight saving, the name at 0
}
