package chaos

import (
	"strconv"
	"syscall"
	"testing"

	"fanfare/test/servers"
)

const (
	recipients  = 3000
	kills       = 3
	concurrency = 100
	ackBatch    = 50

	// unwritten is how many outcomes a dispatcher may know that Redis does not while it still
	// claims: the batch on its way there, and the next one.
	unwritten = 2 * ackBatch
	// exposed is how many a dispatcher may have sent to without its being written. A fifth of the
	// pool waits beside it.
	exposed = concurrency + concurrency/5 + unwritten
	// held is how many a dispatcher may have leases of.
	held = exposed
)

// slowly lets a campaign take long enough to be killed in.
var slowly = servers.SystemOptions{
	Simulator: []string{"--latency", "80ms..120ms"},
	Env: []string{
		"FANFARE_DISPATCHER_CONCURRENCY=" + strconv.Itoa(concurrency), "FANFARE_DISPATCHER_ACK_BATCH=" + strconv.Itoa(ackBatch),
	},
}

// TestDispatcherKilled kills a dispatcher again and again, with each way that results take to the
// responder. No recipient and no result is lost. Each kill repeats at most the pushes that were in
// flight or had no written outcome.
func TestDispatcherKilled(t *testing.T) {
	for name, start := range map[string]func(testing.TB) []string{
		"Redis":         func(t testing.TB) []string { return []string{servers.Redis(t)} },
		"Redis Cluster": servers.RedisCluster,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := slowly
			o.Redis = start(t)
			dispatcherKilled(t, o)
		})
	}
}

func dispatcherKilled(t *testing.T, o servers.SystemOptions) {
	s, db := newSystem(t, o)
	responder := s.Start(nil, "responder")
	s.Campaign("42", audience(recipients))
	again := int64(0) // accepted by FCM beyond what the books count as sent: what was, or will be, sent again
	outbox := int64(0)
	for _, moment := range moments(t, kills, recipients/2) {
		job := s.Job("42")
		s.Sim.AwaitAccepted(moment)
		job.Signal(syscall.SIGKILL)
		job.ExpectExit(-1)
		servers.Eventually(t, "FCM has let go of the connections", func() bool { return s.Sim.Counts().InFlight == 0 })
		books := s.Show("42").Books
		now := s.Sim.Counts().Accepted - books.Sent
		if now-again > exposed {
			t.Errorf("the kill after %d exposed %d recipients to a second push, want at most %d", moment, now-again, exposed)
		}
		again = now
		outbox += books.Outbox
	}
	s.Job("42").ExpectExit(0)
	counts, want := s.Sim.Counts(), outcomes(recipients)
	t.Logf("%d kills: %d sent to twice of %d that were exposed to it, %d results left in the outbox", kills, counts.Duplicates, again, outbox)
	if counts.Distinct != want.Sent || counts.Duplicates > again {
		t.Errorf("FCM accepted %d messages and %d again, want %d and at most %d", counts.Distinct, counts.Duplicates, want.Sent, again)
	}
	checkBooks(t, s, recipients)
	checkRows(t, db, recipients)
	responder.Signal(syscall.SIGTERM)
	responder.ExpectExit(0)
}

// TestDispatcherStopped stops it in the same way, but gracefully: no one is sent to twice.
func TestDispatcherStopped(t *testing.T) {
	t.Parallel()
	s, _ := newSystem(t, slowly)
	s.Campaign("42", audience(recipients))
	for _, moment := range moments(t, kills, recipients/2) {
		job := s.Job("42")
		job.AwaitLog(`"msg":"ready"`) // two moments may be so close together that it would be told to stop before it listens
		s.Sim.AwaitAccepted(moment)
		job.Signal(syscall.SIGTERM)
		job.ExpectExit(75)
		if books, counts := s.Show("42").Books, s.Sim.Counts(); books.InFlight != 0 || books.Sent != counts.Distinct {
			t.Errorf("stopped after %d: books %+v, and FCM accepted %d: want the same, and none in flight", moment, books, counts.Distinct)
		}
	}
	s.Job("42").ExpectExit(0)
	if c := s.Sim.Counts(); c.Distinct != outcomes(recipients).Sent || c.Duplicates != 0 {
		t.Errorf("FCM accepted %d messages and %d again, want %d and none", c.Distinct, c.Duplicates, outcomes(recipients).Sent)
	}
	checkBooks(t, s, recipients)
}

// TestReportNeverRepeats kills the dispatchers of a campaign that would rather leave someone out
// than send twice: who was in flight ends as unknown.
func TestReportNeverRepeats(t *testing.T) {
	t.Parallel()
	s, _ := newSystem(t, slowly)
	s.Fanfare("campaign", "create", "42", "--message", s.File("message.json", servers.PlainMessage), "--on-ambiguous", "report")
	s.Fanfare("load", "42", s.File("audience.csv", audience(recipients)))
	s.Fanfare("campaign", "start", "42")
	for _, moment := range moments(t, kills, recipients/2) {
		job := s.Job("42")
		s.Sim.AwaitAccepted(moment)
		job.Signal(syscall.SIGKILL)
		job.ExpectExit(-1)
	}
	s.Job("42").ExpectExit(0)
	books, counts := s.Show("42").Books, s.Sim.Counts()
	if counts.Duplicates != 0 {
		t.Errorf("FCM accepted %d messages again, want none", counts.Duplicates)
	}
	if books.Ended() != recipients || books.Unknown == 0 || books.Unknown > kills*held || books.Sent > counts.Distinct {
		t.Errorf("books %+v, and FCM accepted %d: want all of %d ended, and unknown who was held, at most %d", books, counts.Distinct, recipients, kills*held)
	}
}

// TestDispatcherFrozen freezes a dispatcher for longer than its leases last, while another one
// serves. When it wakes up, it sends nothing from the leases that it has lost, and its late
// outcomes count no one twice. It is frozen while every push of its pool waits for an answer: no
// look at a lease keeps a process from being frozen between that look and its write to the network.
func TestDispatcherFrozen(t *testing.T) {
	t.Parallel()
	s, db := newSystem(t, slowly)
	responder := s.Start(nil, "responder")
	s.Campaign("42", audience(recipients))
	frozen := s.Job("42")
	s.Sim.AwaitAccepted(recipients / 10) // the canary has passed
	s.Sim.Rules(`{"outcomes": [{"code": "UNAVAILABLE", "share": 1, "latency": "14s"}], "prefixes": {"dead-": {"code": "UNAVAILABLE", "latency": "14s"}}}`)
	s.Eventually("all pushes wait for an answer, others for their turn, and what was answered is written", func() bool {
		c := s.Sim.Counts()
		if c.Codes["UNAVAILABLE"] != concurrency || c.InFlight != concurrency {
			return false
		}
		books := s.Show("42").Books
		return books.InFlight > concurrency && books.Sent == c.Accepted && books.Failed == c.Codes["UNREGISTERED"]
	})
	frozen.Signal(syscall.SIGSTOP)
	if c := s.Sim.Counts(); c.InFlight != concurrency || c.Codes["UNAVAILABLE"] != concurrency {
		t.Fatalf("as the dispatcher is frozen FCM has seen %+v, want %d pushes that wait for an answer", c, concurrency)
	}

	s.Sim.Rules(`{"latency": "1s"}`) // so that enough is left for the one that wakes up
	other := s.Job("42")
	other.AwaitLog("recipients of a dead process given back")
	s.Sim.AwaitAccepted(s.Sim.Counts().Accepted + held)
	other.Signal(syscall.SIGTERM)
	other.ExpectExit(75)
	if books := s.Show("42").Books; books.InFlight != 0 || books.Waiting == 0 {
		t.Fatalf("books %+v, want the leases of the frozen dispatcher lost, and work left", books)
	}

	s.Sim.Rules(`{}`)
	frozen.Signal(syscall.SIGCONT)
	frozen.ExpectExit(0)
	if c := s.Sim.Counts(); c.Distinct != outcomes(recipients).Sent || c.Duplicates != 0 {
		t.Errorf("FCM accepted %d messages and %d again, want %d and none", c.Distinct, c.Duplicates, outcomes(recipients).Sent)
	}
	checkBooks(t, s, recipients)
	checkRows(t, db, recipients)
	responder.Signal(syscall.SIGTERM)
	responder.ExpectExit(0)
}
