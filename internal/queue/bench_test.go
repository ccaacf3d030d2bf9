package queue_test

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"fanfare/internal/keys"
	"fanfare/internal/queue"
	"fanfare/test/backends"
	"fanfare/test/servers"
)

// BenchmarkRedis reports the CPU time that Redis needs for an element: to claim it, and to settle
// it with its result.
//
//	go test ./internal/queue -run '^$' -bench Redis -benchtime 200000x
func BenchmarkRedis(b *testing.B) {
	for _, size := range []int{50, 200, 500} {
		b.Run(fmt.Sprintf("claims of %d", size), func(b *testing.B) {
			rdb := backends.Connect(b, servers.Redis(b, "--appendonly", "yes"))
			list, err := keys.Default().Campaign("42")
			if err != nil {
				b.Fatal(err)
			}
			q, err := queue.New(rdb, list, queue.Options{Emit: list.Key(keys.SuffixOutbox), Direct: "notification:responses"})
			if err != nil {
				b.Fatal(err)
			}
			fill(b, rdb, list.Plain(), b.N)
			claiming, settling := 0.0, 0.0
			leases := make([]queue.Lease, 0, b.N/size+1)
			before := redisCPU(b, rdb)
			for left := b.N; left > 0; left -= size {
				lease, err := q.Claim(b.Context(), queue.NewID(), min(size, left))
				if err != nil {
					b.Fatal(err)
				}
				leases = append(leases, lease)
			}
			claimed := redisCPU(b, rdb)
			claiming += claimed - before
			for _, lease := range leases {
				settle(b, q, lease)
			}
			settling += redisCPU(b, rdb) - claimed
			b.ReportMetric(claiming/float64(b.N), "redis-µs/claimed")
			b.ReportMetric(settling/float64(b.N), "redis-µs/settled")
		})
	}
}

// fill loads elements as an application writes them.
func fill(b *testing.B, rdb *redis.Client, list string, n int) {
	b.Helper()
	for i := 0; i < n; i += 1000 {
		some := make([]any, 0, 1000)
		for at := i; at < min(i+1000, n); at++ {
			some = append(some, fmt.Sprintf(`{"userId":"user-%09d"}`, at))
		}
		if err := rdb.RPush(b.Context(), list, some...).Err(); err != nil {
			b.Fatal(err)
		}
	}
}

func settle(b *testing.B, q *queue.Queue, lease queue.Lease) {
	b.Helper()
	result := []byte(strings.Repeat("r", 300))
	settlements := make([]queue.Settlement, len(lease.Elements))
	for i, e := range lease.Elements {
		settlements[i] = queue.Settlement{Claim: lease.Claim, Pos: e.Pos, Status: "sent", Emit: result}
	}
	if n, err := q.Settle(b.Context(), settlements); err != nil || n != len(settlements) {
		b.Fatalf("%d of %d settled (%v)", n, len(settlements), err)
	}
}

var cpuFields = regexp.MustCompile(`(?m)^used_cpu_(?:sys|user)_main_thread:([\d.]+)`)

// redisCPU is the CPU time of Redis' main thread in µs.
func redisCPU(b *testing.B, rdb *redis.Client) (micros float64) {
	b.Helper()
	text, err := rdb.Info(b.Context(), "cpu").Result()
	if err != nil {
		b.Fatal(err)
	}
	for _, match := range cpuFields.FindAllStringSubmatch(text, -1) {
		seconds, _ := strconv.ParseFloat(match[1], 64)
		micros += seconds * 1e6
	}
	return micros
}
