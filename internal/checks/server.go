package checks

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/redis/go-redis/v9"

	"fanfare/internal/redisinfo"
)

// server is the INFO of one Redis.
type server struct {
	addr string // "" for a single server
	info map[string]string
}

// askServers asks Redis, or every master of a cluster, for INFO.
func (r Redis) askServers(ctx context.Context) ([]server, error) {
	cluster, isCluster := r.Client.(*redis.ClusterClient)
	if !isCluster {
		info, err := askInfo(ctx, r.Client)
		if err != nil {
			return nil, fmt.Errorf("ask Redis for INFO: %w", err)
		}
		return []server{{info: info}}, nil
	}
	var mu sync.Mutex // the masters are asked concurrently
	var all []server
	err := cluster.ForEachMaster(ctx, func(ctx context.Context, master *redis.Client) error {
		info, err := askInfo(ctx, master)
		if err != nil {
			return fmt.Errorf("ask Redis at %s for INFO: %w", master.Options().Addr, err)
		}
		mu.Lock()
		defer mu.Unlock()
		all = append(all, server{addr: master.Options().Addr, info: info})
		return nil
	})
	slices.SortFunc(all, func(a, b server) int { return strings.Compare(a.addr, b.addr) })
	return all, err
}

// askInfo asks for INFO. Some providers' servers do not have that command, which is no reason not
// to start. A user who may not run it is an error: otherwise no one notices that Redis evicts
// audiences.
func askInfo(ctx context.Context, server redis.Cmdable) (map[string]string, error) {
	info, err := redisinfo.Ask(ctx, server)
	if redis.HasErrorPrefix(err, "unknown command") {
		return nil, nil
	}
	return info, err
}

// findWorst returns the worst finding of all servers.
func findWorst(servers []server, check func(info map[string]string) Finding) Finding {
	var found Finding
	for i, s := range servers {
		f := check(s.info)
		if s.addr != "" && f.Grade != Good {
			f.Detail = s.addr + ": " + f.Detail
		}
		if i == 0 || severity[f.Grade] > severity[found.Grade] {
			found = f
		}
	}
	return found
}

// checkMode fails for a cluster that the client takes for a single server.
func (r Redis) checkMode(info map[string]string) Finding {
	mode := redisinfo.Identify(info).Mode
	f := Finding{Name: "redis mode", Grade: Good, Detail: cmp.Or(mode, notReported)}
	_, known := r.Client.(*redis.ClusterClient)
	if !known && (mode == "cluster" || info["cluster_enabled"] == "1") {
		f.Grade = Failure
		f.Advice = "set redis.mode: cluster; otherwise scripts write to keys of several slots, which a cluster refuses (CROSSSLOT)"
	}
	return f
}

// checkVersion requires a server that is known to keep recipients. It must have LPOP with a count
// and SCAN with TYPE, as Redis 6.2 does.
func checkVersion(info map[string]string) Finding {
	server, speaks := redisinfo.Identify(info), info["redis_version"]
	f := Finding{Name: "redis version", Grade: Good, Detail: server.Version}
	if server.Name != "Redis" {
		f.Detail = strings.TrimSpace(server.Name + " " + server.Version)
	}
	if speaks != "" && speaks != server.Version {
		f.Detail += ", compatible with Redis " + speaks
	}
	var major, minor int
	n, _ := fmt.Sscanf(speaks, "%d.%d", &major, &minor)
	switch {
	case server.Support == redisinfo.Refused:
		f.Grade, f.Advice = Failure, server.Why
	case n == 2 && (major < 6 || major == 6 && minor < 2):
		f.Grade, f.Advice = Failure, "upgrade to Redis 6.2 or later"
	case server.Support == redisinfo.Untested:
		f.Grade, f.Advice = Warning, server.Why+"; see docs/servers.md"
	case n < 2:
		f.Grade, f.Detail = Warning, notReported
		f.Advice = "this server has no INFO command; docs/servers.md lists the known servers"
	}
	return f
}

// notReported is the detail of a finding whose INFO field is missing, as with some providers.
const notReported = "not reported by this server"

// fullShare is the used share of the memory limit above which an audience may not fit.
const fullShare = 0.8

func checkMemory(info map[string]string) Finding {
	used, _ := strconv.ParseFloat(info["used_memory"], 64)
	limit, _ := strconv.ParseFloat(info["maxmemory"], 64)
	f := Finding{Name: "redis memory", Grade: Good, Detail: mebibytes(used) + " used, no limit set"}
	switch {
	case info["used_memory"] == "":
		f.Grade, f.Detail, f.Advice = Warning, notReported, "check its memory with the provider's tools"
	case limit > 0:
		f.Detail = fmt.Sprintf("%s of %s used", mebibytes(used), mebibytes(limit))
	}
	if limit > 0 && used > fullShare*limit {
		f.Grade, f.Advice = Warning, "an audience takes about 300 bytes per recipient; free memory or raise maxmemory"
	}
	return f
}

func mebibytes(bytes float64) string { return fmt.Sprintf("%.0f MiB", bytes/(1<<20)) }

func checkEviction(info map[string]string) Finding {
	policy, limit := info["maxmemory_policy"], info["maxmemory"]
	f := Finding{Name: "redis eviction", Grade: Good, Detail: policy}
	switch {
	case policy == "noeviction":
	case policy == "":
		f.Grade, f.Detail, f.Advice = Warning, notReported, "make sure that the provider sets maxmemory-policy to noeviction"
	case limit == "0":
		f.Grade, f.Detail = Warning, policy+", but without a memory limit"
		f.Advice = "CONFIG SET maxmemory-policy noeviction before anyone sets maxmemory"
	default:
		f.Grade = Failure
		f.Advice = "CONFIG SET maxmemory-policy noeviction; under memory pressure this policy deletes audiences"
	}
	return f
}

// checkPersistence says what a crash of Redis would lose.
func checkPersistence(info map[string]string) Finding {
	f := Finding{Name: "redis persistence", Grade: Good, Detail: "append-only file"}
	switch {
	case info["aof_enabled"] == "":
		f.Grade, f.Detail, f.Advice = Warning, notReported, "make sure that the provider persists writes"
	case info["aof_enabled"] == "1" && info["aof_last_write_status"] == "err":
		f.Grade, f.Detail, f.Advice = Failure, "the append-only file cannot be written", "check the server's disk and log"
	case info["aof_enabled"] == "1":
	case info["rdb_last_bgsave_status"] == "err":
		f.Grade, f.Detail, f.Advice = Failure, "the last snapshot failed", "check the server's disk and log"
	default:
		f.Grade, f.Detail = Warning, "snapshots only"
		f.Advice = "CONFIG SET appendonly yes; otherwise a crash of Redis loses everything since the last snapshot"
	}
	return f
}

// checkReplication says what a failover would lose. Redis acknowledges writes that no replica has,
// unless min-replicas-to-write is set. Recipients whose outcome is lost get the message again.
func checkReplication(info map[string]string) Finding {
	f := Finding{Name: "redis replication", Grade: Good}
	replicas := info["connected_slaves"]
	_, guarded := info["min_slaves_good_slaves"] // present only if min-replicas-to-write is set
	switch {
	case info["role"] == "":
		f.Grade, f.Detail = Warning, "not reported by this server"
		f.Advice = "if it has replicas, a failover may lose outcomes, and their recipients get the message again"
	case replicas == "" || replicas == "0":
		f.Detail = "no replicas"
	case guarded:
		f.Detail = fmt.Sprintf("%s connected; a write needs one that keeps up", replicas)
	default:
		f.Grade, f.Detail = Warning, fmt.Sprintf("%s connected; writes are acknowledged without them", replicas)
		f.Advice = "CONFIG SET min-replicas-to-write 1 and min-replicas-max-lag 10, on the replicas too; a failover loses what no replica has, and those recipients get the message again"
	}
	return f
}
