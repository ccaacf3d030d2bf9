package bench

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/redis/go-redis/v9"

	"fanfare/test/servers"
)

// world is one Redis, one simulator, and what the binaries need to find them.
type world struct {
	b   *testing.B
	rdb *redis.Client
	sim *simulator
	env []string
}

// newWorld starts a Redis that appends every write to disk once a second, and a simulator with the
// given latency.
func newWorld(b *testing.B, latency string, simArgs ...string) *world {
	b.Helper()
	return newWorldOn(b, servers.Redis(b, "--appendonly", "yes"), latency, simArgs...)
}

func newWorldOn(b *testing.B, addr, latency string, simArgs ...string) *world {
	b.Helper()
	w := &world{b: b, sim: startSimulator(b, append([]string{"--latency", latency}, simArgs...)...)}
	w.rdb = redis.NewClient(&redis.Options{Addr: addr})
	b.Cleanup(func() { w.rdb.Close() })
	w.env = []string{
		"REDIS_URL=redis://" + addr,
		"FCM_ENDPOINT=" + w.sim.TLS,
		"FCM_PROJECT_ID=bench",
		"FANFARE_FCM_CA_FILE=" + w.sim.CAFile,
		"FANFARE_HTTP_DISPATCHER=off",
		"FANFARE_HTTP_RESPONDER=off",
		"LOG_LEVEL=warn",
		"FANFARE_PACING_RAMP=0s", "FANFARE_PACING_PER_MINUTE=6000000", // what must be seen is the program's own limit
	}
	return w
}

// fanfare runs one command of the operator's, which must succeed.
func (w *world) fanfare(args ...string) usage {
	w.b.Helper()
	return start(w.b, w.env, program(w.b, "fanfare"), args...).succeed()
}

// campaign creates a campaign, loads it with n recipients who have their token in the element, and
// starts it.
func (w *world) campaign(id string, n int) {
	w.b.Helper()
	w.campaignOf(id, audienceFile(w.b, n))
}

// campaignOf does the same with an audience from a file.
func (w *world) campaignOf(id, audience string) {
	w.b.Helper()
	w.fanfare("campaign", "create", id, "--message", messageFile(w.b))
	w.fanfare("load", id, audience)
	w.fanfare("campaign", "start", id)
}

// job starts a dispatcher for one campaign.
func (w *world) job(id string, env ...string) *process {
	w.b.Helper()
	return start(w.b, append(w.env, env...), program(w.b, "dispatcher"), "--campaign", id)
}

// view is what "fanfare campaign show --json" says.
type view struct {
	State, Reason string
	Books         books
}

type books struct {
	Loaded, Sent, Failed, Skipped, Expired, Unknown, Waiting, InFlight, Retrying, Missing, Resent, Lost int64
}

func (w *world) show(id string) (v view) {
	w.b.Helper()
	p := start(w.b, w.env, program(w.b, "fanfare"), "campaign", "show", id, "--json")
	p.succeed()
	if err := json.Unmarshal(p.out.Bytes(), &v); err != nil {
		w.b.Fatalf("read %q: %v", p.out.Bytes(), err)
	}
	return v
}

func (w *world) books(id string) books {
	w.b.Helper()
	return w.show(id).Books
}

// simCounts are the simulator's own.
type simCounts struct {
	Requests    int64 `json:"requests"`
	Accepted    int64 `json:"accepted"`
	Distinct    int64 `json:"distinct"`
	Duplicates  int64 `json:"duplicates"`
	MaxInFlight int64 `json:"maxInFlight"`
	Codes       map[string]int64
	Connections struct {
		TLS int64 `json:"tls"`
	} `json:"connections"`
}

func (w *world) counts() (c simCounts) {
	w.b.Helper()
	w.sim.ask("/counts", &c)
	return c
}

func messageFile(b *testing.B) string {
	b.Helper()
	name := filepath.Join(b.TempDir(), "message.json")
	if err := os.WriteFile(name, []byte(`{"notification":{"title":"Bench","body":"One of many"}}`), 0o600); err != nil {
		b.Fatal(err)
	}
	return name
}

// audienceFile writes a CSV of n recipients with tokens as long as FCM's.
func audienceFile(b *testing.B, n int) string {
	b.Helper()
	return csvFile(b, "userId,fcmToken", n, func(i int) string { return userName(i) + "," + tokenOf(i) })
}

func userName(i int) string { return "user-" + strconv.Itoa(i) }
func tokenOf(i int) string  { return "bench-" + strconv.Itoa(i) + tokenTail }

// csvFile writes a CSV of n rows.
func csvFile(b *testing.B, head string, n int, row func(int) string) string {
	b.Helper()
	name := filepath.Join(b.TempDir(), fmt.Sprintf("audience-%d.csv", n))
	file, err := os.Create(name)
	if err != nil {
		b.Fatal(err)
	}
	out := bufio.NewWriterSize(file, 1<<20)
	fmt.Fprintln(out, head)
	for i := range n {
		fmt.Fprintln(out, row(i))
	}
	if err := out.Flush(); err != nil {
		b.Fatal(err)
	}
	if err := file.Close(); err != nil {
		b.Fatal(err)
	}
	return name
}

// tokenTail brings a token to the usual length of about 160 bytes.
const tokenTail = ":APA91bHun4MxP5egoKMwt2KZFBaFUH-1RYqx3M0B0kXQ7gQv0kYtY2mB3uPQ5nC1sD8wJrLzXyVf6hTgUeIoKpAaSsDdFfGgHhJjKkLlQqWwEeRrTtYyUuIiOoPpZzXxCcVvBbNnMm"
