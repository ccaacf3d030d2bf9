package pacing

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"fanfare/test/servers"
)

// BenchmarkGovernors sends the default quota, 10,000 pushes a second, over some replicas in this
// process and a real Redis. Run it with -benchtime 1x, because it takes some seconds by itself. It
// reports the CPU time of a push, with waiting, waking up and leasing. It also reports how much of
// the quota is used, and how uneven the worst second and the worst tenth of a second are.
func BenchmarkGovernors(b *testing.B) {
	addr := servers.Redis(b)
	for _, replicas := range []int{1, 4, 8} {
		b.Run(fmt.Sprintf("replicas=%d", replicas), func(b *testing.B) {
			for range b.N {
				measure(b, addr, replicas)
			}
		})
	}
}

func measure(b *testing.B, addr string, replicas int) {
	const rate, slots, warmUp, seconds = 10_000, 500, 20, 5
	o := steady(rate)
	ctx, cancel := context.WithCancel(b.Context())
	var work sync.WaitGroup
	var tenths [warmUp + 10*seconds + 50]atomic.Int64
	began := time.Now()
	for range replicas {
		rdb := redis.NewClient(&redis.Options{Addr: addr})
		defer func() { _ = rdb.Close() }()
		g, err := New(rdb, project(), o)
		if err != nil {
			b.Fatal(err)
		}
		work.Go(func() { g.Run(ctx) })
		for range slots {
			work.Go(func() {
				for g.Wait(ctx, Push{Campaign: "42"}) == nil {
					tenths[min(int(time.Since(began)*10/time.Second), len(tenths)-1)].Add(1)
				}
			})
		}
	}
	await(b, began.Add(warmUp*time.Second/10))
	before := cpu()
	await(b, began.Add((warmUp+10*seconds)*time.Second/10))
	spent := cpu() - before
	cancel()
	work.Wait()
	total, worstSecond, worstTenth := 0.0, 0.0, 0.0
	for s := range seconds {
		sum := 0.0
		for i := range 10 {
			n := float64(tenths[warmUp+10*s+i].Load())
			worstTenth = max(worstTenth, abs(n/(rate/10)-1))
			sum += n
		}
		worstSecond = max(worstSecond, abs(sum/rate-1))
		total += sum
	}
	b.ReportMetric(float64(spent.Microseconds())/total, "cpu-µs/push")
	b.ReportMetric(100*total/(rate*seconds), "%used")
	b.ReportMetric(100*worstSecond, "%off-in-worst-second")
	b.ReportMetric(100*worstTenth, "%off-in-worst-tenth")
	b.ReportMetric(0, "ns/op")
}

func await(b *testing.B, t time.Time) {
	b.Helper()
	select {
	case <-b.Context().Done():
		b.Fatal("the benchmark was cut off")
	case <-time.After(time.Until(t)):
	}
}

// cpu returns the CPU time of this process so far.
func cpu() time.Duration {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		return 0
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

func abs(x float64) float64 { return max(x, -x) }
