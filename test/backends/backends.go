// Package backends runs one suite of tests on every kind of Redis that Fanfare supports, and on
// miniredis. A room lists its cases; this package starts the servers and the clients.
package backends

import (
	"context"
	"net"
	"strings"
	"testing"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"fanfare/test/servers"
)

// Cluster is the Name of a Redis Cluster, for cases that need slots.
const Cluster = "cluster"

// Backend is a server, or a cluster, with two clients. All of it ends with the test that opened it.
type Backend struct {
	Name string
	// Redis is reliable.
	Redis redis.UniversalClient
	// Lossy goes through proxies, which lose the replies that Lose names.
	Lossy redis.UniversalClient
	// Attempts is how often the lossy client sends a command that never gets a reply.
	Attempts int

	proxies []*servers.Proxy
}

// Suite is what every back end must pass.
type Suite []struct {
	Name string
	Test func(*testing.T, *Backend)
}

// Run runs a suite on each back end, one case after the other.
func Run(t *testing.T, suite Suite) {
	t.Helper()
	Each(t, func(t *testing.T, b *Backend) {
		for _, c := range suite {
			t.Run(c.Name, func(t *testing.T) { c.Test(t, b) })
		}
	})
}

// Each runs a test on every back end. The back ends share nothing, so they run side by side.
func Each(t *testing.T, test func(*testing.T, *Backend)) {
	t.Helper()
	for name, open := range map[string]func(testing.TB) *Backend{
		"miniredis": OpenMiniredis, "redis": OpenRedis, "valkey": OpenValkey, Cluster: OpenCluster,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, open(t))
		})
	}
}

// OpenMiniredis starts a server in this process.
func OpenMiniredis(t testing.TB) *Backend { return Open(t, "miniredis", miniredis.RunT(t).Addr()) }

// OpenRedis starts a redis-server.
func OpenRedis(t testing.TB) *Backend { return Open(t, "redis", servers.Redis(t)) }

// OpenValkey starts a valkey-server.
func OpenValkey(t testing.TB) *Backend { return Open(t, "valkey", servers.Valkey(t)) }

const (
	retries   = 3  // as in our programs; tests of lost replies depend on it
	redirects = 3  // go-redis' default
	backoff   = -1 // none: no test waits for the clock
)

// Open makes the clients of a server that runs already.
func Open(t testing.TB, name, addr string) *Backend {
	proxy := servers.NewProxy(t, addr)
	lossy := connect(t, redis.Options{Addr: proxy.Addr(), MaxRetries: retries, MinRetryBackoff: backoff})
	return &Backend{Name: name, Redis: Connect(t, addr), Lossy: lossy, Attempts: 1 + retries, proxies: []*servers.Proxy{proxy}}
}

// OpenCluster starts a Redis Cluster of three masters.
func OpenCluster(t testing.TB) *Backend {
	addrs := servers.RedisCluster(t)
	b := &Backend{
		Name:     Cluster,
		Redis:    redis.NewClusterClient(&redis.ClusterOptions{Addrs: addrs, ReadTimeout: patience, WriteTimeout: patience}),
		Attempts: (1 + retries) * (1 + redirects), // it counts a broken connection as a redirection, too
	}
	via := map[string]string{}
	for _, addr := range addrs {
		proxy := servers.NewProxy(t, addr)
		via[addr] = proxy.Addr()
		b.proxies = append(b.proxies, proxy)
	}
	b.Lossy = redis.NewClusterClient(&redis.ClusterOptions{
		Addrs: addrs, ReadTimeout: patience, WriteTimeout: patience,
		MaxRetries: retries, MaxRedirects: redirects, MinRetryBackoff: backoff,
		Dialer: func(ctx context.Context, network, addr string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, via[addr])
		},
	})
	closeWith(t, b.Redis, b.Lossy)
	return b
}

// Connect returns a client of one server.
func Connect(t testing.TB, addr string) *redis.Client { return connect(t, redis.Options{Addr: addr}) }

// ConnectOnce returns a client that repeats no command, so that a fault is seen at once.
func ConnectOnce(t testing.TB, addr string) *redis.Client {
	return connect(t, redis.Options{Addr: addr, MaxRetries: -1})
}

// patience replaces the three seconds that go-redis gives a command. On a busy machine, miniredis
// under the race detector can need more for thousands of commands.
const patience = servers.Patience

func connect(t testing.TB, o redis.Options) *redis.Client {
	o.ReadTimeout, o.WriteTimeout = patience, patience
	rdb := redis.NewClient(&o)
	closeWith(t, rdb)
	return rdb
}

// WithHook returns another reliable client, with a hook.
func (b *Backend) WithHook(t testing.TB, hook redis.Hook) redis.UniversalClient {
	t.Helper()
	var rdb redis.UniversalClient
	switch reliable := b.Redis.(type) {
	case *redis.ClusterClient:
		rdb = redis.NewClusterClient(reliable.Options())
	case *redis.Client:
		rdb = redis.NewClient(reliable.Options())
	}
	closeWith(t, rdb)
	rdb.AddHook(hook)
	return rdb
}

func closeWith(t testing.TB, clients ...redis.UniversalClient) {
	for _, rdb := range clients {
		t.Cleanup(func() { _ = rdb.Close() })
	}
}

// Lose makes the lossy client lose the replies of the scripts that which names. It ends with the
// test, or with the next call. n counts the scripts from 1.
func (b *Backend) Lose(t testing.TB, which func(n int, command []string) bool) {
	for _, p := range b.proxies {
		p.Lose(servers.IsScript, which)
		t.Cleanup(func() { p.Lose(nil, nil) })
	}
}

// CountScripts returns how many scripts the lossy client has sent since the last Lose, and how many
// replies it lost.
func (b *Backend) CountScripts() (sent, lost int) {
	for _, p := range b.proxies {
		commands, dropped := p.CountMatches()
		sent, lost = sent+commands, lost+dropped
	}
	return sent, lost
}

// Fill takes away the memory of a redis-server until every plain write fails.
func (b *Backend) Fill(t testing.TB) {
	t.Helper()
	if err := b.Redis.ConfigSet(t.Context(), "maxmemory", "1").Err(); err != nil {
		t.Fatalf("fill redis: %v", err)
	}
	err := b.Redis.Set(t.Context(), "more", "x", 0).Err()
	if err == nil || !strings.HasPrefix(err.Error(), "OOM") {
		t.Fatalf("a plain write into a full Redis: %v, want OOM", err)
	}
}
