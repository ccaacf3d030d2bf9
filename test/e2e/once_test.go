package e2e

import (
	"fmt"
	"strings"
	"syscall"
	"testing"

	"fanfare/test/servers"
)

// The audience of TestOncePerOwner.
const (
	owners = 240 // addresses, or users, each with three elements
	dying  = 20  // users with a dead token, beside them
)

// TestOncePerOwner stops and kills a dispatcher in the middle of an audience in which each address
// has three elements: twice the same user and once another one; or in which each user has three
// addresses. FCM accepts one message for each. A kill repeats what was on the wire, and nothing
// else. Then the dead letters are replayed: an address that has a message gets no second one.
func TestOncePerOwner(t *testing.T) {
	for _, dedupe := range []string{"address", "user"} {
		for name, signal := range map[string]syscall.Signal{"stopped": syscall.SIGTERM, "killed": syscall.SIGKILL} {
			t.Run(dedupe+", "+name, func(t *testing.T) {
				t.Parallel()
				o := &once{dedupe: dedupe}
				o.System = servers.NewSystem(t, programs, servers.SystemOptions{
					Database: "sqlite:" + t.TempDir() + "/fanfare.db", Simulator: []string{"--latency", "40ms..80ms"},
					Env: []string{"FANFARE_DISPATCHER_CONCURRENCY=20", "FANFARE_STORE_TOKEN_QUERY=off"},
				})
				withDevices(t, o.System, "42", o.elements(), "--dedupe", dedupe)
				responder := o.Start(nil, "responder")
				o.interrupt(t, signal)
				o.Job("42").ExpectExit(0)
				o.check(t, servers.Outcomes{Sent: owners, Failed: dying, Skipped: 2 * owners}, owners)
				o.replay(t)
				responder.Signal(syscall.SIGTERM)
				responder.ExpectExit(0)
			})
		}
	}
}

// once is a system with a campaign that sends once to each owner.
type once struct {
	*servers.System
	dedupe string
	// exposed is how many messages FCM had accepted without a written outcome at a kill. They may
	// be repeated.
	exposed int64
}

// elements are three passes over the owners, each from another beginning on, with the dying between
// them.
func (o *once) elements() (all []any) {
	for i := range 3 * owners {
		pass := i % 3
		n := (i/3 + pass*owners/4) % owners
		user, token := fmt.Sprint("u", n), fmt.Sprintf("ok-%d-0", n)
		switch {
		case o.dedupe == "user":
			token = fmt.Sprintf("ok-%d-%d", n, pass)
		case pass == 1:
			user = fmt.Sprint("other", n)
		}
		all = append(all, fmt.Sprintf(`{"userId":"%s","fcmToken":"%s"}`, user, token))
		if i%(3*owners/dying) == 0 {
			d := i / (3 * owners / dying)
			all = append(all, fmt.Sprintf(`{"userId":"dying%d","fcmToken":"dead-%[1]d"}`, d))
		}
	}
	return all
}

// interrupt ends a dispatcher when a third of the owners has a message.
func (o *once) interrupt(t *testing.T, signal syscall.Signal) {
	t.Helper()
	job := o.Job("42")
	job.AwaitLog(`"msg":"ready"`)
	o.Sim.AwaitAccepted(owners / 3)
	job.Signal(signal)
	if signal == syscall.SIGTERM {
		job.ExpectExit(75)
		if books := o.Show("42").Books; books.InFlight != 0 || books.Sent != o.Sim.Counts().Accepted {
			t.Errorf("stopped with the books %+v, and FCM accepted %d", books, o.Sim.Counts().Accepted)
		}
		return
	}
	job.ExpectExit(-1)
	o.Eventually("FCM has let go of the connections", func() bool { return o.Sim.Counts().InFlight == 0 })
	o.exposed = o.Sim.Counts().Accepted - o.Show("42").Books.Sent
}

// check holds the books against what must have become of all, and FCM's ledger against one message
// for each owner. Those that were exposed to a kill may have another one.
func (o *once) check(t *testing.T, want servers.Outcomes, messages int) {
	t.Helper()
	v := o.Show("42") // whose books balance
	if v.State != "completed" || v.Books.Outcomes != want || v.Books.Codes["skipped:DUPLICATE"] != want.Skipped {
		t.Errorf("the campaign ended as %+v, want %+v, all skipped as duplicates", v, want)
	}
	accepted := make(map[string]int) // by owner
	for token, entries := range o.Sim.Ledger() {
		if o.dedupe == "user" && servers.CountAccepted(entries) > 0 { // then it is one of ours
			token = token[:strings.LastIndexByte(token, '-')]
		}
		accepted[token] += servers.CountAccepted(entries)
	}
	var reached int
	var repeated int64
	for owner, n := range accepted {
		if n > 0 {
			reached++
			repeated += int64(n - 1)
		}
		if n > 2 {
			t.Errorf("%s got %d messages", owner, n)
		}
	}
	if reached != messages || repeated > o.exposed {
		t.Errorf("%d owners of %d got a message, %d of them twice; at most %d were exposed to that", reached, messages, repeated, o.exposed)
	}
	t.Logf("%d owners, %d messages repeated of %d exposed", reached, repeated, o.exposed)
}

// replay gives half of the dying users an address that has a message, and the others a new one.
func (o *once) replay(t *testing.T) {
	t.Helper()
	o.Eventually("the dead letters are in", func() bool { return len(deadLetters(t, o.System, "--campaign", "42")) == dying })
	for d := range dying {
		token := fmt.Sprintf("ok-new%d-0", d)
		if d%2 == 0 {
			token = fmt.Sprintf("ok-%d-0", d)
		}
		store(t, o.System, fmt.Sprintf("user:dying%d:token", d), token)
	}
	o.Fanfare("dead", "replay", "--campaign", "42")
	o.Job("42").ExpectExit(0)
	// The books keep the failure of each, and count the replayed as loaded again.
	if o.dedupe == "address" {
		o.check(t, servers.Outcomes{Sent: owners + dying/2, Failed: dying, Skipped: 2*owners + dying/2}, owners+dying/2)
		return
	}
	v := o.Show("42")
	if want := (servers.Outcomes{Sent: owners + dying, Failed: dying, Skipped: 2 * owners}); v.Books.Outcomes != want {
		t.Errorf("after the replay the books are %+v, want %+v: a dead letter is its user's own", v.Books, want)
	}
}
