package e2e

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"fanfare/test/servers"
)

// held is how many recipients a dispatcher of pacedSystem holds: 40 in its pool, and a fifth more.
const held = 48

// pacedSystem serves with two dispatchers at so many pushes a minute together.
func pacedSystem(t *testing.T, perMinute int, env ...string) *servers.System {
	return servers.NewSystem(t, programs, servers.SystemOptions{
		Simulator: []string{"--latency", "20ms"},
		Env: append([]string{
			"FANFARE_PACING_PER_MINUTE=" + strconv.Itoa(perMinute), "FANFARE_DISPATCHER_CONCURRENCY=40", "FANFARE_BREAKER_CANARY=20",
		}, env...),
	})
}

// replicas starts two dispatchers for all campaigns.
func replicas(s *servers.System) []*servers.Process {
	return []*servers.Process{s.Start(nil, "dispatcher"), s.Start(nil, "dispatcher")}
}

// stop ends programs gracefully.
func stop(processes ...*servers.Process) {
	for _, p := range processes {
		p.Signal(syscall.SIGTERM)
	}
	for _, p := range processes {
		p.ExpectExit(0)
	}
}

// onItsWay is how long after a word to all replicas the last request may come that was on its way
// by then.
const onItsWay = time.Second

// checkSilence wants no request to arrive within a time.
func checkSilence(t *testing.T, s *servers.System, from, to time.Time) {
	t.Helper()
	if came := s.Sim.AwaitArrivals(from, to); len(came.Slots) == 0 || came.Total() != 0 {
		t.Errorf("%d requests came from %s to %s, in %d slots of 100 ms: want none in some", came.Total(), from, to, len(came.Slots))
	}
}

// checkRate wants requests to arrive at a rate, which is a second, with a tolerance of a quarter:
// permits that come late on a busy machine are not spent.
func checkRate(t *testing.T, s *servers.System, from, to time.Time, rate float64) {
	t.Helper()
	if got := s.Sim.AwaitArrivals(from, to).Rate(); !(got > 0.75*rate && got < 1.25*rate) {
		t.Errorf("%.0f requests a second came from %s to %s, want %.0f", got, from, to, rate)
	}
}

// TestProjectQuotaClosesTheGate has FCM answer one moment's requests with 429. Until its
// Retry-After no replica sends, whichever of them was told; then all continue.
func TestProjectQuotaClosesTheGate(t *testing.T) {
	t.Parallel()
	const n, retryAfter = 3000, 4 * time.Second
	s := pacedSystem(t, 60_000, "FANFARE_PACING_MAX_GATE=1m")
	s.Campaign("42", audience(n))
	dispatchers := replicas(s)
	s.Sim.AwaitAccepted(500)
	s.Sim.Rules(`{"latency":"20ms","outcomes":[{"code":"QUOTA_EXCEEDED","share":1,"retryAfter":"4"}]}`)
	servers.Eventually(t, "somebody is refused", func() bool { return s.Sim.Counts().Codes["QUOTA_EXCEEDED"] > 0 })
	refused := time.Now()
	s.Sim.Rules(`{"latency":"20ms"}`)
	checkSilence(t, s, refused.Add(onItsWay), refused.Add(retryAfter-onItsWay))
	checkCampaign(t, s, "42", "completed")
	stop(dispatchers...)
	checkOnce(t, s, n)
	if limited := s.Sim.Counts().Codes["QUOTA_EXCEEDED"]; limited > 2*40 {
		t.Errorf("%d requests were refused, want no more than were on the wire, 80", limited)
	}
}

// TestNothingGoesUntilItMay stops both replicas by hand, in each way that there is, and lets them
// continue.
func TestNothingGoesUntilItMay(t *testing.T) {
	for name, test := range map[string]struct{ shut, open []string }{
		"quota close":     {[]string{"quota", "close"}, []string{"quota", "open"}},
		"quota close for": {[]string{"quota", "close", "--for", "6s"}, nil},
		"project halt":    {[]string{"project", "halt", "--reason", "the shop burns"}, []string{"project", "resume"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const n = 3000
			s := pacedSystem(t, 60_000, "FANFARE_PACING_MAX_GATE=1m")
			s.Campaign("42", audience(n))
			dispatchers := replicas(s)
			s.Sim.AwaitAccepted(300)
			s.Fanfare(test.shut...)
			shut := time.Now()
			checkSilence(t, s, shut.Add(onItsWay), shut.Add(3*time.Second))
			if view := s.Show("42"); view.State != "running" || view.Books.Ended() == n {
				t.Errorf("the campaign is %+v, want it to run and wait", view)
			}
			if test.open != nil {
				s.Fanfare(test.open...)
			}
			checkCampaign(t, s, "42", "completed")
			stop(dispatchers...)
			checkOnce(t, s, n)
		})
	}
}

// TestStopBehindAClosedGate wants SIGTERM not to wait for what no one will open.
func TestStopBehindAClosedGate(t *testing.T) {
	t.Parallel()
	const n = 200
	s := pacedSystem(t, 60_000)
	s.Campaign("42", audience(n))
	s.Fanfare("project", "halt")
	job := s.Job("42")
	s.Eventually("the job holds recipients", func() bool { return s.Show("42").Books.InFlight > 0 })
	begun := time.Now()
	job.Signal(syscall.SIGTERM)
	job.ExpectExit(75)
	if took := time.Since(begun); took > 15*time.Second { // half of what draining may take
		t.Errorf("the stop took %s, want it not to wait for the gate", took)
	}
	if books := s.Show("42").Books; books.Waiting != n || s.Sim.Counts().Requests != 0 {
		t.Errorf("books %+v after %d requests, want everybody to wait", books, s.Sim.Counts().Requests)
	}
	s.Fanfare("project", "resume")
	s.Job("42").ExpectExit(0)
	checkOnce(t, s, n)
}

// TestQuotaIsSetWhileReplicasRun makes two replicas faster and slower, and judges by what arrives.
func TestQuotaIsSetWhileReplicasRun(t *testing.T) {
	t.Parallel()
	const inForce, watched = 2 * time.Second, time.Second
	s := pacedSystem(t, 6_000)
	s.Campaign("42", audience(3000))
	dispatchers := replicas(s)
	s.Sim.AwaitAccepted(50)
	now := time.Now()
	checkRate(t, s, now, now.Add(watched), 100)
	for _, rate := range []int{300, 50} {
		s.Fanfare("quota", "set", "--per-minute", strconv.Itoa(60*rate))
		set := time.Now()
		checkRate(t, s, set.Add(inForce), set.Add(inForce+watched), float64(rate))
	}
	stop(dispatchers...)
	if books := s.Show("42").Books; books.Sent != s.Sim.Counts().Distinct || books.InFlight != 0 {
		t.Errorf("books %+v, and FCM accepted %d: want the same, and none in flight", books, s.Sim.Counts().Distinct)
	}
}

// TestCampaignsRateIsShared caps a campaign over both replicas, and takes the cap away while it
// runs.
func TestCampaignsRateIsShared(t *testing.T) {
	t.Parallel()
	const n = 3000
	s := pacedSystem(t, 600_000)
	s.Fanfare("campaign", "create", "42", "--message", s.File("message.json", servers.PlainMessage), "--rate", "100")
	s.Fanfare("load", "42", s.File("audience.csv", audience(n)))
	s.Fanfare("campaign", "start", "42")
	dispatchers := replicas(s)
	s.Sim.AwaitAccepted(50)
	now := time.Now()
	checkRate(t, s, now, now.Add(2*time.Second), 100)
	s.Fanfare("campaign", "set", "42", "--rate", "none")
	set := time.Now()
	checkCampaign(t, s, "42", "completed")
	if took := time.Since(set); took > 15*time.Second { // the cap would have kept it for 27
		t.Errorf("without the cap the campaign took another %s", took)
	}
	stop(dispatchers...)
	checkOnce(t, s, n)
}

// TestPriority starts an urgent campaign beside one that has both replicas to itself.
func TestPriority(t *testing.T) {
	t.Parallel()
	const big, urgent = 4000, 600
	s := pacedSystem(t, 30_000)
	s.Campaign("big", audience(big))
	s.Fanfare("campaign", "create", "urgent", "--message", s.File("message.json", servers.PlainMessage), "--priority", "9")
	s.Fanfare("load", "urgent", s.File("audience.csv", strings.ReplaceAll(audience(urgent), "ok-", "urgent-")))
	dispatchers := replicas(s)
	s.Sim.AwaitAccepted(200)
	s.Fanfare("campaign", "start", "urgent")
	checkCampaign(t, s, "urgent", "completed")
	checkCampaign(t, s, "big", "completed")
	stop(dispatchers...)
	beside, seen, after := 0, 0, 0
	for _, campaign := range inOrder(t, s) {
		switch {
		case campaign == "urgent":
			seen++
		case seen == urgent:
			after++
		case seen > urgent/5 && seen < urgent*4/5: // its canary is over by then, and not all of it is held yet
			beside++
		}
	}
	if seen != urgent || after == 0 || beside > 2*held {
		t.Errorf("of the big campaign, %d went beside the urgent one and %d after it, want none beside but those that were held already, %d, and some after",
			beside, after, 2*held)
	}
}

// inOrder lists the campaigns of all results, in the order in which these came about. One that was
// forwarded twice counts once.
func inOrder(t *testing.T, s *servers.System) (campaigns []string) {
	t.Helper()
	type result struct {
		CampaignID, ResultID string
		At                   time.Time
	}
	byID := make(map[string]result)
	for _, raw := range s.Redis.LRange(t.Context(), "notification:responses", 0, -1).Val() {
		var r result
		if err := json.Unmarshal([]byte(raw), &r); err != nil {
			t.Fatal(err)
		}
		byID[r.ResultID] = r
	}
	inOrder := slices.SortedFunc(maps.Values(byID), func(a, b result) int { return a.At.Compare(b.At) })
	for _, r := range inOrder {
		campaigns = append(campaigns, r.CampaignID)
	}
	return campaigns
}
