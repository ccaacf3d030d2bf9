package daemon

import (
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
)

// redisFigure is one line of Redis' INFO as a metric.
type redisFigure struct {
	field string // as INFO calls it
	kind  prometheus.ValueType
	read  func(text string) (float64, bool)
	desc  *prometheus.Desc
}

// redisFigures are what tells an operator whether Redis keeps its promises: room, persistence, refused clients.
var redisFigures = []redisFigure{
	gauge("connected_clients", "connected_clients", "Clients connected to Redis.", number),
	gauge("used_memory", "used_memory_bytes", "Memory that Redis uses.", number),
	gauge("maxmemory", "maxmemory_bytes", "Memory that Redis may use; 0: no limit.", number),
	counter("evicted_keys", "evicted_keys_total", "Keys thrown away for want of memory; audiences may be among them.", number),
	counter("expired_keys", "expired_keys_total", "Keys whose time was over.", number),
	counter("rejected_connections", "rejected_connections_total", "Connections refused at maxclients.", number),
	counter("total_commands_processed", "commands_total", "Commands processed.", number),
	gauge("instantaneous_ops_per_sec", "commands_per_second", "Commands a second, as Redis samples it.", number),
	counter("used_cpu_user", "cpu_user_seconds_total", "CPU time that Redis used for itself.", number),
	counter("used_cpu_sys", "cpu_system_seconds_total", "CPU time that the kernel used for Redis.", number),
	gauge("aof_enabled", "aof_enabled", "1 where every write goes to the append-only file.", number),
	gauge("aof_last_write_status", "aof_last_write_ok", "1 unless the last write to the append-only file failed.", equals("ok")),
	gauge("rdb_last_bgsave_status", "rdb_last_save_ok", "1 unless the last snapshot failed.", equals("ok")),
	gauge("rdb_last_save_time", "rdb_last_save_timestamp_seconds", "When the last snapshot was made, in Unix time.", number),
	gauge("role", "master", "1 on a master, 0 on a replica.", equals("master")),
	gauge("connected_slaves", "connected_replicas", "Replicas connected to this node.", number),
}

func gauge(field, name, help string, read func(string) (float64, bool)) redisFigure {
	return redisFigure{field, prometheus.GaugeValue, read, redisDesc(name, help)}
}

func counter(field, name, help string, read func(string) (float64, bool)) redisFigure {
	return redisFigure{field, prometheus.CounterValue, read, redisDesc(name, help)}
}

func redisDesc(name, help string) *prometheus.Desc {
	return prometheus.NewDesc("fanfare_redis_"+name, help, []string{"node"}, nil)
}

func number(text string) (float64, bool) {
	n, err := strconv.ParseFloat(text, 64)
	return n, err == nil
}

func equals(word string) func(string) (float64, bool) {
	return func(text string) (float64, bool) {
		if text == word {
			return 1, true
		}
		return 0, true
	}
}
