package caps

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"fanfare/internal/keys"
	"fanfare/test/backends"
	"fanfare/test/servers"
)

const (
	// perCall is how many recipients a claim has.
	perCall = 200
	// mistaken is how many elements of a call may be taken for ones of an earlier round, which
	// happens once in a million.
	mistaken = 2
)

// BenchmarkReserve reports the CPU time of Redis for each user of a claim: with each further entry,
// for users who are capped, and for releases. It also reports the bytes of a user with 4 and with
// 10 entries.
//
//	go test ./internal/caps -run '^$' -bench Reserve -benchtime 1000000x
func BenchmarkReserve(b *testing.B) {
	for server, start := range map[string]func(testing.TB, ...string) string{"redis": servers.Redis, "valkey": servers.Valkey} {
		b.Run(server, func(b *testing.B) { fill(b, backends.Connect(b, start(b)), b.N) })
	}
}

func fill(b *testing.B, rdb *redis.Client, users int) {
	l := New(rdb, keys.Default(), []Cap{{4, 2 * 24 * time.Hour}, {10, 14 * 24 * time.Hour}})
	wide := New(rdb, keys.Default(), []Cap{{10, 2 * 24 * time.Hour}, {11, 14 * 24 * time.Hour}})
	b.ReportMetric(0, "ns/op")
	for round := 1; round <= 10; round++ {
		limiter := l
		if round > 4 {
			limiter = wide
		}
		took := work(b, rdb, func(some []Element) {
			if found, err := limiter.Reserve(b.Context(), some); err != nil || countCapped(found) > 0 {
				b.Fatal(found, err)
			}
		}, users, round)
		b.ReportMetric(took, fmt.Sprintf("ns/user-entry-%d", round))
		if round == 4 || round == 10 {
			b.ReportMetric(bytesOf(b, rdb)/float64(users), fmt.Sprintf("B/user-%d", round))
		}
		if round == 4 {
			took = work(b, rdb, func(some []Element) {
				if found, err := limiter.Reserve(b.Context(), some); err != nil || countCapped(found) < len(some)-mistaken {
					b.Fatal(found, err)
				}
			}, users, 99)
			b.ReportMetric(took, "ns/user-capped")
		}
	}
	took := work(b, rdb, func(some []Element) {
		if err := l.Release(b.Context(), some); err != nil {
			b.Fatal(err)
		}
	}, users, 10)
	b.ReportMetric(took, "ns/user-released")
}

func countCapped(found map[int]Reservation) (n int) {
	for _, r := range found {
		if r.Capped {
			n++
		}
	}
	return n
}

// work calls do for all users in a random order, and returns how long Redis worked on each, in ns.
func work(b *testing.B, rdb *redis.Client, do func([]Element), users, round int) float64 {
	b.Helper()
	order := rand.Perm(users)
	before := workOf(b, rdb)
	some := make([]Element, perCall)
	for at := 0; at < users; at += perCall {
		some = some[:min(perCall, users-at)]
		for i := range some {
			user := order[at+i]
			some[i] = Element{User: fmt.Sprintf("user-%08d", user), Campaign: strconv.Itoa(round), ID: fmt.Sprintf("01999999-aaaa-7bbb-8ccc-%012d", user)}
		}
		do(some)
	}
	return (workOf(b, rdb) - before) / float64(max(users, 1))
}

var cpuTime = regexp.MustCompile(`(?m)^used_cpu_(?:user|sys):([0-9.]+)`)

// workOf is the CPU time that the server took so far, in ns. The time of the clock, which Redis
// gives for each command, depends on what else runs on the machine.
func workOf(b *testing.B, rdb *redis.Client) (ns float64) {
	b.Helper()
	for _, match := range cpuTime.FindAllStringSubmatch(rdb.Info(b.Context(), "cpu").Val(), -1) {
		seconds, _ := strconv.ParseFloat(match[1], 64)
		ns += seconds * 1e9
	}
	return ns
}

// bytesOf is what the shards take, as MEMORY USAGE counts it.
func bytesOf(b *testing.B, rdb *redis.Client) (sum float64) {
	b.Helper()
	for shard := range shards {
		n, err := rdb.MemoryUsage(b.Context(), keys.Default().Caps(shard), 0).Result()
		if err != nil && !errors.Is(err, redis.Nil) {
			b.Fatal(err)
		}
		sum += float64(n)
	}
	return sum
}
