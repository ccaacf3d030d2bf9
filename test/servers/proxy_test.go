package servers_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"
	"go.uber.org/goleak"

	"fanfare/test/servers"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func connect(t *testing.T, addr string, retries int) *redis.Client {
	t.Helper()
	rdb := redis.NewClient(&redis.Options{Addr: addr, MaxRetries: retries, MinRetryBackoff: -1})
	t.Cleanup(func() { _ = rdb.Close() })
	return rdb
}

func pushes(command []string) bool { return strings.EqualFold(command[0], "rpush") }

// The server executed the command before the reply was lost, so a client that repeats it adds the
// element twice.
func TestProxyLosesTheReplyOfAnExecutedCommand(t *testing.T) {
	proxy := servers.NewProxy(t, servers.Redis(t))
	once, repeating := connect(t, proxy.Addr(), -1), connect(t, proxy.Addr(), 3)

	proxy.Lose(pushes, servers.Nth(2))
	for i, wantErr := range []bool{false, true, false} {
		if err := once.RPush(t.Context(), "k", i).Err(); (err != nil) != wantErr {
			t.Fatalf("push %d: error %v, want one: %t", i, err, wantErr)
		}
	}
	if got := once.LLen(t.Context(), "k").Val(); got != 3 {
		t.Errorf("%d elements are in the list, want all 3: the lost reply was of an executed command", got)
	}

	proxy.Lose(pushes, servers.Nth(1))
	if err := repeating.RPush(t.Context(), "doubled", "x").Err(); err != nil {
		t.Fatalf("repeated push: %v", err)
	}
	if got := once.LLen(t.Context(), "doubled").Val(); got != 2 {
		t.Errorf("%d elements after a repeated push, want 2", got)
	}
	if seen, lost := proxy.CountMatches(); seen != 2 || lost != 1 {
		t.Errorf("proxy saw %d commands and lost %d replies, want 2 and 1", seen, lost)
	}
}

// A command with an unknown script did nothing, so its reply is not the one to lose.
func TestProxyLosesTheReplyOfAScriptThatRan(t *testing.T) {
	proxy := servers.NewProxy(t, servers.Redis(t))
	rdb := connect(t, proxy.Addr(), 3)
	script := redis.NewScript("return redis.call('RPUSH', KEYS[1], 'x')")
	proxy.Lose(servers.IsScript, func(n int, _ []string) bool { return n <= 4 })
	if err := script.Run(t.Context(), rdb, []string{"k"}).Err(); err == nil {
		t.Error("no error although every reply is lost")
	}
	proxy.Lose(nil, nil)
	if got := rdb.LLen(t.Context(), "k").Val(); got != 4 {
		t.Errorf("the script ran %d times, want once for each attempt", got)
	}
}

// Replies of every kind pass unchanged, in RESP2 and RESP3.
func TestProxyPassesEveryKindOfReply(t *testing.T) {
	addr := servers.Redis(t)
	proxy := servers.NewProxy(t, addr)
	for _, protocol := range []int{2, 3} {
		direct := redis.NewClient(&redis.Options{Addr: addr, Protocol: protocol})
		t.Cleanup(func() { _ = direct.Close() })
		proxied := redis.NewClient(&redis.Options{Addr: proxy.Addr(), Protocol: protocol})
		t.Cleanup(func() { _ = proxied.Close() })
		for _, command := range [][]any{
			{"SET", "s", "line\r\nline"}, {"SET", "empty", ""}, {"HSET", "h", "a", "1", "b", "2"},
			{"ZADD", "z", "1.5", "m"}, {"SADD", "set", "x"},
		} {
			if err := direct.Do(t.Context(), command...).Err(); err != nil {
				t.Fatalf("%v: %v", command, err)
			}
		}
		for _, command := range [][]any{
			{"PING"}, {"GET", "s"}, {"GET", "empty"}, {"GET", "absent"}, {"STRLEN", "s"}, {"INCR", "s"}, {"HGETALL", "h"},
			{"ZRANGE", "z", "0", "-1", "WITHSCORES"}, {"SMEMBERS", "set"}, {"LRANGE", "absent", "0", "-1"},
			{"EVAL", "return {1, {2, {3, 'x'}}, false}", "0"},
		} {
			got, gotErr := proxied.Do(t.Context(), command...).Result()
			want, wantErr := direct.Do(t.Context(), command...).Result()
			if fmt.Sprint(got, gotErr) != fmt.Sprint(want, wantErr) {
				t.Errorf("RESP%d %v: %v (%v), want %v (%v)", protocol, command, got, gotErr, want, wantErr)
			}
		}
	}
}

func TestClusterServesEverySlot(t *testing.T) {
	rdb := redis.NewClusterClient(&redis.ClusterOptions{Addrs: servers.RedisCluster(t)})
	t.Cleanup(func() { _ = rdb.Close() })
	masters := map[string]bool{}
	for i := range 100 {
		key := fmt.Sprintf("k%d", i)
		if err := rdb.Set(t.Context(), key, i, 0).Err(); err != nil {
			t.Fatalf("set %s: %v", key, err)
		}
		master, err := rdb.MasterForKey(t.Context(), key)
		if err != nil {
			t.Fatalf("master of %s: %v", key, err)
		}
		masters[master.Options().Addr] = true
	}
	if len(masters) != 3 {
		t.Errorf("keys are on %d masters, want 3", len(masters))
	}
}
