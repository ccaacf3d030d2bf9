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

// server is what one Redis says of itself.
type server struct {
	addr string // "" where there is only one
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
	var mu sync.Mutex // the masters are asked side by side
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

// askInfo asks for INFO. A server without that command, as some providers have it, tells nothing, which is no reason not to start.
// A user who may not run it is refused: without it no one sees whether Redis evicts audiences.
func askInfo(ctx context.Context, server redis.Cmdable) (map[string]string, error) {
	info, err := redisinfo.Ask(ctx, server)
	if redis.HasErrorPrefix(err, "unknown command") {
		return nil, nil
	}
	return info, err
}

// worst is the least good of what the servers give cause for.
func findWorst(servers []server, judge func(info map[string]string) Finding) Finding {
	var found Finding
	for i, s := range servers {
		f := judge(s.info)
		if s.addr != "" && f.Grade != Good {
			f.Detail = s.addr + ": " + f.Detail
		}
		if i == 0 || severity[f.Grade] > severity[found.Grade] {
			found = f
		}
	}
	return found
}

// mode refuses a cluster that the client takes for one server.
func (r Redis) checkMode(info map[string]string) Finding {
	mode := redisinfo.Identify(info).Mode
	f := Finding{Name: "redis mode", Grade: Good, Detail: cmp.Or(mode, notReported)}
	_, known := r.Client.(*redis.ClusterClient)
	if !known && (mode == "cluster" || info["cluster_enabled"] == "1") {
		f.Grade = Failure
		f.Advice = "set redis.mode: cluster; else scripts would write to keys of several slots, which a cluster refuses (CROSSSLOT)"
	}
	return f
}

// version wants a server that is known to keep recipients, with LPOP with a count and SCAN with TYPE: those of Redis 6.2.
func checkVersion(info map[string]string) Finding {
	server, speaks := redisinfo.Identify(info), info["redis_version"]
	f := Finding{Name: "redis version", Grade: Good, Detail: server.Version}
	if server.Name != "Redis" {
		f.Detail = strings.TrimSpace(server.Name + " " + server.Version)
	}
	if speaks != "" && speaks != server.Version {
		f.Detail += ", speaks as Redis " + speaks
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
		f.Advice = "this server has no INFO command; docs/servers.md lists the servers that are known"
	}
	return f
}

// untold is what a finding says where INFO has not its field, as with some providers.
const notReported = "not told by this server"

// fullShare is the share of its memory limit from which on an audience may not fit any more.
const fullShare = 0.8

func checkMemory(info map[string]string) Finding {
	used, _ := strconv.ParseFloat(info["used_memory"], 64)
	limit, _ := strconv.ParseFloat(info["maxmemory"], 64)
	f := Finding{Name: "redis memory", Grade: Good, Detail: mebibytes(used) + " used, no limit set"}
	switch {
	case info["used_memory"] == "":
		f.Grade, f.Detail, f.Advice = Warning, notReported, "look at its memory with the provider's tools"
	case limit > 0:
		f.Detail = fmt.Sprintf("%s of %s used", mebibytes(used), mebibytes(limit))
	}
	if limit > 0 && used > fullShare*limit {
		f.Grade, f.Advice = Warning, "an audience takes some 300 bytes a recipient: make room, or raise maxmemory"
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
		f.Grade, f.Detail, f.Advice = Warning, notReported, "see to it that the provider's setting of maxmemory-policy is noeviction"
	case limit == "0":
		f.Grade, f.Detail = Warning, policy+", but without a memory limit"
		f.Advice = "CONFIG SET maxmemory-policy noeviction, before anybody sets maxmemory"
	default:
		f.Grade = Failure
		f.Advice = "CONFIG SET maxmemory-policy noeviction: under memory pressure this policy deletes audiences"
	}
	return f
}

// persistence tells what a crash of Redis would lose.
func checkPersistence(info map[string]string) Finding {
	f := Finding{Name: "redis persistence", Grade: Good, Detail: "append-only file"}
	switch {
	case info["aof_enabled"] == "":
		f.Grade, f.Detail, f.Advice = Warning, notReported, "see to it that the provider keeps what was written"
	case info["aof_enabled"] == "1" && info["aof_last_write_status"] == "err":
		f.Grade, f.Detail, f.Advice = Failure, "the append-only file cannot be written", "look at the server's disk and log"
	case info["aof_enabled"] == "1":
	case info["rdb_last_bgsave_status"] == "err":
		f.Grade, f.Detail, f.Advice = Failure, "the last snapshot failed", "look at the server's disk and log"
	default:
		f.Grade, f.Detail = Warning, "snapshots at most"
		f.Advice = "CONFIG SET appendonly yes: a crash of Redis would lose what came after the last snapshot"
	}
	return f
}

// replication says what a failover would forget: writes that no replica has are acknowledged all the same, unless
// min-replicas-to-write is set. Recipients whose outcome is forgotten are sent to again.
func checkReplication(info map[string]string) Finding {
	f := Finding{Name: "redis replication", Grade: Good}
	replicas := info["connected_slaves"]
	_, guarded := info["min_slaves_good_slaves"] // it is told only where min-replicas-to-write is set
	switch {
	case info["role"] == "":
		f.Grade, f.Detail = Warning, "not told by this server"
		f.Advice = "if it has replicas, a failover may forget outcomes, and their recipients are sent to again"
	case replicas == "" || replicas == "0":
		f.Detail = "no replicas"
	case guarded:
		f.Detail = fmt.Sprintf("%s connected, and no write without one that keeps up", replicas)
	default:
		f.Grade, f.Detail = Warning, fmt.Sprintf("%s connected, and writes are acknowledged without any of them", replicas)
		f.Advice = "CONFIG SET min-replicas-to-write 1 and min-replicas-max-lag 10, on the replicas too: a failover forgets what no replica has, and those recipients are sent to again"
	}
	return f
}
