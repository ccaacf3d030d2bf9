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
)

// slowly lets a campaign take long enough to be killed in.
var slowly = servers.SystemOptions{
	Simulator: []string{"--latency", "40ms..60ms"},
	Env: []string{
		"FANFARE_DISPATCHER_CONCURRENCY=" + strconv.Itoa(concurrency), "FANFARE_DISPATCHER_ACK_BATCH=" + strconv.Itoa(ackBatch),
	},
}

// TestDispatcherKilled kills a dispatcher again and again. Nobody is lost, and each kill has no more sent to twice than
// were in flight or had an outcome that was not written yet.
func TestDispatcherKilled(t *testing.T) {
	t.Parallel()
	s, db := newSystem(t, slowly)
	responder := s.Start(nil, "responder")
	s.Campaign("42", audience(recipients))
	exposed := int64(0) // accepted by FCM beyond what the books count as sent: what was, or will be, sent again
	for _, moment := range moments(t, kills, recipients/2) {
		job := s.Job("42")
		s.Sim.Accepted(moment)
		job.Signal(syscall.SIGKILL)
		job.Exits(-1)
		servers.Eventually(t, "FCM has let go of the connections", func() bool { return s.Sim.Counts().InFlight == 0 })
		now := s.Sim.Counts().Accepted - s.Show("42").Books.Sent
		if now-exposed > concurrency+ackBatch {
			t.Errorf("the kill after %d exposed %d recipients to a second push, want at most %d", moment, now-exposed, concurrency+ackBatch)
		}
		exposed = now
	}
	s.Job("42").Exits(0)
	counts, want := s.Sim.Counts(), outcomes(recipients)
	t.Logf("%d kills: %d sent to twice of %d that were exposed to it", kills, counts.Duplicates, exposed)
	if counts.Distinct != want.Sent || counts.Duplicates > exposed {
		t.Errorf("FCM accepted %d messages and %d again, want %d and at most %d", counts.Distinct, counts.Duplicates, want.Sent, exposed)
	}
	checkBooks(t, s, recipients)
	checkRows(t, db, recipients)
	responder.Signal(syscall.SIGTERM)
	responder.Exits(0)
}

// TestDispatcherStopped stops it in the same way, but gracefully: nobody is sent to twice.
func TestDispatcherStopped(t *testing.T) {
	t.Parallel()
	s, _ := newSystem(t, slowly)
	s.Campaign("42", audience(recipients))
	for _, moment := range moments(t, kills, recipients/2) {
		job := s.Job("42")
		s.Sim.Accepted(moment)
		job.Signal(syscall.SIGTERM)
		job.Exits(75)
		if books, counts := s.Show("42").Books, s.Sim.Counts(); books.InFlight != 0 || books.Sent != counts.Distinct {
			t.Errorf("stopped after %d: books %+v, and FCM accepted %d: want the same, and nobody in flight", moment, books, counts.Distinct)
		}
	}
	s.Job("42").Exits(0)
	if c := s.Sim.Counts(); c.Distinct != outcomes(recipients).Sent || c.Duplicates != 0 {
		t.Errorf("FCM accepted %d messages and %d again, want %d and none", c.Distinct, c.Duplicates, outcomes(recipients).Sent)
	}
	checkBooks(t, s, recipients)
}

// TestReportNeverRepeats kills the dispatchers of a campaign that would rather leave somebody out than send twice: who was
// in flight ends as unknown.
func TestReportNeverRepeats(t *testing.T) {
	t.Parallel()
	s, _ := newSystem(t, slowly)
	s.Fanfare("campaign", "create", "42", "--message", s.File("message.json", servers.PlainMessage), "--on-ambiguous", "report")
	s.Fanfare("load", "42", s.File("audience.csv", audience(recipients)))
	s.Fanfare("campaign", "start", "42")
	for _, moment := range moments(t, kills, recipients/2) {
		job := s.Job("42")
		s.Sim.Accepted(moment)
		job.Signal(syscall.SIGKILL)
		job.Exits(-1)
	}
	s.Job("42").Exits(0)
	books, counts := s.Show("42").Books, s.Sim.Counts()
	if counts.Duplicates != 0 {
		t.Errorf("FCM accepted %d messages again, want none", counts.Duplicates)
	}
	if books.Ended() != recipients || books.Unknown == 0 || books.Unknown > kills*(concurrency+ackBatch) || books.Sent > counts.Distinct {
		t.Errorf("books %+v, and FCM accepted %d: want all of %d ended, and unknown who was in flight", books, counts.Distinct, recipients)
	}
}

// TestDispatcherFrozen freezes a dispatcher for longer than its leases last. Another one serves what it held; when it
// wakes up, it sends nothing more, and its late outcomes count nobody twice.
func TestDispatcherFrozen(t *testing.T) {
	t.Parallel()
	s, db := newSystem(t, slowly)
	responder := s.Start(nil, "responder")
	s.Campaign("42", audience(recipients))
	frozen := s.Job("42")
	s.Sim.Accepted(moments(t, 1, recipients/2)[0])
	frozen.Signal(syscall.SIGSTOP)
	s.Job("42").Exits(0)

	before := s.Sim.Counts()
	frozen.Signal(syscall.SIGCONT)
	frozen.Exits(0)
	if after := s.Sim.Counts(); after.Accepted != before.Accepted {
		t.Errorf("FCM accepted %d messages from a dispatcher whose leases were lost", after.Accepted-before.Accepted)
	}
	if before.Distinct != outcomes(recipients).Sent || before.Duplicates > concurrency+ackBatch {
		t.Errorf("FCM accepted %d messages and %d again, want %d and at most %d", before.Distinct, before.Duplicates, outcomes(recipients).Sent, concurrency+ackBatch)
	}
	checkBooks(t, s, recipients)
	checkRows(t, db, recipients)
	responder.Signal(syscall.SIGTERM)
	responder.Exits(0)
}
