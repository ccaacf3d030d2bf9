package daemon

import (
	"context"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"

	"fanfare/test/servers"
)

// gather scrapes once: metric → node → value.
func gather(t *testing.T, rdb redis.UniversalClient, o RedisCollectorOptions) map[string]map[string]float64 {
	t.Helper()
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(NewRedisCollector(t.Context(), rdb, o))
	return scrape(t, registry)
}

func scrape(t *testing.T, registry *prometheus.Registry) map[string]map[string]float64 {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	values := make(map[string]map[string]float64)
	for _, family := range families {
		nodes := make(map[string]float64)
		for _, metric := range family.GetMetric() {
			nodes[metric.GetLabel()[0].GetValue()] = metric.GetGauge().GetValue() + metric.GetCounter().GetValue()
		}
		values[family.GetName()] = nodes
	}
	return values
}

func TestRedisFigures(t *testing.T) {
	addr := servers.Redis(t, "--maxmemory", "64mb")
	rdb := openRedis(t, RedisOptions{URL: "redis://" + addr})
	values := gather(t, rdb, RedisCollectorOptions{})
	for _, figure := range redisMetrics {
		name := strings.Split(figure.desc.String(), `"`)[1]
		if _, found := values[name][addr]; !found {
			t.Errorf("%s is missing: does INFO still have %s?", name, figure.field)
		}
	}
	for name, want := range map[string]float64{"up": 1, "master": 1, "maxmemory_bytes": 64 << 20, "rdb_last_save_ok": 1, "aof_enabled": 0} {
		if got := values["fanfare_redis_"+name][addr]; got != want {
			t.Errorf("%s is %g, want %g", name, got, want)
		}
	}
	if values["fanfare_redis_connected_clients"][addr] < 1 || values["fanfare_redis_used_memory_bytes"][addr] < 1 {
		t.Errorf("nothing is connected, nothing used: %v", values)
	}
}

// infoCounter counts INFO commands. It can make them hang until their context ends.
type infoCounter struct {
	calls atomic.Int32
	hangs bool
}

func (c *infoCounter) DialHook(next redis.DialHook) redis.DialHook { return next }

func (c *infoCounter) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

func (c *infoCounter) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		if cmd.Name() == "info" {
			c.calls.Add(1)
		}
		if c.hangs {
			<-ctx.Done()
			return ctx.Err()
		}
		return next(ctx, cmd)
	}
}

func TestScrapesShareOneRound(t *testing.T) {
	for maxAge, want := range map[time.Duration]int32{time.Hour: 1, time.Nanosecond: 2} {
		rdb := openRedis(t, RedisOptions{URL: "redis://" + servers.Redis(t)})
		count := &infoCounter{}
		rdb.AddHook(count)
		registry := prometheus.NewRegistry()
		registry.MustRegister(NewRedisCollector(t.Context(), rdb, RedisCollectorOptions{MaxAge: maxAge}))
		scrape(t, registry)
		scrape(t, registry)
		if got := count.calls.Load(); got != want {
			t.Errorf("kept for %s: %d rounds for two scrapes, want %d", maxAge, got, want)
		}
	}
}

func TestRedisThatHangsIsDown(t *testing.T) {
	rdb := openRedis(t, RedisOptions{Host: "127.0.0.1", Port: 1})
	rdb.AddHook(&infoCounter{hangs: true})
	values := gather(t, rdb, RedisCollectorOptions{Timeout: time.Millisecond})
	if got, found := values["fanfare_redis_up"][net.JoinHostPort("127.0.0.1", "1")]; !found || got != 0 {
		t.Errorf("up is %g", got)
	}
	if len(values) != 1 {
		t.Errorf("there are figures of a Redis that does not answer: %v", values)
	}
}

func TestAClusterThatCannotBeReachedIsDown(t *testing.T) {
	values := gather(t, openRedis(t, RedisOptions{Mode: RedisCluster, Addresses: []string{"127.0.0.1:1"}}), RedisCollectorOptions{})
	if got, found := values["fanfare_redis_up"]["cluster"]; !found || got != 0 || len(values) != 1 {
		t.Errorf("got %v", values)
	}
}

func TestAScrapeIsBoundedByDefault(t *testing.T) {
	c := NewRedisCollector(t.Context(), openRedis(t, RedisOptions{Host: "127.0.0.1", Port: 1}), RedisCollectorOptions{})
	if want := (RedisCollectorOptions{Timeout: time.Second, MaxAge: 5 * time.Second}); c.opts != want {
		t.Errorf("got %+v, want %+v", c.opts, want)
	}
}
