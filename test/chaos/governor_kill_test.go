package chaos

import (
	"strconv"
	"syscall"
	"testing"
	"time"

	"fanfare/test/servers"
)

// TestReplicaKilledWithShares kills one of three dispatchers, with its shares of the quota and, in one case, its places in the
// canary. The others go on at the whole rate, and nobody is lost.
func TestReplicaKilledWithShares(t *testing.T) {
	for name, canary := range map[string]int{"within the canary": 1000, "after it": 20} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const n, rate, together = 2000, 300, 20
			s, _ := newSystem(t, servers.SystemOptions{
				Simulator: []string{"--latency", "20ms"},
				Env: []string{
					"FANFARE_PACING_PER_MINUTE=" + strconv.Itoa(60*rate), "FANFARE_DISPATCHER_CONCURRENCY=" + strconv.Itoa(together),
					"FANFARE_DISPATCHER_ACK_BATCH=" + strconv.Itoa(ackBatch), "FANFARE_BREAKER_CANARY=" + strconv.Itoa(canary),
				},
			})
			s.Campaign("42", audience(n))
			killed, others := s.Start(nil, "dispatcher"), []*servers.Process{s.Start(nil, "dispatcher"), s.Start(nil, "dispatcher")}
			s.Sim.Accepted(200)
			killed.Signal(syscall.SIGKILL)
			killed.Exits(-1)
			dead := time.Now()
			came := s.Sim.ArrivalsBetween(dead.Add(time.Second), dead.Add(3*time.Second))
			if got := float64(came.Total()) / (float64(len(came.Slots)) / 10); got < 0.9*rate || got > 1.1*rate {
				t.Errorf("%.0f requests a second came after the kill, want the whole rate of %d", got, rate)
			}
			servers.Eventually(t, "the campaign is completed", func() bool { return s.Show("42").State == "completed" })
			for _, p := range others {
				p.Signal(syscall.SIGTERM)
				p.Exits(0)
			}
			if c := s.Sim.Counts(); c.Distinct != outcomes(n).Sent || c.Duplicates > together+ackBatch {
				t.Errorf("FCM accepted %d messages and %d again, want %d and at most %d", c.Distinct, c.Duplicates, outcomes(n).Sent, together+ackBatch)
			}
			checkBooks(t, s, n)
		})
	}
}

// TestGateSurvivesKills closes the gate and kills every dispatcher. Those that come after obey it all the same, until it opens.
func TestGateSurvivesKills(t *testing.T) {
	t.Parallel()
	const n, retryAfter = 1000, 4 * time.Second
	s, _ := newSystem(t, servers.SystemOptions{
		Simulator: []string{"--latency", "20ms"}, Env: []string{"FANFARE_PACING_MAX_GATE=1m", "FANFARE_PACING_PER_MINUTE=60000", "FANFARE_RETRY_MAX_ATTEMPTS=100"},
	})
	s.Campaign("42", audience(n))
	first := s.Start(nil, "dispatcher")
	s.Sim.Accepted(200)
	s.Sim.Rules(`{"latency":"20ms","outcomes":[{"code":"RATE_LIMIT_EXCEEDED","share":1,"retryAfter":"4"}]}`)
	first.AwaitLog("close gate")
	closed := time.Now()
	servers.Eventually(t, "FCM has answered all", func() bool { return s.Sim.Counts().InFlight == 0 })
	first.Signal(syscall.SIGKILL)
	first.Exits(-1)
	s.Sim.Rules(`{"latency":"20ms"}`)
	second := s.Start(nil, "dispatcher")
	from, to := time.Now(), closed.Add(retryAfter-time.Second)
	if came := s.Sim.ArrivalsBetween(from, to); len(came.Slots) == 0 || came.Total() != 0 {
		t.Errorf("%d requests came from %s to %s behind a closed gate, want none", came.Total(), from, to)
	}
	servers.Eventually(t, "the campaign is completed", func() bool { return s.Show("42").State == "completed" })
	second.Signal(syscall.SIGTERM)
	second.Exits(0)
	checkBooks(t, s, n)
}
