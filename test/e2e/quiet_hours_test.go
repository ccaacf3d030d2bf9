package e2e

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"fanfare/test/servers"
)

// TestQuietHours sends to users who are in quiet hours: one until the next minute, one beyond the
// deadline, and one who is awake in another zone. The Job waits, and each ends as it must.
func TestQuietHours(t *testing.T) {
	t.Parallel()
	s := servers.NewSystem(t, programs, servers.SystemOptions{Env: probing})
	now := time.Now().UTC()
	ends := now.Add(5 * time.Second).Truncate(time.Minute).Add(time.Minute)
	clock := func(at time.Time) string { return at.Format("15:04") }
	long := clock(ends.Add(-30*time.Minute)) + "-" + clock(ends.Add(3*time.Hour))
	s.Fanfare("campaign", "create", "42", "--message", s.File("message.json", servers.PlainMessage), "--deadline", ends.Add(time.Hour).Format(time.RFC3339),
		"--quiet-hours", long)
	if err := s.Redis.Set(t.Context(), "profile:soon", `{"quietHours":"`+clock(ends.Add(-30*time.Minute))+"-"+clock(ends)+`"}`, 0).Err(); err != nil {
		t.Fatal(err)
	}
	s.Fanfare("load", "42", s.File("audience.csv", "userId,fcmToken,timeZone,quietHours\nsoon,token-soon,,\nnight,token-night,,\nawake,token-awake,+06:00,\nnone,token-none,,none\n"))
	s.Fanfare("campaign", "start", "42", "--late")
	s.Job("42").ExpectExit(0)

	var view struct {
		Books struct{ Sent, Expired, WindowWaits int64 }
	}
	if err := json.Unmarshal(s.Fanfare("campaign", "show", "42", "--json"), &view); err != nil {
		t.Fatal(err)
	}
	if b := view.Books; b.Sent != 3 || b.Expired != 1 || b.WindowWaits != 1 {
		t.Errorf("books %+v, want 3 sent and one expired, one of them after a wait", b)
	}
	ended := make(map[string]string)
	for _, text := range s.Redis.LRange(t.Context(), "notification:responses", 0, -1).Val() {
		var r struct {
			UserID, Status string
			At             time.Time
		}
		if err := json.Unmarshal([]byte(text), &r); err != nil {
			t.Fatal(err)
		}
		ended[r.UserID] = fmt.Sprint(r.Status, " in quiet hours: ", r.At.Before(ends))
	}
	want := map[string]string{
		"soon": "sent in quiet hours: false", "night": "expired in quiet hours: true", "awake": "sent in quiet hours: true", "none": "sent in quiet hours: true",
	}
	if fmt.Sprint(ended) != fmt.Sprint(want) {
		t.Errorf("ended %v, want %v", ended, want)
	}
}
