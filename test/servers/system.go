package servers

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// SystemOptions configure a System.
type SystemOptions struct {
	// Redis is one address, or those of a Cluster. Without any, the system starts a redis-server.
	Redis []string
	// Database is its URL; empty: none.
	Database string
	// Simulator has arguments for fcmsim.
	Simulator []string
	// Env has settings besides those that make tests fast: NAME=value.
	Env []string
}

// System is Fanfare as its users run it: the real programs with a real Redis, and the simulator in
// place of FCM.
type System struct {
	Sim   *Simulator
	Redis redis.UniversalClient

	t        testing.TB
	programs *Programs
	env      []string
}

// NewSystem starts what the programs need, but no program.
func NewSystem(t testing.TB, programs *Programs, o SystemOptions) *System {
	t.Helper()
	programs.OpenSources(t)
	s := &System{t: t, programs: programs, Sim: StartSimulator(t, programs, o.Simulator...)}
	s.env = []string{
		"FCM_ENDPOINT=" + s.Sim.TLS, "FCM_PROJECT_ID=e2e", "FANFARE_FCM_CA_FILE=" + s.Sim.CAFile,
		"FANFARE_HTTP_DISPATCHER=off", "FANFARE_HTTP_RESPONDER=off", "LOG_FORMAT=json",
		// These delays are minutes in production.
		"FANFARE_QUEUE_LEASE=5s", "FANFARE_DISPATCHER_POLL=50ms", "FANFARE_DISPATCHER_DISCOVER=200ms",
		"FANFARE_RETRY_MIN_BACKOFF=100ms", "FANFARE_RETRY_MAX_BACKOFF=500ms", "FANFARE_RETRY_QUOTA=100ms",
		"FANFARE_RETRY_UNSENT=100ms", "FANFARE_RETRY_OUTAGE=200ms", "FANFARE_TOKENS_NEGATIVE_TTL=1s",
		"FANFARE_PACING_RAMP=0s", "FANFARE_PACING_MAX_GATE=1s",
	}
	if o.Database != "" {
		s.env = append(s.env, "DATABASE_URL="+o.Database)
	}
	if o.Redis == nil {
		o.Redis = []string{Redis(t)}
	}
	if len(o.Redis) == 1 {
		s.env = append(s.env, "REDIS_URL=redis://"+o.Redis[0])
	} else {
		s.env = append(s.env, "FANFARE_REDIS_MODE=cluster", "FANFARE_REDIS_ADDRESSES="+strings.Join(o.Redis, ","))
	}
	s.env = append(s.env, o.Env...)
	s.Redis = redis.NewUniversalClient(&redis.UniversalOptions{Addrs: o.Redis})
	t.Cleanup(func() {
		s.logLists()
		_ = s.Redis.Close()
	})
	return s
}

// logLists shows what is left in the lists after a failure. A missing recipient may be there.
func (s *System) logLists() {
	if !s.t.Failed() {
		return
	}
	ctx := context.Background() // the test's own has ended
	keys := s.Redis.ScanType(ctx, 0, "*", 10_000, "list").Iterator()
	for keys.Next(ctx) {
		s.t.Logf("list %s has %d elements", keys.Val(), s.Redis.LLen(ctx, keys.Val()).Val())
	}
}

// Start runs one of the programs, with further settings.
func (s *System) Start(env []string, program string, args ...string) *Process {
	s.t.Helper()
	return StartProcess(s.t, append(s.env[:len(s.env):len(s.env)], env...), s.programs.Path(program), args...)
}

// Fanfare runs one command of fanfare, which must succeed, and returns its output.
func (s *System) Fanfare(args ...string) []byte {
	s.t.Helper()
	return s.Start(nil, "fanfare", args...).ExpectExit(0)
}

// Eventually waits for a condition that takes a program to check. It polls rarely, to leave the CPU
// to the programs under test.
func (s *System) Eventually(what string, holds func() bool) {
	s.t.Helper()
	eventually(s.t, what, 100*time.Millisecond, holds)
}

// Job starts a dispatcher for one campaign.
func (s *System) Job(campaign string, env ...string) *Process {
	s.t.Helper()
	return s.Start(env, "dispatcher", "--campaign", campaign)
}

// File writes a temporary file and returns its name.
func (s *System) File(name, content string) string {
	s.t.Helper()
	path := filepath.Join(s.t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		s.t.Fatal(err)
	}
	return path
}

// PlainMessage is a message without placeholders.
const PlainMessage = `{"notification":{"title":"Doors open","body":"Tap to see what is on."}}`

// Campaign creates a campaign with a plain message, loads an audience of CSV and starts it.
func (s *System) Campaign(id, audience string) {
	s.t.Helper()
	s.Fanfare("campaign", "create", id, "--message", s.File("message.json", PlainMessage))
	s.Fanfare("load", id, s.File("audience.csv", audience))
	s.Fanfare("campaign", "start", id)
}

// Quota is a project's quota as "fanfare quota show --json" prints it.
type Quota struct {
	GateUntil time.Time
	Halts     []struct{ Reason string }
}

// Quota fetches the project's quota.
func (s *System) Quota() (q Quota) {
	s.t.Helper()
	printed := s.Fanfare("quota", "show", "--json")
	if err := json.Unmarshal(printed, &q); err != nil {
		s.t.Fatalf("read quota show: %v in %s", err, printed)
	}
	return q
}

// View is a campaign as "fanfare campaign show --json" prints it.
type View struct {
	State, Reason   string
	Devices, Dedupe string // "" for the defaults
	Books           Books
}

// Books are the figures of a campaign.
type Books struct {
	Outcomes
	Loaded, Waiting, InFlight, Retrying, Missing, Outbox int64
	TokensKept, Moved                                    int64
	Codes                                                map[string]int64
	Devices                                              *DeviceBooks // nil: no one had several
}

// DeviceBooks count the devices of recipients that have ended.
type DeviceBooks struct {
	Outcomes
	Total int64
	Codes map[string]int64
}

// Outcomes count recipients by status.
type Outcomes struct{ Sent, Failed, Skipped, Expired, Unknown int64 }

// Ended returns the number of recipients with an outcome.
func (o Outcomes) Ended() int64 { return o.Sent + o.Failed + o.Skipped + o.Expired + o.Unknown }

// IsBalanced reports whether every loaded recipient is in exactly one place.
func (b Books) IsBalanced() bool {
	return b.Missing == 0 && b.Loaded == b.Ended()+b.Waiting+b.InFlight+b.Retrying
}

// Show fetches a campaign, whose books must balance at any moment.
func (s *System) Show(campaign string) View {
	s.t.Helper()
	var view View
	printed := s.Fanfare("campaign", "show", campaign, "--json")
	if err := json.Unmarshal(printed, &view); err != nil {
		s.t.Fatalf("read campaign show: %v in %s", err, printed)
	}
	if !view.Books.IsBalanced() {
		s.t.Errorf("the books of campaign %s do not balance: %+v", campaign, view.Books)
	}
	return view
}
