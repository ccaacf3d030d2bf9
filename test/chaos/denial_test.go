package chaos

import (
	"fmt"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/redis/go-redis/v9"

	"fanfare/internal/access"
	"fanfare/internal/keys"
	"fanfare/test/servers"
)

// deniedAtOnce is how many commands are withdrawn in the course of one campaign.
const deniedAtOnce = 4

// TestCommandDenied withdraws each command that scripts write with from the user of a dispatcher
// and a responder at work, and gives it back. Redis keeps what a script wrote before it was denied
// a command: no one is lost by it, and nothing counts twice.
func TestCommandDenied(t *testing.T) {
	t.Parallel()
	for some := range slices.Chunk(writingCommands(t), deniedAtOnce) {
		t.Run(strings.Join(some, " "), func(t *testing.T) {
			t.Parallel()
			d := newDenial(t)
			responder, dispatcher := d.Start(d.as, "responder"), d.Start(d.as, "dispatcher")
			responder.AwaitLog(`"msg":"ready"`) // the check at the start is over
			d.Sim.AwaitAccepted(1)
			for _, command := range some {
				d.without(command, 3)
			}
			d.Eventually("the campaign is completed", func() bool { return d.Show("42").State == "completed" })
			dispatcher.Signal(syscall.SIGTERM)
			dispatcher.ExpectExit(0)
			responder.Signal(syscall.SIGTERM) // after a denial it rests for half a minute
			responder.ExpectExit(0)
			d.Job("42", d.as...).ExpectExit(0)
			d.check()
		})
	}
}

// TestJobDenied withdraws commands from a Job, which ends with exit code 3 if it could not claim.
// The next Job continues.
func TestJobDenied(t *testing.T) {
	t.Parallel()
	d := newDenial(t)
	job := d.Job("42", d.as...)
	for _, command := range []string{"rpush", "ltrim", "zadd", "zrem", "del", "lset"} {
		// A Job that was denied a claim still sends what it holds. Whatever sends more than that
		// still claims.
		enough := min(d.Sim.Counts().Accepted+exposed+1, outcomes(recipients).Sent)
		servers.Eventually(t, "the Job, or the next one, claims", func() bool {
			if d.Sim.Counts().Accepted >= enough {
				return true
			}
			select {
			case <-job.Done():
				job.ExpectExit(3)
				job = d.Job("42", d.as...)
			default:
			}
			return false
		})
		d.without(command, 1)
	}
	if job.Wait() == 3 {
		job = d.Job("42", d.as...)
	}
	job.ExpectExit(0)
	d.check()
}

// writingCommands are those that are checked at a program's start and change a key.
func writingCommands(t *testing.T) (writing []string) {
	t.Helper()
	rdb := redis.NewClient(&redis.Options{Addr: servers.Redis(t)})
	defer rdb.Close()
	all, err := rdb.Do(t.Context(), "ACL", "CAT", "write").StringSlice()
	if err != nil {
		t.Fatal(err)
	}
	names := keys.Default()
	for _, a := range slices.Concat(access.Campaigns(names), access.Results(names), access.Tokens(names), access.Project(names.Project("e2e"))) {
		for _, command := range a.Commands() {
			if command = strings.ToLower(command); slices.Contains(all, command) && !slices.Contains(writing, command) {
				writing = append(writing, command)
			}
		}
	}
	slices.Sort(writing)
	return writing
}

// denial is a campaign whose programs are users of Redis that are denied commands.
type denial struct {
	*servers.System
	t     *testing.T
	rows  func()
	admin *redis.Client
	as    []string // settings of the programs
	twice int64    // how many a denial may have had sent to twice
}

func newDenial(t *testing.T) *denial {
	t.Helper()
	addr := servers.Redis(t)
	o := slowly
	o.Redis = []string{addr}
	s, db := newSystem(t, o)
	d := &denial{
		System: s, t: t, rows: func() { checkRows(t, db, recipients) }, admin: redis.NewClient(&redis.Options{Addr: addr}),
		as: []string{"REDIS_URL=redis://fanfare:secret@" + addr},
	}
	t.Cleanup(func() { _ = d.admin.Close() })
	d.do("ACL", "SETUSER", "fanfare", "on", ">secret", "~*", "&*", "+@all")
	s.Sim.Rules(`{"outcomes": [{"code": "UNAVAILABLE", "share": 0.05}]}`) // so that some are put off
	s.Campaign("42", audience(recipients))
	return d
}

func (d *denial) do(args ...any) {
	d.t.Helper()
	if err := d.admin.Do(d.t.Context(), args...).Err(); err != nil {
		d.t.Fatalf("%v: %v", args, err)
	}
}

// without withdraws a command until it was denied so many times, or was not needed for a while.
func (d *denial) without(command string, least int64) {
	d.t.Helper()
	d.do("ACL", "LOG", "RESET")
	before := d.Sim.Counts().Accepted
	d.do("ACL", "SETUSER", "fanfare", "-"+command)
	times := int64(0)
	servers.Eventually(d.t, fmt.Sprintf("%s was denied, or is not needed", command), func() bool {
		times = d.times(command)
		accepted := d.Sim.Counts().Accepted
		return times >= least || accepted >= min(before+2*exposed, outcomes(recipients).Sent)
	})
	d.do("ACL", "SETUSER", "fanfare", "+"+command)
	if times > 0 {
		d.twice += exposed
	}
	d.t.Logf("%s was denied %d times, %d were accepted by then", command, times, before)
}

func (d *denial) times(command string) (n int64) {
	d.t.Helper()
	entries, err := d.admin.ACLLog(d.t.Context(), 100).Result()
	if err != nil {
		d.t.Fatal(err)
	}
	for _, e := range entries {
		if e.Object == command {
			n += e.Count
		}
	}
	return n
}

// check wants everyone to have had their push and their row.
func (d *denial) check() {
	d.t.Helper()
	c := d.Sim.Counts()
	d.t.Logf("FCM accepted %d again of at most %d", c.Duplicates, d.twice)
	if c.Distinct != outcomes(recipients).Sent || c.Duplicates > d.twice {
		d.t.Errorf("FCM accepted %d messages and %d again, want %d and at most %d", c.Distinct, c.Duplicates, outcomes(recipients).Sent, d.twice)
	}
	checkBooks(d.t, d.System, recipients)
	responder := d.Start(d.as, "responder")
	d.rows()
	responder.AwaitLog(`"msg":"ready"`)
	responder.Signal(syscall.SIGTERM)
	responder.ExpectExit(0)
}
