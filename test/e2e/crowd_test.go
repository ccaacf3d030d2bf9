package e2e

import (
	"fmt"
	"slices"
	"strings"
	"syscall"
	"testing"

	"fanfare/test/servers"
)

// TestSideBySide has two dispatchers and two responders work at one campaign: each has its part in
// it, and no one is sent to twice or left out.
func TestSideBySide(t *testing.T) {
	t.Parallel()
	const n, dead = 2000, 100
	s, db := newSystem(t, servers.SystemOptions{
		Simulator: []string{"--latency", "20ms..80ms"},
		Env: []string{
			"FANFARE_DISPATCHER_CONCURRENCY=10", "FANFARE_HTTP_DISPATCHER=127.0.0.1:0",
			"FANFARE_HTTP_RESPONDER=127.0.0.1:0", "FANFARE_RESPONDER_BATCH=50",
		},
	})
	lines := audience(n - dead)
	for i := range dead {
		lines += fmt.Sprintf("gone-%06d,dead-%06d\n", i, i)
	}
	responders := []*servers.Process{s.Start(nil, "responder"), s.Start(nil, "responder")}
	s.Campaign("42", lines)
	dispatchers := []*servers.Process{s.Job("42"), s.Job("42")}
	for i, d := range dispatchers {
		servers.Eventually(t, fmt.Sprintf("dispatcher %d has claimed somebody", i), func() bool {
			return metric(t, d, "fanfare_dispatcher_claimed_total") > 0
		})
	}
	for _, d := range dispatchers {
		d.ExpectExit(0)
	}
	summary := servers.AwaitSummary(t, db, "42", n)
	for _, r := range responders {
		r.Signal(syscall.SIGTERM)
		r.ExpectExit(0)
	}

	checkOnce(t, s, n-dead)
	want := servers.Outcomes{Sent: n - dead, Failed: dead}
	deliveries := servers.Deliveries(t, db, "42")
	if rows := servers.CountByStatus(deliveries); rows != want || summary != want || s.Show("42").Books.Outcomes != want {
		t.Errorf("rows %+v, summary %+v, books %+v: want %+v", rows, summary, s.Show("42").Books, want)
	}
	users := make(map[string]bool)
	for _, d := range deliveries {
		users[d.User] = true
	}
	if len(users) != n {
		t.Errorf("%d users have rows, want %d", len(users), n)
	}
	if letters := deadLetters(t, s); len(letters) != dead {
		t.Errorf("%d dead letters, want %d", len(letters), dead)
	}
}

// TestSmallBesideBig starts a small campaign behind a big one, which it does not have to wait for.
func TestSmallBesideBig(t *testing.T) {
	t.Parallel()
	const big, small = 8000, 20
	s := servers.NewSystem(t, programs, servers.SystemOptions{
		Simulator: []string{"--latency", "50ms"}, Env: []string{"FANFARE_DISPATCHER_CONCURRENCY=40"},
	})
	s.Campaign("big", audience(big))
	s.Fanfare("campaign", "create", "small", "--message", s.File("message.json", servers.PlainMessage))
	s.Fanfare("load", "small", s.File("audience.csv", strings.ReplaceAll(audience(small), "ok-", "small-")))
	dispatcher := s.Start(nil, "dispatcher")
	s.Sim.AwaitAccepted(200)
	s.Fanfare("campaign", "start", "small")
	checkCampaign(t, s, "small", "completed")
	stop(dispatcher)
	ended := inOrder(t, s)
	if first, last := slices.Index(ended, "small"), len(ended)-1; first < 1 || ended[last] != "big" {
		t.Errorf("of %d results, the first of the small campaign is number %d: want some of the big one before all of these, and after", len(ended), first)
	}
}

// metric reads the sum of one of a program's figures over its labels.
func metric(t *testing.T, p *servers.Process, name string) (sum float64) {
	t.Helper()
	_, text := ask(t, p, "/metrics")
	for line := range strings.Lines(text) {
		labelled, found := strings.CutPrefix(line, name)
		if !found {
			continue
		}
		var value float64
		fields := strings.Fields(labelled)
		if _, err := fmt.Sscan(fields[len(fields)-1], &value); err != nil {
			t.Fatalf("read %q: %v", line, err)
		}
		sum += value
	}
	return sum
}
