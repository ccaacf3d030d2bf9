package daemon

import (
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
)

// redisFigure is one line of Redis' INFO as a metric.
type redisMetric struct {
	field string // as INFO calls it
	kind  prometheus.ValueType
	parse func(text string) (float64, bool)
	desc  *prometheus.Desc
}

// redisFigures are what tells an operator whether Redis keeps its promises: room, persistence, refused clients.
var redisMetrics = []redisMetric{
	newGauge("connected_clients", "connected_clients", "Clients connected to Redis.", parseNumber),
	newGauge("used_memory", "used_memory_bytes", "Memory that Redis uses.", parseNumber),
	newGauge("maxmemory", "maxmemory_bytes", "Memory that Redis may use; 0: no limit.", parseNumber),
	newCounter("evicted_keys", "evicted_keys_total", "Keys thrown away for want of memory; audiences may be among them.", parseNumber),
	newCounter("expired_keys", "expired_keys_total", "Keys whose time was over.", parseNumber),
	newCounter("rejected_connections", "rejected_connections_total", "Connections refused at maxclients.", parseNumber),
	newCounter("total_commands_processed", "commands_total", "Commands processed.", parseNumber),
	newGauge("instantaneous_ops_per_sec", "commands_per_second", "Commands a second, as Redis samples it.", parseNumber),
	newCounter("used_cpu_user", "cpu_user_seconds_total", "CPU time that Redis used for itself.", parseNumber),
	newCounter("used_cpu_sys", "cpu_system_seconds_total", "CPU time that the kernel used for Redis.", parseNumber),
	newGauge("aof_enabled", "aof_enabled", "1 where every write goes to the append-only file.", parseNumber),
	newGauge("aof_last_write_status", "aof_last_write_ok", "1 unless the last write to the append-only file failed.", parseEquals("ok")),
	newGauge("rdb_last_bgsave_status", "rdb_last_save_ok", "1 unless the last snapshot failed.", parseEquals("ok")),
	newGauge("rdb_last_save_time", "rdb_last_save_timestamp_seconds", "When the last snapshot was made, in Unix time.", parseNumber),
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
