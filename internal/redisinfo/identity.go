package redisinfo

import (
	"cmp"
	"path"
	"strings"
)

// Support is how far a server can be relied on; docs/servers.md has the table.
type Support int

// From best to worst.
const (
	Tested   Support = iota // our tests run on it
	Untested                // should work: it speaks the commands that are needed
	Refused                 // would lose recipients
)

// Identity is what a server is, whatever version of Redis it says it speaks.
type Identity struct {
	Name, Version string
	Mode          string // standalone, sentinel or cluster; "" where the server does not say
	Support       Support
	Why           string // of all but Tested
}

// Identify tells servers apart by the fields of their INFO.
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
		id.ofElastiCache(info)
	} else if strings.Contains(os, "MemoryDB") {
		id.Name = "MemoryDB (" + id.Name + ")"
		id.Support, id.Why = max(id.Support, Untested), "MemoryDB is not tested"
	}
	return id
}

// isKeyDB looks for what only KeyDB says; its version is one of Redis.
func isKeyDB(info map[string]string) bool {
	_, mvcc := info["mvcc_depth"]
	return mvcc || info["role"] == "active-replica" || path.Base(info["executable"]) == "keydb-server"
}

// ofElastiCache tells a serverless cache, which always evicts keys that have a TTL and keeps its limit to itself, from nodes, whose
// policy is a parameter.
func (id *Identity) ofElastiCache(info map[string]string) {
	id.Name = "ElastiCache (" + id.Name + ")"
	_, limit := info["maxmemory"]
	if policy := info["maxmemory_policy"]; id.Mode == "cluster" && policy != "noeviction" && (!limit || policy == "") {
		id.Support = Refused
		id.Why = "ElastiCache Serverless removes keys that have a TTL when it is full, audiences among them: use a node-based cluster whose parameter group says maxmemory-policy noeviction, or MemoryDB"
		return
	}
	id.Support, id.Why = Untested, "ElastiCache is not tested; its parameter group must say maxmemory-policy noeviction"
}
