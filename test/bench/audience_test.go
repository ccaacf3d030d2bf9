package bench

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"fanfare/internal/keys"
	"fanfare/internal/queue"
	"fanfare/test/servers"
)

var audienceSize = flag.Int("audience", 2_000_000, "recipients that pass through Redis in BenchmarkLargeAudience: a `number`, such as 100000000")

// element is recipient i as an application pushes it, with a token of the usual length.
func element(text []byte, i int) []byte {
	return fmt.Appendf(text, `{"userId":"u%09d","fcmToken":"dJ3k9:APA91bH%0130d"}`, i, i)
}

// BenchmarkAudienceLoad compares "fanfare load" with bare RPUSH in pipelines, of the same elements
// into the same Redis.
func BenchmarkAudienceLoad(b *testing.B) {
	const n = 1_000_000
	addr := servers.Redis(b)
	rdb := redis.NewClient(&redis.Options{Addr: addr})
	defer rdb.Close()
	file := filepath.Join(b.TempDir(), "audience.ndjson")
	all := make([]any, n)
	var text bytes.Buffer
	for i := range all {
		line := element(nil, i)
		all[i] = line
		text.Write(append(line, '\n'))
	}
	if err := os.WriteFile(file, text.Bytes(), 0o600); err != nil {
		b.Fatal(err)
	}
	fanfare := program(b, "fanfare")
	for b.Loop() {
		for range 3 {
			bare := pushBare(b, rdb, all)
			loaded := loadFile(b, fanfare, addr, file)
			fmt.Printf("load: %.0f recipients a second with fanfare load, %.0f with bare RPUSH in pipelines: %.2f ×\n", n/loaded, n/bare, bare/loaded)
		}
	}
}

// pushBare pushes elements as fast as a client can: ten commands of 1,000 elements a round trip. It
// returns the seconds.
func pushBare(b *testing.B, rdb *redis.Client, all []any) float64 {
	b.Helper()
	const command, together = 1000, 10
	start := time.Now()
	for at := 0; at < len(all); at += command * together {
		_, err := rdb.Pipelined(b.Context(), func(p redis.Pipeliner) error {
			for i := range together {
				p.RPush(b.Context(), "bare", all[at+i*command:at+(i+1)*command]...)
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	took := time.Since(start).Seconds()
	rdb.FlushAll(b.Context())
	return took
}

// loadFile loads a file and returns the seconds that the load says it took.
func loadFile(b *testing.B, fanfare, addr, file string) float64 {
	b.Helper()
	command := exec.CommandContext(b.Context(), fanfare, "load", "42", file, "--json", "--hold", "0")
	command.Env = append(os.Environ(), "REDIS_URL=redis://"+addr)
	printed, err := command.Output()
	var summary struct{ Seconds float64 }
	if err == nil {
		err = json.Unmarshal(printed, &summary)
	}
	if err != nil {
		b.Fatal(err)
	}
	rdb := redis.NewClient(&redis.Options{Addr: addr})
	defer rdb.Close()
	rdb.FlushAll(b.Context())
	return summary.Seconds
}

// BenchmarkLargeAudience lets an audience of any size pass through a Redis of 512 MiB. Time is
// compressed: recipients are claimed and settled, and no one is sent to.
func BenchmarkLargeAudience(b *testing.B) {
	addr := servers.Redis(b, "--maxmemory", "512mb", "--maxmemory-policy", "noeviction")
	rdb := redis.NewClient(&redis.Options{Addr: addr})
	defer rdb.Close()
	list, err := keys.Default().Campaign("42")
	if err != nil {
		b.Fatal(err)
	}
	q, err := queue.New(rdb, list, queue.Options{})
	if err != nil {
		b.Fatal(err)
	}
	fanfare := program(b, "fanfare")
	for b.Loop() {
		rdb.FlushAll(b.Context())
		load := startGenerated(b, fanfare, addr, *audienceSize)
		start := time.Now()
		drained, peaks := drain(b, q, rdb, load.Process.Pid)
		if err := load.Wait(); err != nil {
			b.Fatal(err)
		}
		took := time.Since(start)
		if drained != *audienceSize {
			b.Fatalf("%d recipients came through, want %d", drained, *audienceSize)
		}
		fmt.Printf("large audience: %d recipients in %s (%.0f a second), claimed and settled without sending; peaks: Redis %d MiB, loader %d MiB, %d recipients in Redis\n",
			drained, took.Round(time.Second), float64(drained)/took.Seconds(), peaks.redis>>20, peaks.loader>>20, peaks.listed)
	}
}

// startGenerated starts a load of an audience that is made while it is read.
func startGenerated(b *testing.B, fanfare, addr string, n int) *exec.Cmd {
	b.Helper()
	command := exec.CommandContext(b.Context(), fanfare, "load", "42", "-")
	command.Env = append(os.Environ(), "REDIS_URL=redis://"+addr)
	command.Stderr = os.Stderr
	in, err := command.StdinPipe()
	if err == nil {
		err = command.Start()
	}
	if err != nil {
		b.Fatal(err)
	}
	go func() {
		defer in.Close()
		w := bufio.NewWriterSize(in, 1<<20)
		var line []byte
		for i := range n {
			line = append(element(line[:0], i), '\n')
			if _, err := w.Write(line); err != nil {
				return // the load has failed, and says why
			}
		}
		_ = w.Flush()
	}()
	return command
}

// peaks are the largest figures of a run, in bytes but for the recipients.
type peaks struct{ redis, loader, listed int64 }

// held is the limit of a load without --hold.
const held = 1_000_000

// drain claims and settles until all have come through. It begins when the load is held back, or
// has pushed everything.
func drain(b *testing.B, q *queue.Queue, rdb *redis.Client, loader int) (drained int, p peaks) {
	b.Helper()
	ctx := b.Context()
	again := time.NewTicker(5 * time.Millisecond)
	defer again.Stop()
	for p.listed < min(held, int64(*audienceSize)) {
		<-again.C
		p.observe(ctx, rdb, loader)
	}
	for round := 0; ; round++ {
		if round%100 == 0 {
			p.observe(ctx, rdb, loader)
		}
		lease, err := q.Claim(ctx, queue.NewID(), 1000)
		if err != nil {
			b.Fatal(err)
		}
		if len(lease.Elements) == 0 {
			if drained >= *audienceSize {
				return drained, p
			}
			<-again.C
			continue
		}
		settled := make([]queue.Settlement, len(lease.Elements))
		for i, e := range lease.Elements {
			settled[i] = queue.Settlement{Claim: lease.Claim, Pos: e.Pos, Status: "sent"}
		}
		n, err := q.Settle(ctx, settled)
		if err != nil {
			b.Fatal(err)
		}
		drained += n
	}
}

var usedMemory = regexp.MustCompile(`used_memory:(\d+)`)

func (p *peaks) observe(ctx context.Context, rdb *redis.Client, loader int) {
	if found := usedMemory.FindStringSubmatch(rdb.Info(ctx, "memory").Val()); found != nil {
		n, _ := strconv.ParseInt(found[1], 10, 64) // the pattern is digits
		p.redis = max(p.redis, n)
	}
	p.listed = max(p.listed, rdb.LLen(ctx, "campaign:42").Val())
	status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", loader)) // elsewhere than on Linux it is 0
	if found := regexp.MustCompile(`VmHWM:\s+(\d+) kB`).FindSubmatch(status); found != nil {
		n, _ := strconv.ParseInt(string(found[1]), 10, 64)
		p.loader = max(p.loader, n<<10)
	}
}
