package daemon

import (
	"cmp"
	"context"
	"strconv"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"

	"fanfare/internal/redisinfo"
)

// RedisCollectorOptions limit how much a scrape asks of Redis.
type RedisCollectorOptions struct {
	Timeout time.Duration // for one round of INFO; default 1 s, so that no scrape hangs
	MaxAge  time.Duration // how long one round serves all scrapes; default 5 s
}

// RedisCollector exports each node's INFO as metrics, labelled with the node's address.
type RedisCollector struct {
	ctx  context.Context // for every round, since Collect receives none
	rdb  redis.UniversalClient
	opts RedisCollectorOptions

	mu        sync.Mutex
	fetchedAt time.Time
	nodes     map[string]map[string]string // node → field → value; nil fields: no reply
}

var redisUp = newRedisDesc("up", "1 when the node replied.")

// NewRedisCollector makes a collector, which stops asking when ctx ends.
func NewRedisCollector(ctx context.Context, rdb redis.UniversalClient, o RedisCollectorOptions) *RedisCollector {
	o.Timeout = cmp.Or(o.Timeout, time.Second)
	o.MaxAge = cmp.Or(o.MaxAge, 5*time.Second)
	return &RedisCollector{ctx: ctx, rdb: rdb, opts: o}
}

// Describe implements prometheus.Collector.
func (c *RedisCollector) Describe(out chan<- *prometheus.Desc) {
	out <- redisUp
	for _, figure := range redisMetrics {
		out <- figure.desc
	}
}

// Collect implements prometheus.Collector.
func (c *RedisCollector) Collect(out chan<- prometheus.Metric) {
	for node, fields := range c.refresh() {
		up := 1.0
		if fields == nil {
			up = 0
		}
		out <- prometheus.MustNewConstMetric(redisUp, prometheus.GaugeValue, up, node)
		for _, figure := range redisMetrics {
			text, found := fields[figure.field]
			if !found {
				continue
			}
			if value, ok := figure.parse(text); ok {
				out <- prometheus.MustNewConstMetric(figure.desc, figure.kind, value, node)
			}
		}
	}
}

// refresh returns the last round while it is fresh. Concurrent scrapes share one.
func (c *RedisCollector) refresh() map[string]map[string]string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.nodes != nil && time.Since(c.fetchedAt) < c.opts.MaxAge {
		return c.nodes
	}
	ctx, cancel := context.WithTimeout(c.ctx, c.opts.Timeout)
	defer cancel()
	c.nodes, c.fetchedAt = fetchAllInfo(ctx, c.rdb), time.Now()
	return c.nodes
}

func fetchAllInfo(ctx context.Context, rdb redis.UniversalClient) map[string]map[string]string {
	nodes := make(map[string]map[string]string)
	switch rdb := rdb.(type) {
	case *redis.ClusterClient:
		var mu sync.Mutex
		err := rdb.ForEachShard(ctx, func(ctx context.Context, shard *redis.Client) error {
			fields := fetchInfo(ctx, shard)
			mu.Lock()
			defer mu.Unlock()
			nodes[shard.Options().Addr] = fields
			return nil
		})
		if err != nil { // no node could list the nodes
			nodes["cluster"] = nil
		}
	case *redis.Client:
		nodes[rdb.Options().Addr] = fetchInfo(ctx, rdb)
	}
	return nodes
}

// fetchInfo returns nil if the node does not reply.
func fetchInfo(ctx context.Context, node *redis.Client) map[string]string {
	fields, err := redisinfo.Ask(ctx, node)
	if err != nil {
		return nil
	}
	return fields
}

// redisMetric is one line of Redis' INFO as a metric.
type redisMetric struct {
	field string // its name in INFO
	kind  prometheus.ValueType
	parse func(text string) (float64, bool)
	desc  *prometheus.Desc
}

// redisMetrics show whether Redis keeps its promises: memory, persistence, refused clients.
var redisMetrics = []redisMetric{
	newGauge("connected_clients", "connected_clients", "Clients connected to Redis.", parseNumber),
	newGauge("used_memory", "used_memory_bytes", "Memory that Redis uses.", parseNumber),
	newGauge("maxmemory", "maxmemory_bytes", "Memory that Redis may use; 0: no limit.", parseNumber),
	newCounter("evicted_keys", "evicted_keys_total", "Keys evicted because memory was full; audiences may be among them.", parseNumber),
	newCounter("expired_keys", "expired_keys_total", "Keys that expired.", parseNumber),
	newCounter("rejected_connections", "rejected_connections_total", "Connections refused at maxclients.", parseNumber),
	newCounter("total_commands_processed", "commands_total", "Commands processed.", parseNumber),
	newGauge("instantaneous_ops_per_sec", "commands_per_second", "Commands per second, as Redis samples it.", parseNumber),
	newCounter("used_cpu_user", "cpu_user_seconds_total", "CPU time that Redis used for itself.", parseNumber),
	newCounter("used_cpu_sys", "cpu_system_seconds_total", "CPU time that the kernel used for Redis.", parseNumber),
	newGauge("aof_enabled", "aof_enabled", "1 where every write goes to the append-only file.", parseNumber),
	newGauge("aof_last_write_status", "aof_last_write_ok", "1 unless the last write to the append-only file failed.", parseEquals("ok")),
	newGauge("rdb_last_bgsave_status", "rdb_last_save_ok", "1 unless the last snapshot failed.", parseEquals("ok")),
	newGauge("rdb_last_save_time", "rdb_last_save_timestamp_seconds", "Unix time of the last snapshot.", parseNumber),
	newGauge("role", "master", "1 on a master, 0 on a replica.", parseEquals("master")),
	newGauge("connected_slaves", "connected_replicas", "Replicas connected to this node.", parseNumber),
}

func newGauge(field, name, help string, read func(string) (float64, bool)) redisMetric {
	return redisMetric{field, prometheus.GaugeValue, read, newRedisDesc(name, help)}
}

func newCounter(field, name, help string, read func(string) (float64, bool)) redisMetric {
	return redisMetric{field, prometheus.CounterValue, read, newRedisDesc(name, help)}
}

func newRedisDesc(name, help string) *prometheus.Desc {
	return prometheus.NewDesc("fanfare_redis_"+name, help, []string{"node"}, nil)
}

func parseNumber(text string) (float64, bool) {
	n, err := strconv.ParseFloat(text, 64)
	return n, err == nil
}

func parseEquals(word string) func(string) (float64, bool) {
	return func(text string) (float64, bool) {
		if text == word {
			return 1, true
		}
		return 0, true
	}
}
