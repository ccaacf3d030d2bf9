package bench

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"
)

const (
	devicesPerUser   = 3
	devicePushes     = 60_000
	recipientPushes  = 80_000
	devicesFormat    = "%4s  %26s  %26s  %16s  %16s\n"
	devicesRowFormat = "%4d  %16.1f + %4.1f µs  %16.1f + %4.1f µs  %15.2fx  %15.2fx\n"
)

// BenchmarkDevices sends as many pushes to users of three devices and to users of one, in turn.
func BenchmarkDevices(b *testing.B) {
	for b.Loop() {
		w := newWorld(b, "50ms")
		fmt.Printf("\nusers of %d devices against users of one: %d pushes each, %d at a time, 50 ms; CPU a push of the dispatcher + of Redis\n",
			devicesPerUser, devicePushes, concurrency)
		fmt.Printf(devicesFormat, "pair", "one device", "three devices", "dispatcher", "Redis")
		compareCampaigns(w, "devices-ratio",
			func(id string) cost { return w.costOf(id, devicePushes, elements(1), "--dedupe", "address") },
			func(id string) cost {
				return w.costOf(id, devicePushes, elements(devicesPerUser), "--dedupe", "address")
			})
	}
}

// BenchmarkDedupe sends to users of one device in turn: with each address once, and without a look
// at addresses.
func BenchmarkDedupe(b *testing.B) {
	for b.Loop() {
		w := newWorld(b, "50ms")
		fmt.Printf("\neach address once against no look at addresses: %d recipients, %d at a time, 50 ms; CPU a push of the dispatcher + of Redis\n",
			recipientPushes, concurrency)
		fmt.Printf(devicesFormat, "pair", "--dedupe none", "--dedupe address", "dispatcher", "Redis")
		compareCampaigns(w, "dedupe-ratio",
			func(id string) cost { return w.costOf(id, recipientPushes, elements(1), "--dedupe", "none") },
			func(id string) cost {
				c := w.costOf(id, recipientPushes, elements(1), "--dedupe", "address")
				fmt.Printf("        the record of addresses takes %.1f bytes a recipient\n", float64(w.memoryOf("{campaign:"+id+"}:addresses*"))/recipientPushes)
				return c
			})
	}
}

// cost of a push in seconds of CPU.
type cost struct{ dispatcher, redis float64 }

// compareCampaigns runs two campaigns in turn, in four pairs of which every other one is reversed.
func compareCampaigns(w *world, name string, base, other func(id string) cost) {
	w.b.Helper()
	var dispatcher, store []float64
	for pair := range pairs {
		id := strconv.Itoa(pair)
		var one, two cost
		if pair%2 == 1 {
			two = other("other-" + id)
		}
		one = base("base-" + id)
		if pair%2 == 0 {
			two = other("other-" + id)
		}
		dispatcher, store = append(dispatcher, two.dispatcher/one.dispatcher), append(store, two.redis/one.redis)
		fmt.Printf(devicesRowFormat, pair+1, one.dispatcher*1e6, one.redis*1e6, two.dispatcher*1e6, two.redis*1e6, dispatcher[pair], store[pair])
	}
	fmt.Printf("median: dispatcher %.2fx, Redis %.2fx\n", median(dispatcher), median(store))
	w.b.ReportMetric(median(dispatcher), name)
	w.b.ReportMetric(median(store), "redis-"+name)
}

// costOf drains a campaign of n pushes with a Job. add puts the elements of its audience into the
// list.
func (w *world) costOf(id string, n int, add func(w *world, list string, n int), options ...string) cost {
	w.b.Helper()
	w.fanfare(append([]string{"campaign", "create", id, "--message", messageFile(w.b)}, options...)...)
	add(w, "campaign:"+id, n)
	w.fanfare("campaign", "start", id)
	w.forget()
	before := redisCPU(w)
	e := w.measure(w.job(id), int64(n))
	return cost{e.cpu, (redisCPU(w) - before) / float64(n)}
}

// elements are of users who have so many devices each, n devices in all.
func elements(devices int) func(w *world, list string, n int) {
	return func(w *world, list string, n int) {
		w.b.Helper()
		w.pipeline(n/devices, func(p redis.Pipeliner, user int) {
			if devices == 1 {
				p.RPush(w.b.Context(), list, fmt.Sprintf(`{"userId":%q,"fcmToken":%q}`, userName(user), tokenOf(user)))
				return
			}
			tokens := make([]string, devices)
			for i := range tokens {
				tokens[i] = fmt.Sprintf(`{"token":%q}`, tokenOf(user*devices+i))
			}
			p.RPush(w.b.Context(), list, fmt.Sprintf(`{"userId":%q,"devices":[%s]}`, userName(user), strings.Join(tokens, ",")))
		})
	}
}

// memoryOf is what Redis needs for the keys of a pattern, in bytes.
func (w *world) memoryOf(pattern string) (bytes int64) {
	w.b.Helper()
	keys := w.rdb.Scan(w.b.Context(), 0, pattern, 10_000).Iterator()
	for keys.Next(w.b.Context()) {
		n, err := w.rdb.MemoryUsage(w.b.Context(), keys.Val()).Result()
		if err != nil {
			w.b.Fatal(err)
		}
		bytes += n
	}
	if err := keys.Err(); err != nil {
		w.b.Fatal(err)
	}
	return bytes
}
