// Package redisinfo reads the INFO of a Redis server for metrics and checks, and identifies the
// server.
package redisinfo

import (
	"cmp"
	"context"
	"path"
	"strings"

	"github.com/redis/go-redis/v9"
)

// Ask returns the fields of a server's INFO.
func Ask(ctx context.Context, server redis.Cmdable) (map[string]string, error) {
	text, err := server.Info(ctx).Result()
	if err != nil {
		return nil, err
	}
	fields := make(map[string]string)
	for line := range strings.Lines(text) {
		if name, value, found := strings.Cut(strings.TrimSpace(line), ":"); found {
			fields[name] = value
		}
	}
	return fields, nil
}

// Support is how much Fanfare can rely on a server; docs/servers.md has the table.
type Support int

// The levels of support, from best to worst.
const (
	Tested   Support = iota // the tests run on it
	Untested                // should work, because it has the commands that Fanfare needs
	Refused                 // would lose recipients
)

// Identity is what a server really is, whatever version of Redis it reports.
type Identity struct {
	Name, Version string
	Mode          string // standalone, sentinel or cluster; "" if unknown
	Support       Support
	Why           string // the reason, unless Support is Tested
}

// Identify identifies a server by the fields of its INFO.
func Identify(info map[string]string) Identity {
	id := Identity{Name: "Redis", Version: info["redis_version"], Mode: cmp.Or(info["redis_mode"], info["server_mode"])}
	switch {
	case info["dragonfly_version"] != "":
		id.Name, id.Version = "Dragonfly", strings.TrimPrefix(info["dragonfly_version"], "df-")
		id.Support, id.Why = Untested, "Dragonfly is not tested"
	case info["upstash_version"] != "":
		id.Name, id.Version = "Upstash", info["upstash_version"]
		id.Support, id.Why = Untested, "Upstash is not tested; eviction must be off for the database"
	case info["garnet_version"] != "":
		id.Name, id.Version = "Garnet", info["garnet_version"]
		id.Support, id.Why = Untested, "Garnet is not tested; it must be started with --lua"
	case isKeyDB(info):
		id.Name = "KeyDB"
		id.Support, id.Why = Untested, "KeyDB is not tested"
		if info["role"] == "active-replica" {
			id.Support, id.Why = Refused, "active replicas of KeyDB accept writes side by side, and a recipient would be claimed on both: turn active-replica off"
		}
	case info["valkey_version"] != "":
		id.Name, id.Version = "Valkey", info["valkey_version"]
	}
	if os := info["os"]; strings.Contains(os, "ElastiCache") {
		id.identifyElastiCache(info)
	} else if strings.Contains(os, "MemoryDB") {
		id.Name = "MemoryDB (" + id.Name + ")"
		id.Support, id.Why = max(id.Support, Untested), "MemoryDB is not tested"
	}
	return id
}

// isKeyDB reports whether a field of INFO is specific to KeyDB, whose version looks like one of
// Redis.
func isKeyDB(info map[string]string) bool {
	_, mvcc := info["mvcc_depth"]
	return mvcc || info["role"] == "active-replica" || path.Base(info["executable"]) == "keydb-server"
}

// identifyElastiCache distinguishes a serverless cache from nodes. A serverless cache evicts keys
// that have a TTL and does not report its limit. The eviction policy of nodes is a parameter.
func (id *Identity) identifyElastiCache(info map[string]string) {
	id.Name = "ElastiCache (" + id.Name + ")"
	_, limit := info["maxmemory"]
	if policy := info["maxmemory_policy"]; id.Mode == "cluster" && policy != "noeviction" && (!limit || policy == "") {
		id.Support = Refused
		id.Why = "ElastiCache Serverless removes keys that have a TTL when it is full, audiences among them: use a node-based cluster whose parameter group says maxmemory-policy noeviction, or MemoryDB"
		return
	}
	id.Support, id.Why = Untested, "ElastiCache is not tested; its parameter group must say maxmemory-policy noeviction"
}
