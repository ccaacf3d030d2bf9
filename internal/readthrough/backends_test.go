package readthrough_test

import (
	"testing"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
	"go.uber.org/goleak"

	"fanfare/test/servers"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestConformance holds every kind of Redis to the same laws.
func TestConformance(t *testing.T) {
	t.Run("miniredis", func(t *testing.T) {
		conform(t, connect(t, miniredis.RunT(t).Addr()))
	})
	t.Run("redis", func(t *testing.T) {
		conform(t, connect(t, servers.Redis(t)))
	})
	t.Run("cluster", func(t *testing.T) {
		rdb := redis.NewClusterClient(&redis.ClusterOptions{Addrs: servers.RedisCluster(t)})
		t.Cleanup(func() { _ = rdb.Close() })
		conform(t, rdb)
	})
}

func connect(t *testing.T, addr string) *redis.Client {
	rdb := redis.NewClient(&redis.Options{Addr: addr, MaxRetries: -1})
	t.Cleanup(func() { _ = rdb.Close() })
	return rdb
}

func conform(t *testing.T, rdb redis.UniversalClient) {
	for name, law := range map[string]func(*rig){
		"the source is asked once for all that Redis misses": askedOnce,
		"an unknown id is marked":                            unknownIsMarked,
		"expiries are spread":                                expiriesAreSpread,
		"what was stored meanwhile wins":                     storedMeanwhileWins,
		"a text marked as wrong is ignored":                  wrongIsIgnored,
		"a text marked as wrong meanwhile is taken out":      wrongMeanwhileIsTakenOut,
		"what cannot be read is replaced":                    unreadableIsReplaced,
		"a key of another type spoils nobody":                otherTypeSpoilsNobody,
		"a key of another type is told of":                   otherTypeIsToldOf,
		"a silent source leaves the known":                   silentSourceLeavesTheKnown,
		"without a source Redis alone answers":               redisAlone,
	} {
		t.Run(name, func(t *testing.T) { law(newRig(t, rdb)) })
	}
}
