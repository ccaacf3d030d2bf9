package chaos

import (
	"strconv"
	"syscall"
	"testing"
	"time"

	"fanfare/test/servers"
)

// TestReplicaKilledWithShares kills one of three dispatchers, with its shares of the quota and, in
// one case, its places in the canary. The others continue at the whole rate, and no one is lost.
func TestReplicaKilledWithShares(t *testing.T) {
	for name, canary := range map[string]int{"within the canary": 1500, "after it": 20} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const n, rate, together, repeated = 2000, 300, 20, 20 + unwritten
			s, _ := newSystem(t, servers.SystemOptions{
				Simulator: []string{"--latency", "20ms"},
				Env: []string{
					"FANFARE_PACING_PER_MINUTE=" + strconv.Itoa(60*rate), "FANFARE_DISPATCHER_CONCURRENCY=" + strconv.Itoa(together),
					"FANFARE_DISPATCHER_ACK_BATCH=" + strconv.Itoa(ackBatch), "FANFARE_BREAKER_CANARY=" + strconv.Itoa(canary),
				},
			})
			s.Campaign("42", audience(n))
			killed, others := s.Start(nil, "dispatcher"), []*servers.Process{s.Start(nil, "dispatcher"), s.Start(nil, "dispatcher")}
			s.Sim.AwaitAccepted(200)
			killed.Signal(syscall.SIGKILL)
			killed.ExpectExit(-1)
			dead := time.Now()
			came := s.Sim.AwaitArrivals(dead.Add(time.Second), dead.Add(3*time.Second))
			if got := came.Rate(); !(got > 0.8*rate && got < 1.2*rate) { // the share of the dead would be missing with 0.67
				t.Errorf("%.0f requests a second came after the kill, want the whole rate of %d", got, rate)
			}
			s.Eventually("the campaign is completed", func() bool { return s.Show("42").State == "completed" })
			for _, p := range others {
				p.Signal(syscall.SIGTERM)
				p.ExpectExit(0)
			}
			if c := s.Sim.Counts(); c.Distinct != outcomes(n).Sent || c.Duplicates > repeated {
				t.Errorf("FCM accepted %d messages and %d again, want %d and at most %d", c.Distinct, c.Duplicates, outcomes(n).Sent, repeated)
			}
			checkBooks(t, s, n)
		})
	}
}

// TestGateSurvivesKills closes the gate and kills every dispatcher. Those that come after obey it
// all the same, until it opens.
func TestGateSurvivesKills(t *testing.T) {
	t.Parallel()
	const n, watched = 2000, 2 * time.Second
	s, _ := newSystem(t, servers.SystemOptions{
		Simulator: []string{"--latency", "20ms"}, Env: []string{"FANFARE_PACING_MAX_GATE=1m", "FANFARE_PACING_PER_MINUTE=60000", "FANFARE_RETRY_MAX_ATTEMPTS=100"},
	})
	s.Campaign("42", audience(n))
	first := s.Start(nil, "dispatcher")
	s.Sim.AwaitAccepted(200)
	s.Sim.Rules(`{"latency":"20ms","outcomes":[{"code":"RATE_LIMIT_EXCEEDED","share":1,"retryAfter":"20"}]}`)
	var opens time.Time
	s.Eventually("the gate is closed for all", func() bool {
		opens = s.Quota().GateUntil
		return !opens.IsZero()
	})
	servers.Eventually(t, "FCM has answered all", func() bool { return s.Sim.Counts().InFlight == 0 })
	first.Signal(syscall.SIGKILL)
	first.ExpectExit(-1)
	s.Sim.Rules(`{"latency":"20ms"}`)
	second := s.Start(nil, "dispatcher")
	second.AwaitLog(`"msg":"ready"`)
	from := time.Now()
	if came := s.Sim.AwaitArrivals(from, opens); opens.Sub(from) < watched || came.Total() != 0 {
		t.Errorf("%d requests came from %s to %s behind a closed gate, want none in %s at least", came.Total(), from, opens, watched)
	}
	s.Eventually("the campaign is completed", func() bool { return s.Show("42").State == "completed" })
	second.Signal(syscall.SIGTERM)
	second.ExpectExit(0)
	checkBooks(t, s, n)
}
