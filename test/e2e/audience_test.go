package e2e

import (
	"encoding/json"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"fanfare/test/servers"
)

// starved is a system in which campaign 1, of the highest priority, keeps a small dispatcher busy.
func starved(t *testing.T) (*servers.System, *servers.Process) {
	t.Helper()
	s := slowSystem(t)
	s.Campaign("1", audience(700))
	s.Fanfare("campaign", "set", "1", "--priority", "9")
	dispatcher := s.Start(nil, "dispatcher")
	s.Sim.AwaitAccepted(1)
	return s, dispatcher
}

// TestStarvedAudienceExpiresWithResults has an application's EXPIRE pass while a campaign of higher
// priority is served. No one vanishes: each recipient ends as expired.
func TestStarvedAudienceExpiresWithResults(t *testing.T) {
	t.Parallel()
	const n = 100
	s, dispatcher := starved(t)
	ctx := t.Context()
	elements := make([]any, n)
	for i := range elements {
		elements[i] = fmt.Sprintf(`{"userId":"late-%d","fcmToken":"late-%d"}`, i, i)
	}
	s.Fanfare("campaign", "create", "2", "--message", s.File("message.json", servers.PlainMessage))
	s.Redis.RPush(ctx, "campaign:2", elements...)
	s.Redis.PExpire(ctx, "campaign:2", 3*time.Second)
	s.Fanfare("campaign", "start", "2")
	servers.Eventually(t, "the late have expired", func() bool {
		return s.Redis.HGet(ctx, "{campaign:2}:spec", "state").Val() == "expired"
	})
	if b := s.Show("2").Books; b.Expired+b.Sent != n || b.Expired == 0 {
		t.Errorf("books %+v, want all of %d ended", b, n)
	}
	servers.Eventually(t, "each of the late has a result", func() bool {
		ended := make(map[string]bool)
		for _, text := range s.Redis.LRange(ctx, "notification:responses", 0, -1).Val() {
			var result struct{ UserID, Status string }
			if err := json.Unmarshal([]byte(text), &result); err != nil {
				t.Fatal(err)
			}
			if strings.HasPrefix(result.UserID, "late-") && (result.Status == "expired" || result.Status == "sent") {
				ended[result.UserID] = true
			}
		}
		return len(ended) == n
	})
	dispatcher.Signal(syscall.SIGTERM)
	dispatcher.ExpectExit(0)
}

// TestLoadedAudienceWaitsForItsCampaign has a load's expiry pass before the campaign is created,
// with a deadline years away, and started.
func TestLoadedAudienceWaitsForItsCampaign(t *testing.T) {
	t.Parallel()
	const n = 50
	s := servers.NewSystem(t, programs, servers.SystemOptions{Env: []string{"FANFARE_CAMPAIGN_DEFAULT_TTL=1s"}})
	message := s.File("message.json", servers.PlainMessage)
	s.Fanfare("load", "42", s.File("audience.csv", audience(n)))
	s.Fanfare("load", "43", s.File("audience.csv", audience(n)))
	passed := func() bool {
		at := s.Redis.HGet(t.Context(), "{campaign:43}:counts", "deadline").Val()
		now := s.Redis.Time(t.Context()).Val()
		return at != "" && fmt.Sprint(now.UnixMilli()) > at
	}
	servers.Eventually(t, "the load's expiry has passed", passed)
	s.Fanfare("campaign", "create", "42", "--message", message, "--deadline", "2040-01-01T00:00:00Z")
	s.Fanfare("campaign", "start", "42")
	s.Job("42").ExpectExit(0)
	if b := s.Show("42").Books; b.Sent != n || b.Loaded != n {
		t.Errorf("books %+v, want all of %d sent", b, n)
	}
	// Without a deadline of its own the load's counts, and a start says so.
	s.Fanfare("campaign", "create", "43", "--message", message)
	s.Start(nil, "fanfare", "campaign", "start", "43").ExpectExit(1)
}

// TestKeysDeletedInMidRun has someone delete a key of a running campaign. The Job ends as it does
// when recipients are missing, and all that is shown says so.
func TestKeysDeletedInMidRun(t *testing.T) {
	for name, pattern := range map[string]string{
		"list": "campaign:42", "counts": "{campaign:42}:counts", "lease": "{campaign:42}:lease:*",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const n = 150
			s := slowSystem(t)
			s.Fanfare("campaign", "create", "42", "--message", s.File("message.json", servers.PlainMessage))
			for i := range n {
				s.Redis.RPush(t.Context(), "campaign:42", fmt.Sprintf(`{"userId":"u%d","fcmToken":"t%d"}`, i, i))
			}
			s.Fanfare("campaign", "start", "42")
			job := s.Job("42")
			s.Sim.AwaitAccepted(30)
			servers.Eventually(t, "there is such a key", func() bool {
				keys := s.Redis.Keys(t.Context(), pattern).Val()
				return len(keys) > 0 && s.Redis.Del(t.Context(), keys...).Val() > 0
			})
			job.ExpectExit(4)
			if !strings.Contains(job.Log(), "recipients went missing in Redis") {
				t.Errorf("the Job does not say why: %s", job.Log())
			}
			shown := string(s.Fanfare("campaign", "show", "42", "--json"))
			for _, want := range []string{`"state":"completed"`, `"balanced":false`, fmt.Sprintf(`"loaded":%d`, n), "went missing in Redis; "} {
				if !strings.Contains(shown, want) {
					t.Errorf("it is not shown that %s: %s", want, shown)
				}
			}
			if strings.Contains(shown, `":-`) {
				t.Errorf("a figure is negative: %s", shown)
			}
			if listed := string(s.Fanfare("campaign", "list")); !strings.Contains(listed, "went missing in Redis") {
				t.Errorf("the list is silent about it: %s", listed)
			}
		})
	}
}

// TestKilledLoadIsGoneOnWith kills a load with SIGKILL. It shows, a start is refused, and the same
// command continues with it.
func TestKilledLoadIsGoneOnWith(t *testing.T) {
	t.Parallel()
	const n = 400_000
	s := servers.NewSystem(t, programs, servers.SystemOptions{})
	s.Fanfare("campaign", "create", "42", "--message", s.File("message.json", servers.PlainMessage))
	file := s.File("audience.csv", audience(n))
	load := s.Start(nil, "fanfare", "load", "42", file)
	servers.Eventually(t, "some are loaded", func() bool { return s.Redis.LLen(t.Context(), "campaign:42").Val() >= 5000 })
	load.Signal(syscall.SIGKILL)
	load.Wait()
	if left := s.Redis.LLen(t.Context(), "campaign:42").Val(); left >= n {
		t.Fatalf("the load was over before it was killed: %d", left)
	}
	refused := s.Start(nil, "fanfare", "campaign", "start", "42")
	refused.ExpectExit(4)
	if !strings.Contains(refused.Log(), "fanfare load 42 FILE; or start without them: fanfare campaign start 42 --partial") {
		t.Errorf("the refusal says %s", refused.Log())
	}
	for _, look := range [][]string{{"campaign", "show", "42"}, {"campaign", "list"}, {"check"}} {
		looked := s.Start(nil, "fanfare", look...)
		looked.Wait()
		if !strings.Contains(oneLine(looked.Stdout()), "was just interrupted") {
			t.Errorf("%v is silent about the load: %s", look, looked.Stdout())
		}
	}
	s.Fanfare("load", "42", file)
	if b := s.Show("42").Books; b.Loaded != n || b.Waiting != n {
		t.Errorf("books %+v, want %d, each once", b, n)
	}
	s.Fanfare("campaign", "start", "42")
}

// TestDeleteWaitsForTheWire pauses a campaign and deletes it at once: every push that FCM has
// accepted has its result.
func TestDeleteWaitsForTheWire(t *testing.T) {
	t.Parallel()
	s, db := newSystem(t, servers.SystemOptions{
		Simulator: []string{"--latency", "300ms"}, Env: []string{"FANFARE_DISPATCHER_CONCURRENCY=200", "FANFARE_BREAKER_ENABLED=false"},
	})
	s.Campaign("42", audience(5000))
	dispatcher, responder := s.Start(nil, "dispatcher"), s.Start(nil, "responder")
	s.Sim.AwaitAccepted(200)
	s.Fanfare("campaign", "pause", "42")
	deleted := string(s.Fanfare("campaign", "delete", "42", "--json"))
	if !strings.Contains(deleted, `"withoutResult":0`) {
		t.Errorf("the deletion says %s", deleted)
	}
	accepted := s.Sim.Counts().Accepted
	var rows int64
	servers.Eventually(t, "every push has a row", func() bool {
		rows = int64(len(servers.Deliveries(t, db, "42")))
		return rows >= accepted
	})
	if rows != accepted {
		t.Errorf("%d rows for %d pushes", rows, accepted)
	}
	for _, p := range []*servers.Process{dispatcher, responder} {
		p.Signal(syscall.SIGTERM)
		p.ExpectExit(0)
	}
}
