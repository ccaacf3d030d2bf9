package e2e

import (
	"compress/gzip"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/parquet-go/parquet-go"
	"github.com/redis/go-redis/v9"

	"fanfare/test/servers"
)

// kills is how often a load is killed before it may finish. Each continuation waits for the end of
// the lease of the dead process.
const kills = 3

// batchSize is the most recipients in a batch of a load, which ends with EXEC.
const batchSize = 1000

// threeFiles writes n recipients as CSV, Parquet and gzipped NDJSON, one third in each.
func threeFiles(t *testing.T, n int) []string {
	t.Helper()
	third, folder := n/3, t.TempDir()
	write := func(name string, to func(file *os.File) error) string {
		path := filepath.Join(folder, name)
		file, err := os.Create(path)
		if err == nil {
			err = to(file)
		}
		if err == nil {
			err = file.Close()
		}
		if err != nil {
			t.Fatal(err)
		}
		return path
	}
	text := write("a.csv", func(file *os.File) error {
		_, err := file.WriteString(audience(third))
		return err
	})
	columns := write("b.parquet", func(file *os.File) error {
		type row struct {
			UserID string `parquet:"user_id"`
			Token  string `parquet:"fcmToken"`
		}
		rows := make([]row, third)
		for i := range rows {
			rows[i] = row{fmt.Sprint("p", i), fmt.Sprint("parquet-", i)}
		}
		w := parquet.NewGenericWriter[row](file, parquet.MaxRowsPerRowGroup(1500))
		if _, err := w.Write(rows); err != nil {
			return err
		}
		return w.Close()
	})
	compressed := write("c.ndjson.gz", func(file *os.File) error {
		w := gzip.NewWriter(file)
		for i := range n - 2*third {
			fmt.Fprintf(w, `{"userId":"j%d","fcmToken":"json-%[1]d"}`+"\n", i)
		}
		return w.Close()
	})
	return []string{text, columns, compressed}
}

// accepted is how many recipients loads have pushed.
func accepted(t *testing.T, s *servers.System) int {
	t.Helper()
	n, _ := strconv.Atoi(s.Redis.HGet(t.Context(), "{campaign:42}:counts", "accepted").Val()) // absent before the first batch
	return n
}

// killAtRandom runs a load several times. Each is killed in the middle of a batch, after a random
// part of what is left: the proxy stands between it and Redis, so it cannot finish before.
func killAtRandom(t *testing.T, s *servers.System, n int, args []string) {
	t.Helper()
	proxy := servers.NewProxy(t, s.Redis.(*redis.Client).Options().Addr)
	through := []string{"REDIS_URL=redis://" + proxy.Addr()}
	for range kills {
		pid := make(chan int, 1)
		left := (n - accepted(t, s)) / batchSize
		proxy.Lose(isExec, killAt(1+rand.IntN(left/2), pid))
		load := s.Start(through, "fanfare", args...)
		pid <- load.PID()
		load.ExpectExit(-1)
		t.Logf("killed after %d of %d recipients", accepted(t, s), n)
	}
}

func isExec(command []string) bool { return strings.EqualFold(command[0], "EXEC") }

// killAt kills a process when it sends its n-th matching command, which Redis executes nonetheless.
func killAt(n int, pid <-chan int) func(int, []string) bool {
	return func(at int, _ []string) bool {
		return at == n && syscall.Kill(<-pid, syscall.SIGKILL) == nil
	}
}

// TestKilledLoadContinues kills loads into a draft. Then the list has each recipient once, in the
// order of the files.
func TestKilledLoadContinues(t *testing.T) {
	t.Parallel()
	const n = 300_000
	s := servers.NewSystem(t, programs, servers.SystemOptions{})
	files := threeFiles(t, n)
	args := append([]string{"load", "42"}, files...)
	killAtRandom(t, s, n, args)
	s.Fanfare(args...)
	got, err := s.Redis.LRange(t.Context(), "campaign:42", 0, -1).Result()
	if err != nil {
		t.Fatal(err)
	}
	seen := make(map[string]int, n)
	for _, element := range got {
		seen[element]++
	}
	if len(got) != n || len(seen) != n {
		t.Errorf("the list has %d elements, %d different ones, want each of %d once", len(got), len(seen), n)
	}
	if last := fmt.Sprintf(`{"userId":"j%d","fcmToken":"json-%[1]d"}`, n/3-1); got[len(got)-1] != last {
		t.Errorf("the last element is %s, want %s", got[len(got)-1], last)
	}
}

// TestKilledLoadContinuesWhileSending kills loads that are held back by a limit, while a dispatcher
// empties the list. Each recipient gets one message. The campaign completes with the last load, and
// not before.
func TestKilledLoadContinuesWhileSending(t *testing.T) {
	t.Parallel()
	const n, limit = 24_000, 2000
	s := servers.NewSystem(t, programs, servers.SystemOptions{Env: []string{"FANFARE_STORE_TOKEN_QUERY=off", "FANFARE_PACING_PER_MINUTE=600000"}})
	s.Fanfare("campaign", "create", "42", "--message", s.File("message.json", servers.PlainMessage))
	args := append([]string{"load", "42", "--hold", strconv.Itoa(limit)}, threeFiles(t, n)...)

	// A draft is held back, says so, and can be started nonetheless.
	load := s.Start(nil, "fanfare", args...)
	load.AwaitLog("2,000 recipients wait in Redis; start the campaign with fanfare campaign start 42, and the load continues")
	if books := s.Show("42").Books; books.Waiting != limit {
		t.Errorf("books %+v, want %d waiting", books, limit)
	}
	shown := oneLine(s.Fanfare("campaign", "show", "42"))
	if want := "2,000 of them in Redis, which is the limit of the load; the loader ("; !strings.Contains(shown, want) {
		t.Errorf("the campaign is shown as %s, want %q", shown, want)
	}
	second := s.Start(nil, "fanfare", args...)
	second.ExpectExit(1)
	if want := fmt.Sprintf(" process %d, since ", load.PID()); !strings.Contains(second.Log(), want) {
		t.Errorf("a second load says %s, want %q", second.Log(), want)
	}
	load.Signal(syscall.SIGKILL)
	load.ExpectExit(-1)

	most := 0
	dispatcher := s.Start(nil, "dispatcher")
	load = s.Start(nil, "fanfare", args...)
	load.AwaitLog("2,000 recipients wait in Redis; start the campaign with")
	s.Fanfare("campaign", "start", "42")
	s.Eventually("some are sent", func() bool { return s.Show("42").Books.Sent > 1000 })
	load.Signal(syscall.SIGKILL)
	load.ExpectExit(-1)
	killAtRandom(t, s, n, args)
	load = s.Start(nil, "fanfare", args...)
	s.Eventually("the load ends", func() bool {
		b := s.Show("42").Books
		most = max(most, int(b.Waiting+b.InFlight+b.Retrying))
		select {
		case <-load.Done():
			return true
		default:
			return false
		}
	})
	load.ExpectExit(0)
	s.Eventually("the campaign is completed", func() bool { return s.Show("42").State == "completed" })
	if b := s.Show("42").Books; b.Sent != n || b.Loaded != n {
		t.Errorf("books %+v, want %d sent", b, n)
	}
	if c := s.Sim.Counts(); c.Distinct != n || c.Duplicates != 0 {
		t.Errorf("FCM accepted %d messages and %d again, want each of %d once", c.Distinct, c.Duplicates, n)
	}
	if most > limit {
		t.Errorf("%d recipients were in Redis, over the limit of %d", most, limit)
	}
	if history := oneLine(s.Fanfare("campaign", "history", "42")); !strings.Contains(history, "load held back") {
		t.Errorf("the history is %s", history)
	}
	dispatcher.Signal(syscall.SIGTERM)
	dispatcher.ExpectExit(0)
}
