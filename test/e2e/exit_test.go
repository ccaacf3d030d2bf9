package e2e

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"fanfare/test/servers"
)

// audience is n recipients in CSV. One in ten has a dead token.
func audience(n int) string {
	lines := []string{"userId,fcmToken"}
	for i := range n {
		lines = append(lines, fmt.Sprintf("user-%06d,ok-%06d", i, i))
	}
	return strings.Join(lines, "\n") + "\n"
}

// slowSystem serves about 100 recipients a second: a Job can be stopped during its
// campaign.
func slowSystem(t *testing.T) *servers.System {
	return servers.NewSystem(t, programs, servers.SystemOptions{
		Simulator: []string{"--latency", "100ms"}, Env: []string{"FANFARE_DISPATCHER_CONCURRENCY=10"},
	})
}

// checkOnce wants FCM to have accepted one message for each of n recipients, and no more.
func checkOnce(t *testing.T, s *servers.System, n int64) {
	t.Helper()
	if c := s.Sim.Counts(); c.Distinct != n || c.Duplicates != 0 {
		t.Errorf("FCM accepted %d messages and %d again, want %d and none", c.Distinct, c.Duplicates, n)
	}
}

func TestJobOfCampaignThatDoesNotRun(t *testing.T) {
	t.Parallel()
	s := servers.NewSystem(t, programs, servers.SystemOptions{})
	s.Job("nobody-created-this").ExpectExit(5)

	s.Fanfare("campaign", "create", "42", "--message", s.File("message.json", servers.PlainMessage))
	s.Fanfare("load", "42", s.File("audience.csv", audience(10)))
	s.Job("42").ExpectExit(2) // a draft: someone forgot to start it

	s.Fanfare("campaign", "start", "42")
	s.Fanfare("campaign", "pause", "42", "--reason", "the shop is down")
	paused := s.Job("42")
	paused.ExpectExit(4)
	if !strings.Contains(paused.Log(), "the shop is down") {
		t.Errorf("the log says %q, want the reason of the pause", paused.Log())
	}
	s.Fanfare("campaign", "cancel", "42")
	s.Job("42").ExpectExit(4)
	checkOnce(t, s, 0)
}

// A message that an application wrote, and that FCM would refuse, is as good as a wrong command
// line.
func TestJobWithUnusableSpec(t *testing.T) {
	t.Parallel()
	s := servers.NewSystem(t, programs, servers.SystemOptions{})
	push(t, s, "42", []element{{raw: `{"userId":"u","fcmToken":"ok-u"}`}})
	spec := func(message string) {
		t.Helper()
		if err := s.Redis.HSet(t.Context(), "{campaign:42}:spec", "message", message, "state", "running").Err(); err != nil {
			t.Fatal(err)
		}
	}
	spec(`{"notification":{"tittle":"Doors open"}}`)
	p := s.Job("42")
	p.ExpectExit(2)
	if !strings.Contains(p.Log(), "message.notification.tittle") {
		t.Errorf("the log says %q, want the field named", p.Log())
	}
	spec(`{"notification":{"title":"Hello {{name"}}`)
	s.Job("42").ExpectExit(2)
	if view := s.Show("42"); view.State != "broken" || !strings.Contains(view.Reason, "message.notification.title") {
		t.Errorf("shown as %+v, want broken with the field named", view)
	}
	spec(`{"message":{"notification":{"title":"Doors open"},"android":{"notification":{"channelId":"orders","clickAction":"app://{{screen|home}}"}}}}`)
	s.Job("42").ExpectExit(0)
	checkOnce(t, s, 1)
	entry := s.Sim.Ledger()["ok-u"][0]
	if sent := string(entry.Message); !strings.Contains(sent, `"channel_id":"orders"`) || !strings.Contains(sent, `"click_action":"app://home"`) {
		t.Errorf("FCM was sent %s", sent)
	}
}

// Anyone who pauses, cancels or stops during a campaign finds everyone either sent once or
// still waiting.
func TestJobStoppedMidway(t *testing.T) {
	for name, test := range map[string]struct {
		stop    func(*servers.System, *servers.Process)
		code    int
		goOn    []string // what lets the campaign continue; nil: nothing needs to
		forGood bool
	}{
		"SIGTERM": {stop: func(_ *servers.System, p *servers.Process) { p.Signal(syscall.SIGTERM) }, code: 75},
		"pause":   {stop: func(s *servers.System, _ *servers.Process) { s.Fanfare("campaign", "pause", "42") }, code: 4, goOn: []string{"campaign", "resume", "42"}},
		"cancel":  {stop: func(s *servers.System, _ *servers.Process) { s.Fanfare("campaign", "cancel", "42") }, code: 4, forGood: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const n = 300
			s := slowSystem(t)
			s.Campaign("42", audience(n))
			job := s.Job("42")
			s.Sim.AwaitAccepted(30)
			test.stop(s, job)
			job.ExpectExit(test.code)

			books := s.Show("42").Books
			checkOnce(t, s, books.Sent)
			if books.Waiting == 0 || books.Waiting+books.Sent != n {
				t.Errorf("books %+v, want everybody sent or waiting, and some waiting", books)
			}
			left := waiting(t, s, "42")
			if !slices.IsSorted(left) || int64(len(left)) != books.Waiting {
				t.Errorf("%d wait in the order %v, want %d in that of the audience", len(left), left, books.Waiting)
			}
			if test.forGood {
				return
			}
			if test.goOn != nil {
				s.Fanfare(test.goOn...)
			}
			s.Job("42").ExpectExit(0)
			checkOnce(t, s, n)
		})
	}
}

// waiting lists the users that wait, in the order in which they will be served: those that came
// back, then the list.
func waiting(t *testing.T, s *servers.System, id string) (users []string) {
	t.Helper()
	for _, key := range []string{"{campaign:" + id + "}:back", "campaign:" + id} {
		values, err := s.Redis.LRange(t.Context(), key, 0, -1).Result()
		if err != nil {
			t.Fatal(err)
		}
		for _, value := range values {
			var recipient struct{ UserID string }
			if err := json.Unmarshal([]byte(value[strings.IndexByte(value, '{'):]), &recipient); err != nil {
				t.Fatalf("read %q: %v", value, err)
			}
			users = append(users, recipient.UserID)
		}
	}
	return users
}

// The application's EXPIRE falls during the campaign: who was not served by then is
// counted, and not lost out of sight.
func TestJobPastDeadline(t *testing.T) {
	t.Parallel()
	const n = 300
	s := slowSystem(t)
	s.Campaign("42", audience(n))
	job := s.Job("42")
	s.Sim.AwaitAccepted(20)
	if err := s.Redis.PExpire(t.Context(), "campaign:42", time.Second).Err(); err != nil {
		t.Fatal(err)
	}
	job.ExpectExit(4)
	view := s.Show("42")
	if view.State != "expired" || view.Books.Sent == 0 || view.Books.Expired == 0 || view.Books.Sent+view.Books.Expired != n {
		t.Errorf("the campaign ended as %+v, want expired with everybody of %d sent or expired", view, n)
	}
	checkOnce(t, s, view.Books.Sent)
}
