package daemon

import (
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"fanfare/test/servers"
)

func open(t *testing.T, o RedisOptions) redis.UniversalClient {
	t.Helper()
	rdb, err := OpenRedis(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = rdb.Close() })
	return rdb
}

func ping(t *testing.T, o RedisOptions) error {
	t.Helper()
	return open(t, o).Ping(t.Context()).Err()
}

func TestStandaloneWithACLUser(t *testing.T) {
	server := miniredis.RunT(t)
	server.RequireUserAuth("fanfare", "p@ss:word/")
	withHost := RedisOptions{Host: server.Host(), Port: server.Server().Addr().Port, Username: "fanfare", Password: "p@ss:word/", DB: 3}
	if err := ping(t, withHost); err != nil {
		t.Errorf("by host: %v", err)
	}
	if err := ping(t, RedisOptions{URL: "redis://fanfare:p%40ss%3Aword%2F@" + server.Addr() + "/3"}); err != nil {
		t.Errorf("by url: %v", err)
	}
	withHost.Password = "wrong"
	if err := ping(t, withHost); err == nil {
		t.Error("a wrong password was accepted")
	}
}

// TestURLIsTheWholeAddress keeps a stale REDIS_DB or REDIS_PASSWORD from leaking into it.
func TestURLIsTheWholeAddress(t *testing.T) {
	universal, err := RedisOptions{URL: "rediss://h:7000/2", Host: "other", Port: 1, Username: "u", Password: "p", DB: 9}.clientOptions()
	if err != nil {
		t.Fatal(err)
	}
	if got := universal.Addrs[0]; got != "h:7000" || universal.DB != 2 || universal.Username != "" || universal.Password != "" {
		t.Errorf("goes to %s, database %d, as %q", got, universal.DB, universal.Username)
	}
	if universal.TLSConfig == nil || universal.TLSConfig.ServerName != "h" {
		t.Error("rediss:// does not speak TLS to that host")
	}
	named, err := RedisOptions{URL: "rediss://h:7000", TLS: RedisTLS{ServerName: "redis.test"}}.clientOptions()
	if err != nil || named.TLSConfig.ServerName != "redis.test" {
		t.Errorf("the certificate's name of the settings is lost: %v", err)
	}
}

func TestUnixSocket(t *testing.T) {
	socket := t.TempDir() + "/redis.sock"
	servers.Redis(t, "--unixsocket", socket)
	if err := ping(t, RedisOptions{URL: "unix://" + socket}); err != nil {
		t.Error(err)
	}
	second := open(t, RedisOptions{URL: "unix://" + socket + "?db=2"})
	if info, err := second.ClientInfo(t.Context()).Result(); err != nil || info.DB != 2 {
		t.Errorf("with a database: %+v, %v", info, err)
	}
}

func TestCluster(t *testing.T) {
	addrs := servers.RedisCluster(t)
	for name, o := range map[string]RedisOptions{
		"addresses": {Mode: RedisCluster, Addresses: addrs[:1]},
		"url":       {Mode: RedisCluster, URL: "redis://" + addrs[0]},
	} {
		rdb := open(t, o)
		for _, key := range []string{"a", "b", "c", "d"} { // slots of all three nodes
			if err := rdb.Set(t.Context(), key, 1, 0).Err(); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	nodes := gather(t, open(t, RedisOptions{Mode: RedisCluster, Addresses: addrs}), RedisCollectorOptions{})
	for _, addr := range addrs {
		if nodes["fanfare_redis_up"][addr] != 1 || nodes["fanfare_redis_master"][addr] != 1 {
			t.Errorf("no figures of %s: %v", addr, nodes["fanfare_redis_up"])
		}
	}
}

func TestSentinel(t *testing.T) {
	master := servers.Redis(t)
	sentinel := startSentinel(t, "fanfare-master", master)
	rdb := open(t, RedisOptions{Mode: RedisSentinel, Addresses: []string{sentinel}, SentinelMaster: "fanfare-master"})
	if err := rdb.Set(t.Context(), "campaign", "42", 0).Err(); err != nil {
		t.Fatal(err)
	}
	host, port, err := net.SplitHostPort(master)
	if err != nil {
		t.Fatal(err)
	}
	direct := open(t, RedisOptions{URL: "redis://" + net.JoinHostPort(host, port)})
	if got := direct.Get(t.Context(), "campaign").Val(); got != "42" {
		t.Errorf("the master holds %q", got)
	}
}

func TestEveryCommandHasDeadlinesAndIsRepeated(t *testing.T) {
	universal, err := RedisOptions{
		Mode: RedisSentinel, Addresses: []string{"h:1"}, SentinelMaster: "m", ClientName: "c",
		Username: "u", Password: "p", SentinelUsername: "su", SentinelPassword: "sp", DB: 3, PoolSize: 4, MinIdle: 5,
		DialTimeout: 6 * time.Second, ReadTimeout: 7 * time.Second, WriteTimeout: 8 * time.Second,
	}.clientOptions()
	if err != nil {
		t.Fatal(err)
	}
	if universal.MaxRetries != 3 || !universal.ContextTimeoutEnabled {
		t.Errorf("retries %d, context deadlines %v", universal.MaxRetries, universal.ContextTimeoutEnabled)
	}
	u := universal
	got := fmt.Sprint(u.Addrs, u.MasterName, u.ClientName, u.Username, u.Password, u.SentinelUsername, u.SentinelPassword,
		u.DB, u.PoolSize, u.MinIdleConns, u.DialTimeout, u.ReadTimeout, u.WriteTimeout)
	if want := fmt.Sprint([]string{"h:1"}, "m", "c", "u", "p", "su", "sp", 3, 4, 5, 6*time.Second, 7*time.Second, 8*time.Second); got != want {
		t.Errorf("the client is given %s, want %s", got, want)
	}
}

func TestWrongRedisOptionsAreAUsageError(t *testing.T) {
	for name, c := range map[string]struct {
		o    RedisOptions
		want string
	}{
		"scheme":                  {RedisOptions{URL: "http://u:hunter2@h"}, "redis://"},
		"special characters":      {RedisOptions{URL: "redis://u:hunter2%zz@h"}, "%XX"},
		"parameters":              {RedisOptions{URL: "redis://h?password=hunter2"}, "parameters"},
		"parameters of a socket":  {RedisOptions{URL: "unix:///s?db=2&password=hunter2"}, "parameters"},
		"database":                {RedisOptions{URL: "redis://u:hunter2@h/abc"}, "a number as database"},
		"sentinel without master": {RedisOptions{Mode: RedisSentinel, Addresses: []string{"a:1"}}, "master's name"},
		"url and addresses":       {RedisOptions{Mode: RedisCluster, URL: "redis://h", Addresses: []string{"a:1"}}, "exclude each other"},
		"mode":                    {RedisOptions{Mode: "ring", Host: "h"}, `"ring"`},
		"authority":               {RedisOptions{Host: "h", TLS: RedisTLS{Enabled: true, CAFile: "/none/ca.pem"}}, "/none/ca.pem"},
		"not a certificate":       {RedisOptions{Host: "h", TLS: RedisTLS{Enabled: true, CAFile: "redis_test.go"}}, "no certificate in redis_test.go"},
		"our certificate":         {RedisOptions{Host: "h", TLS: RedisTLS{Enabled: true, CertFile: "/none/c.pem", KeyFile: "/none/k.pem"}}, "load our certificate"},
	} {
		_, err := OpenRedis(c.o)
		if ExitCode(err) != ExitUsage || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: code %d, %v", name, ExitCode(err), err)
		}
	}
}
