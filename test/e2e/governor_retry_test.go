package e2e

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"fanfare/test/servers"
)

// TestDeliveredButUnavailable has FCM answer 503 to three tenths of all requests, half of which it
// delivers all the same. What becomes of them is the campaign's choice, and each is counted.
func TestDeliveredButUnavailable(t *testing.T) {
	for _, onAmbiguous := range []string{"resend", "report"} {
		t.Run(onAmbiguous, func(t *testing.T) {
			t.Parallel()
			const n = 500
			s := servers.NewSystem(t, programs, servers.SystemOptions{Env: []string{"FANFARE_RETRY_MAX_ATTEMPTS=50"}})
			s.Sim.Rules(`{"outcomes":[{"code":"UNAVAILABLE","share":0.3,"delivered":0.5}]}`)
			s.Fanfare("campaign", "create", "42", "--message", s.File("message.json", servers.PlainMessage), "--on-ambiguous", onAmbiguous)
			s.Fanfare("load", "42", s.File("audience.csv", audience(n)))
			s.Fanfare("campaign", "start", "42")
			s.Job("42").ExpectExit(0)
			books, counts, resent := s.Show("42").Books, s.Sim.Counts(), resent(t, s, "42")
			unavailable := counts.Codes["UNAVAILABLE"]
			switch {
			case onAmbiguous == "resend" && (books.Sent != n || counts.Distinct != n || resent != unavailable || counts.Duplicates == 0 || counts.Duplicates > resent):
				t.Errorf("books %+v, %d sent again, and FCM counts %+v: want everybody sent to, each 503 counted, and no more duplicates than those", books, resent, counts)
			case onAmbiguous == "report" && (counts.Duplicates != 0 || resent != 0 || books.Unknown != unavailable || books.Sent+books.Unknown != n):
				t.Errorf("books %+v, %d sent again, and FCM counts %+v: want each 503 reported, and none sent to twice", books, resent, counts)
			}
		})
	}
}

// resent is how many of a campaign's requests the books count as made again.
func resent(t *testing.T, s *servers.System, id string) int64 {
	t.Helper()
	var view struct{ Books struct{ Resent int64 } }
	printed := s.Fanfare("campaign", "show", id, "--json")
	if err := json.Unmarshal(printed, &view); err != nil {
		t.Fatalf("read campaign show: %v in %s", err, printed)
	}
	return view.Books.Resent
}

// TestDevicesQuotaDelaysNobodyElse has FCM refuse some devices for a while: they wait, the others
// do not.
func TestDevicesQuotaDelaysNobodyElse(t *testing.T) {
	t.Parallel()
	const n, busy = 500, 10
	s := servers.NewSystem(t, programs, servers.SystemOptions{Env: []string{"FANFARE_PACING_MAX_GATE=1m"}})
	s.Sim.Rules(`{"prefixes":{"busy-":{"code":"DEVICE_QUOTA_EXCEEDED","retryAfter":"10"}}}`)
	lines := []string{"userId,fcmToken"}
	for i := range busy {
		lines = append(lines, fmt.Sprintf("busy-%d,busy1-%d", i, i))
	}
	s.Campaign("42", strings.Join(lines, "\n")+"\n"+strings.TrimPrefix(audience(n), "userId,fcmToken\n"))
	begun := time.Now()
	job := s.Job("42")
	var books servers.Books
	s.Eventually("all others are sent to", func() bool {
		books = s.Show("42").Books
		return books.Sent >= n
	})
	if books.Retrying != busy || books.Sent != n {
		t.Errorf("books %+v, want %d sent, and %d who wait", books, n, busy)
	}
	job.ExpectExit(0)
	if took := time.Since(begun); took < 10*time.Second {
		t.Errorf("all was over after %s, want the devices to be left alone for ten seconds", took)
	}
	if strings.Contains(job.Log(), "gate not closed") {
		t.Error("the gate of the project was closed for a device")
	}
	checkOnce(t, s, n+busy)
	if refused := s.Sim.Counts().Codes["DEVICE_QUOTA_EXCEEDED"]; refused != busy {
		t.Errorf("%d requests were refused, want one for each device, %d", refused, busy)
	}
}

// TestCampaignsDeadline gives a slow campaign a deadline while it runs. Until then the TTL of its
// messages ends with it. The remaining recipients end as expired, and a Job says so.
func TestCampaignsDeadline(t *testing.T) {
	t.Parallel()
	const n, inForce = 1000, 4 * time.Second
	s := pacedSystem(t, 6_000)
	s.Campaign("42", audience(n))
	job := s.Job("42")
	s.Sim.AwaitAccepted(50)
	deadline := time.Now().Add(inForce)
	s.Fanfare("campaign", "set", "42", "--deadline", deadline.Format(time.RFC3339Nano))
	job.ExpectExit(4)
	view := s.Show("42")
	if view.State != "expired" || view.Books.Expired == 0 || view.Books.Sent+view.Books.Expired != n {
		t.Errorf("the campaign ended as %+v, want expired with everybody of %d sent or expired", view, n)
	}
	checkOnce(t, s, view.Books.Sent)
	checkSilence(t, s, deadline.Add(onItsWay), deadline.Add(2*onItsWay))
	short := 0
	for _, entries := range s.Sim.Ledger() {
		if timeToLive(t, entries[0]) <= inForce {
			short++
		}
	}
	if short == 0 || short == int(view.Books.Sent) {
		t.Errorf("%d of %d messages live no longer than the deadline, want those sent since it was set", short, view.Books.Sent)
	}
}

// timeToLive is how long a message waits for a device that is offline.
func timeToLive(t *testing.T, e servers.LedgerEntry) time.Duration {
	t.Helper()
	var message struct{ Android struct{ TTL string } }
	if err := json.Unmarshal(e.Message, &message); err != nil {
		t.Fatal(err)
	}
	ttl, err := time.ParseDuration(message.Android.TTL)
	if err != nil {
		t.Fatalf("read the TTL in %s: %v", e.Message, err)
	}
	return ttl
}
