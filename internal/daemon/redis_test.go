package daemon

import (
	"crypto/tls"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"fanfare/test/servers"
)

func openRedis(t *testing.T, o RedisOptions) redis.UniversalClient {
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
	return openRedis(t, o).Ping(t.Context()).Err()
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

// A stale REDIS_DB or REDIS_PASSWORD must not leak into the URL's connection.
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
	second := openRedis(t, RedisOptions{URL: "unix://" + socket + "?db=2"})
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
		rdb := openRedis(t, o)
		for _, key := range []string{"a", "b", "c", "d"} { // slots of all three nodes
			if err := rdb.Set(t.Context(), key, 1, 0).Err(); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	nodes := gather(t, openRedis(t, RedisOptions{Mode: RedisCluster, Addresses: addrs}), RedisCollectorOptions{})
	for _, addr := range addrs {
		if nodes["fanfare_redis_up"][addr] != 1 || nodes["fanfare_redis_master"][addr] != 1 {
			t.Errorf("no figures of %s: %v", addr, nodes["fanfare_redis_up"])
		}
	}
}

func TestSentinel(t *testing.T) {
	master := servers.Redis(t)
	sentinel := startSentinel(t, "fanfare-master", master)
	rdb := openRedis(t, RedisOptions{Mode: RedisSentinel, Addresses: []string{sentinel}, SentinelMaster: "fanfare-master"})
	if err := rdb.Set(t.Context(), "campaign", "42", 0).Err(); err != nil {
		t.Fatal(err)
	}
	host, port, err := net.SplitHostPort(master)
	if err != nil {
		t.Fatal(err)
	}
	direct := openRedis(t, RedisOptions{URL: "redis://" + net.JoinHostPort(host, port)})
	if got := direct.Get(t.Context(), "campaign").Val(); got != "42" {
		t.Errorf("the master holds %q", got)
	}
}

func TestEveryCommandHasTimeoutsAndRetries(t *testing.T) {
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
		"sentinel without master": {RedisOptions{Mode: RedisSentinel, Addresses: []string{"a:1"}}, "sentinel_master"},
		"url and addresses":       {RedisOptions{Mode: RedisCluster, URL: "redis://h", Addresses: []string{"a:1"}}, "not both"},
		"mode":                    {RedisOptions{Mode: "ring", Host: "h"}, `"ring"`},
		"authority":               {RedisOptions{Host: "h", TLS: RedisTLS{Enabled: true, CAFile: "/none/ca.pem"}}, "/none/ca.pem"},
		"not a certificate":       {RedisOptions{Host: "h", TLS: RedisTLS{Enabled: true, CAFile: "redis_test.go"}}, "no certificate in redis_test.go"},
		"our certificate":         {RedisOptions{Host: "h", TLS: RedisTLS{Enabled: true, CertFile: "/none/c.pem", KeyFile: "/none/k.pem"}}, "load client certificate"},
	} {
		_, err := OpenRedis(c.o)
		if ExitCode(err) != ExitUsage || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: code %d, %v", name, ExitCode(err), err)
		}
	}
}

func TestTLS(t *testing.T) {
	theirs, ours := servers.NewCertificate(t, "redis.test"), servers.NewCertificate(t, "redis.test")
	server, err := miniredis.RunTLS(&tls.Config{
		Certificates: []tls.Certificate{theirs.Pair}, ClientCAs: ours.Pool, ClientAuth: tls.RequireAndVerifyClientCert,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	known := RedisTLS{Enabled: true, CAFile: theirs.CertFile, CertFile: ours.CertFile, KeyFile: ours.KeyFile}
	for name, c := range map[string]struct {
		change func(*RedisTLS)
		well   bool
	}{
		"known authority, own certificate": {func(*RedisTLS) {}, true},
		"name in the certificate":          {func(o *RedisTLS) { o.ServerName = "redis.test" }, true},
		"another name":                     {func(o *RedisTLS) { o.ServerName = "other.test" }, false},
		"authority of someone else":        {func(o *RedisTLS) { o.CAFile = ours.CertFile }, false},
		"the system's authorities":         {func(o *RedisTLS) { o.CAFile = "" }, false},
		"no certificate of our own":        {func(o *RedisTLS) { o.CertFile, o.KeyFile = "", "" }, false},
		"no TLS":                           {func(o *RedisTLS) { o.Enabled = false }, false},
	} {
		t.Run(name, func(t *testing.T) {
			options := known
			c.change(&options)
			err := ping(t, RedisOptions{Host: server.Host(), Port: server.Server().Addr().Port, TLS: options})
			if (err == nil) != c.well {
				t.Errorf("got %v", err)
			}
		})
	}
	if err := ping(t, RedisOptions{URL: "rediss://" + server.Addr(), TLS: RedisTLS{CAFile: known.CAFile, CertFile: known.CertFile, KeyFile: known.KeyFile}}); err != nil {
		t.Errorf("rediss:// with certificates: %v", err)
	}
}

// startSentinel starts one sentinel for the master, and returns its address once it replies.
func startSentinel(t *testing.T, name, master string) string {
	t.Helper()
	host, port, err := net.SplitHostPort(master)
	if err != nil {
		t.Fatal(err)
	}
	var config net.ListenConfig
	free, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := free.Addr().(*net.TCPAddr)
	if err := free.Close(); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "sentinel.conf")
	settings := fmt.Sprintf("port %d\nbind 127.0.0.1\nsentinel monitor %s %s %s 1\n", addr.Port, name, host, port)
	if err := os.WriteFile(file, []byte(settings), 0o600); err != nil {
		t.Fatal(err)
	}
	sentinel := exec.CommandContext(t.Context(), "redis-server", file, "--sentinel")
	if err := sentinel.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = sentinel.Wait() }) // the end of t.Context has killed it

	client := redis.NewSentinelClient(&redis.Options{Addr: addr.String()})
	defer func() { _ = client.Close() }()
	err = servers.Await(t.Context(), func() (bool, error) {
		return client.GetMasterAddrByName(t.Context(), name).Err() == nil, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return addr.String()
}
