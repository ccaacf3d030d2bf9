package bench

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/redis/go-redis/v9"

	"fanfare/internal/keys"
	"fanfare/internal/notification"
	"fanfare/internal/responses"
	"fanfare/test/servers"
)

// deliveries are the rows in SQL. The promise is about ten million, which take minutes to make.
var deliveries = flag.Int("deliveries", 1_000_000, "rows in SQL behind the console: a `number`, such as 10000000")

const (
	consoleCampaigns = 1000
	consoleRunning   = 50
	consoleLetters   = 100_000
	openPages        = 100
	watchedFor       = 20 * time.Second
)

// BenchmarkConsole measures how long each page takes, how many statements of SQL it runs, and what
// a hundred open pages cost.
func BenchmarkConsole(b *testing.B) {
	for b.Loop() {
		w := newConsoleWorld(b)
		fmt.Printf("\nconsole over %d campaigns, %d running, and %d deliveries\n", consoleCampaigns, consoleRunning, *deliveries)
		slowest := time.Duration(0)
		w.newTransactions() // those of the preparation
		for _, page := range []string{"/campaigns", "/campaigns/c1", "/campaigns/c999", "/people?user=user-77", "/dead", "/quota", "/new", "/dead/replay", "/dead/purge"} {
			took, statements := w.measure(page, 20)
			fmt.Printf("%22s: median %4d ms, slowest %4d ms, %.1f statements of SQL\n", page, took[len(took)/2].Milliseconds(), took[len(took)-1].Milliseconds(), statements)
			slowest = max(slowest, took[len(took)-1])
		}
		commands := w.measureCommand("user", "show", "user-77")
		fmt.Printf("%22s: median %4d ms, slowest %4d ms, of which %d ms start the program\n", "fanfare user show",
			commands[len(commands)/2].Milliseconds(), commands[len(commands)-1].Milliseconds(), w.measureCommand("--version")[10].Milliseconds())
		share := w.watch()
		fmt.Printf("%d open pages use %.1f%% of a core\n", openPages, share)
		b.ReportMetric(float64(slowest.Milliseconds()), "slowest-ms")
		b.ReportMetric(share, "core-%")
	}
}

// consoleWorld is a console over many campaigns.
type consoleWorld struct {
	b       *testing.B
	base    string
	console *process
	env     []string // of all programs
	client  *http.Client
	sql     *pgx.Conn
	counted int64 // transactions at the last look
}

func newConsoleWorld(b *testing.B) *consoleWorld {
	b.Helper()
	w := &consoleWorld{b: b, client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 1}}}
	addr, database := servers.Redis(b), durablePostgres(b)
	env := []string{
		"REDIS_URL=redis://" + addr, "DATABASE_URL=" + database, "FCM_PROJECT_ID=bench", "FANFARE_HTTP_RESPONDER=off", "LOG_LEVEL=warn",
		"FANFARE_STORE_TOKEN_CLEAR=off", "FANFARE_STORE_TOKEN_QUERY=SELECT id, fcm_token FROM users WHERE id = ANY($1)",
	}
	var err error
	if w.sql, err = pgx.Connect(b.Context(), database); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = w.sql.Close(context.Background()) })
	w.fillUsers()
	responder := start(b, env, program(b, "responder")) // makes the tables
	until(b, func() bool { return w.number(`SELECT count(*) FROM pg_class WHERE relname = 'fanfare_history'`) == 1 })
	responder.signal(os.Interrupt)
	responder.succeed()
	fillRedis(b, addr)
	fillLetters(b, addr)
	w.fillSQL()

	w.env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + b.TempDir()}, env...)
	w.console = &process{b: b, cmd: exec.Command(program(b, "fanfare"), "console", "--listen", "127.0.0.1:0", "--operate")}
	w.console.cmd.Env = w.env
	w.console.cmd.Stderr = &w.console.out
	out, err := w.console.cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	w.console.run()
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		b.Fatal(err)
	}
	w.base = strings.TrimSuffix(strings.TrimPrefix(strings.TrimSpace(line), "console: "), "/")
	return w
}

// fillRedis makes the campaigns: most have ended, and no dispatcher serves the others.
func fillRedis(b *testing.B, addr string) {
	b.Helper()
	rdb := redis.NewClient(&redis.Options{Addr: addr})
	defer rdb.Close()
	pipe := rdb.Pipeline()
	now := time.Now().UTC().Format(time.RFC3339)
	for i := range consoleCampaigns {
		id, state := fmt.Sprint("c", i), "completed"
		if i < consoleRunning {
			state = "running"
			pipe.RPush(b.Context(), "campaign:"+id, `{"userId":"a","fcmToken":"a"}`, `{"userId":"b","fcmToken":"b"}`)
		}
		pipe.HSet(b.Context(), "{campaign:"+id+"}:spec", "state", state, "message", servers.PlainMessage, "created_at", now, "started_at", now, "finished_at", now)
		pipe.HSet(b.Context(), "{campaign:"+id+"}:counts", "claimed", 10_000, "seen", 10_002, "ended:sent", 9_800, "ended:failed", 200, "code:failed:UNREGISTERED", 200)
		pipe.SAdd(b.Context(), "{campaign:}:registry", id)
	}
	if _, err := pipe.Exec(b.Context()); err != nil {
		b.Fatal(err)
	}
}

// fillLetters makes dead letters of the running campaigns. Redis has tokens of half their users.
func fillLetters(b *testing.B, addr string) {
	b.Helper()
	rdb := redis.NewClient(&redis.Options{Addr: addr})
	defer rdb.Close()
	now := time.Now()
	pipe := rdb.Pipeline()
	for i := range consoleLetters {
		user := fmt.Sprint("letter-", i)
		letter := responses.FailedLetter(notification.Result{
			CampaignID: fmt.Sprint("c", i%consoleRunning), UserID: user, ResultID: fmt.Sprint("r", i), Status: notification.StatusFailed,
			ErrorCode: "UNAVAILABLE", Error: "FCM answers 503: the service is unavailable", Attempts: 5, At: now,
		}, now)
		pipe.RPush(b.Context(), keys.Default().ResponsesList().Key(keys.SuffixDead), responses.AppendDeadLetter(nil, &letter))
		if i%2 == 0 {
			pipe.Set(b.Context(), keys.Default().Token(user), fmt.Sprint("token-", i), 0)
		}
	}
	if _, err := pipe.Exec(b.Context()); err != nil {
		b.Fatal(err)
	}
}

// fillUsers makes the application's table. It has the tokens of four in five people with a letter.
func (w *consoleWorld) fillUsers() {
	w.b.Helper()
	_, err := w.sql.Exec(w.b.Context(), `CREATE TABLE users AS
		SELECT 'letter-' || i AS id, CASE WHEN i % 5 > 0 THEN 'token-' || i END AS fcm_token FROM generate_series(0, $1::int - 1) AS i`, consoleLetters)
	if err == nil {
		_, err = w.sql.Exec(w.b.Context(), `ALTER TABLE users ADD PRIMARY KEY (id)`)
	}
	if err != nil {
		w.b.Fatal(err)
	}
}

// fillSQL writes the deliveries in parts of a million.
func (w *consoleWorld) fillSQL() {
	w.b.Helper()
	for first := 0; first < *deliveries; first += 1_000_000 {
		_, err := w.sql.Exec(w.b.Context(), `INSERT INTO fanfare_deliveries (campaign_id, user_id, result_id, status, rank, error_code, attempts, at)
			SELECT 'c' || i % 1000, 'user-' || i / 1000, 'r' || i, CASE WHEN i % 50 = 0 THEN 'failed' ELSE 'sent' END, 1,
			       CASE WHEN i % 50 = 0 THEN 'UNREGISTERED' ELSE '' END, 1, now() - i % 600 * interval '1 s'
			FROM generate_series($1::int, $2::int) AS i`, first, min(first+1_000_000, *deliveries)-1)
		if err != nil {
			w.b.Fatal(err)
		}
	}
	if _, err := w.sql.Exec(w.b.Context(), `VACUUM ANALYZE fanfare_deliveries`); err != nil {
		w.b.Fatal(err)
	}
}

func (w *consoleWorld) number(query string) (n int64) {
	w.b.Helper()
	if err := w.sql.QueryRow(w.b.Context(), query).Scan(&n); err != nil {
		w.b.Fatal(err)
	}
	return n
}

// measure asks for a page n times. It returns the times in order, and the statements a page, which
// the server counts as transactions, less its own.
func (w *consoleWorld) measure(page string, n int) (took []time.Duration, statements float64) {
	w.b.Helper()
	w.get(page) // the first one opens connections
	for range n {
		began := time.Now()
		w.get(page)
		took = append(took, time.Since(began))
	}
	slices.Sort(took)
	return took, float64(w.newTransactions()) / float64(n+1)
}

// measureCommand runs a command of fanfare 20 times as a process, and returns the times in order.
func (w *consoleWorld) measureCommand(args ...string) (took []time.Duration) {
	w.b.Helper()
	for range 20 {
		command := exec.Command(program(w.b, "fanfare"), args...)
		command.Env = w.env
		began := time.Now()
		if out, err := command.CombinedOutput(); err != nil {
			w.b.Fatalf("fanfare %s: %v\n%s", strings.Join(args, " "), err, out)
		}
		took = append(took, time.Since(began))
	}
	slices.Sort(took)
	return took
}

// newTransactions returns the transactions since its last call, of all sessions but ours. Sessions
// report theirs after ten seconds of rest.
func (w *consoleWorld) newTransactions() int64 {
	w.b.Helper()
	<-time.After(11 * time.Second)
	before := w.counted
	w.counted = w.number(`SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()`)
	return w.counted - before - 1
}

func (w *consoleWorld) get(page string) {
	w.b.Helper()
	reply, err := w.client.Get(w.base + page)
	if err != nil {
		w.b.Fatal(err)
	}
	defer reply.Body.Close()
	if _, err := io.Copy(io.Discard, reply.Body); err != nil || reply.StatusCode != http.StatusOK {
		w.b.Fatalf("%s answers %s: %v", page, reply.Status, err)
	}
}

// watch opens pages and returns what they cost, in percent of a core: half show the list, and the
// others a campaign each.
func (w *consoleWorld) watch() float64 {
	w.b.Helper()
	ctx, leave := context.WithCancel(w.b.Context())
	var streams sync.WaitGroup
	defer streams.Wait()
	defer leave()
	for i := range openPages {
		page := "/campaigns"
		if i%2 == 1 {
			page = fmt.Sprint("/campaigns/c", i)
		}
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, w.base+page, nil)
		if err != nil {
			w.b.Fatal(err)
		}
		r.Header.Set("Accept", "text/event-stream")
		reply, err := w.client.Do(r)
		if err != nil {
			w.b.Fatal(err)
		}
		streams.Go(func() {
			defer reply.Body.Close()
			_, _ = io.Copy(io.Discard, reply.Body) // until we leave
		})
	}
	<-time.After(3 * time.Second) // the first updates are whole pages
	before, began := w.console.cpu(), time.Now()
	<-time.After(watchedFor)
	return 100 * (w.console.cpu() - before).Seconds() / time.Since(began).Seconds()
}
