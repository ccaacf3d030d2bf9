package redisinfo

import (
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"fanfare/test/servers"
)

func TestIdentify(t *testing.T) {
	for name, c := range map[string]struct {
		info    string
		want    string
		mode    string
		support Support
		why     string
	}{
		"redis":                      {"redis_version:7.0.15 redis_mode:standalone", "Redis 7.0.15", "standalone", Tested, ""},
		"valkey":                     {"redis_version:7.2.4 server_name:valkey valkey_version:8.0.1 server_mode:cluster", "Valkey 8.0.1", "cluster", Tested, ""},
		"dragonfly":                  {"redis_version:7.4.0 dragonfly_version:df-v1.25.0 redis_mode:standalone", "Dragonfly v1.25.0", "standalone", Untested, "not tested"},
		"keydb":                      {"redis_version:6.3.4 mvcc_depth:0 executable:/usr/bin/keydb-server redis_mode:standalone", "KeyDB 6.3.4", "standalone", Untested, "not tested"},
		"keydb, by its name alone":   {"redis_version:6.3.4 executable:/usr/bin/keydb-server", "KeyDB 6.3.4", "", Untested, "not tested"},
		"keydb with active replicas": {"redis_version:6.3.4 role:active-replica", "KeyDB 6.3.4", "", Refused, "turn active-replica off"},
		"upstash":                    {"upstash_version:1.12.0 redis_version:6.2.6", "Upstash 1.12.0", "", Untested, "eviction must be off"},
		"elasticache, serverless":    {"redis_version:7.2.4 server_name:valkey valkey_version:8.0.1 server_mode:cluster os:Amazon_ElastiCache", "ElastiCache (Valkey) 8.0.1", "cluster", Refused, "removes keys that have a TTL"},
		"elasticache, serverless, says its policy": {"redis_version:7.1 redis_mode:cluster os:Amazon_ElastiCache maxmemory_policy:volatile-lru", "ElastiCache (Redis) 7.1", "cluster", Refused, "node-based"},
		"elasticache, nodes":                       {"redis_version:7.1.0 redis_mode:cluster os:Amazon_ElastiCache maxmemory:100 maxmemory_policy:noeviction", "ElastiCache (Redis) 7.1.0", "cluster", Untested, "parameter group"},
		"memorydb":                                 {"redis_version:7.1.0 redis_mode:cluster os:Amazon_MemoryDB", "MemoryDB (Redis) 7.1.0", "cluster", Untested, "not tested"},
		"elasticache, serverless, with a limit":    {"redis_version:7.1 redis_mode:cluster os:Amazon_ElastiCache maxmemory:100", "ElastiCache (Redis) 7.1", "cluster", Refused, "node-based"},
		"memorydb that would lose recipients":      {"redis_version:6.3.4 role:active-replica os:Amazon_MemoryDB", "MemoryDB (KeyDB) 6.3.4", "", Refused, ""},
		"nothing":                                  {"", "Redis ", "", Tested, ""},
	} {
		info := make(map[string]string)
		for _, field := range strings.Fields(c.info) {
			key, value, _ := strings.Cut(field, ":")
			info[key] = strings.ReplaceAll(value, "_", " ")
			if key != "os" {
				info[key] = value
			}
		}
		got := Identify(info)
		if got.Name+" "+got.Version != c.want || got.Mode != c.mode || got.Support != c.support || !strings.Contains(got.Why, c.why) {
			t.Errorf("%s: got %+v", name, got)
		}
	}
}

// The servers of the tests are identified by their own names.
func TestIdentifyOfRealServers(t *testing.T) {
	for name, addr := range map[string]string{"Redis": servers.Redis(t), "Valkey": servers.Valkey(t)} {
		rdb := redis.NewClient(&redis.Options{Addr: addr})
		defer rdb.Close()
		info, err := Ask(t.Context(), rdb)
		if err != nil {
			t.Fatal(err)
		}
		if got := Identify(info); got.Name != name || got.Version == "" || got.Mode != "standalone" || got.Support != Tested {
			t.Errorf("%s is taken for %+v", name, got)
		}
	}
}

func TestFieldsOfARealServer(t *testing.T) {
	rdb := redis.NewClient(&redis.Options{Addr: servers.Redis(t)})
	t.Cleanup(func() { _ = rdb.Close() })
	fields, err := Ask(t.Context(), rdb)
	if err != nil {
		t.Fatal(err)
	}
	if fields["role"] != "master" || fields["maxmemory_policy"] == "" || fields["redis_version"] == "" {
		t.Errorf("got %v", fields)
	}
	if _, found := fields["# Server"]; found {
		t.Error("a heading is taken for a field")
	}
}

func TestNoAnswerIsAnError(t *testing.T) {
	rdb := redis.NewClient(&redis.Options{Addr: "127.0.0.1:1"})
	t.Cleanup(func() { _ = rdb.Close() })
	if fields, err := Ask(t.Context(), rdb); err == nil || fields != nil {
		t.Errorf("got %v, %v", fields, err)
	}
}
