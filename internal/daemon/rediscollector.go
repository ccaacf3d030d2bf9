package daemon

import (
	"cmp"
	"context"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"

	"fanfare/internal/redisinfo"
)

// RedisCollectorOptions bound what a scrape asks of Redis.
type RedisCollectorOptions struct {
	Timeout time.Duration // for one round of INFO; default 1 s: a scrape must not wait for a Redis that hangs
	MaxAge  time.Duration // how long one round serves all scrapes; default 5 s
}

// RedisCollector turns every node's INFO into metrics, labelled with the node's address.
type RedisCollector struct {
	ctx  context.Context // of every round: Collect is given none
	rdb  redis.UniversalClient
	opts RedisCollectorOptions

	mu        sync.Mutex
	fetchedAt time.Time
	nodes     map[string]map[string]string // node → field → value; nil fields: no answer
}

var redisUp = newRedisDesc("up", "1 when the node answered.")

// NewRedisCollector makes the collector; when ctx ends it asks no more.
func NewRedisCollector(ctx context.Context, rdb redis.UniversalClient, o RedisCollectorOptions) *RedisCollector {
	o.Timeout = cmp.Or(o.Timeout, time.Second)
	o.MaxAge = cmp.Or(o.MaxAge, 5*time.Second)
	return &RedisCollector{ctx: ctx, rdb: rdb, opts: o}
}

// Describe is part of prometheus.Collector.
func (c *RedisCollector) Describe(out chan<- *prometheus.Desc) {
	out <- redisUp
	for _, figure := range redisMetrics {
		out <- figure.desc
	}
}

// Collect is part of prometheus.Collector.
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

// ask gives the last round while it is fresh; scrapes that come together share one.
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
		if err != nil { // no node could be asked who the nodes are
			nodes["cluster"] = nil
		}
	case *redis.Client:
		nodes[rdb.Options().Addr] = fetchInfo(ctx, rdb)
	}
	return nodes
}

// infoOf is nil where the node does not answer.
func fetchInfo(ctx context.Context, node *redis.Client) map[string]string {
	fields, err := redisinfo.Ask(ctx, node)
	if err != nil {
		return nil
	}
	return fields
}
