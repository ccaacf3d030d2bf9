package campaign_test

import (
	"context"
	"net"
	"sync/atomic"
	"testing"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
	"go.uber.org/goleak"

	"fanfare/test/servers"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// backend is one kind of Redis: a reliable client, and a lossy one whose replies the proxies can
// drop.
type backend struct {
	name    string
	rdb     redis.UniversalClient
	lossy   redis.UniversalClient
	proxies []*servers.Proxy
}

func onMiniredis(t *testing.T) *backend { return single(t, "miniredis", miniredis.RunT(t).Addr()) }

func onRedis(t *testing.T) *backend { return single(t, "redis", servers.Redis(t)) }

func onValkey(t *testing.T) *backend { return single(t, "valkey", servers.Valkey(t)) }

const (
	retries = 3  // go-redis' default, explicit because lost replies rely on it
	backoff = -1 // none, so that no test waits
)

func single(t *testing.T, name, addr string) *backend {
	proxy := servers.NewProxy(t, addr)
	b := &backend{
		name:    name,
		rdb:     redis.NewClient(&redis.Options{Addr: addr}),
		lossy:   redis.NewClient(&redis.Options{Addr: proxy.Addr(), MaxRetries: retries, MinRetryBackoff: backoff}),
		proxies: []*servers.Proxy{proxy},
	}
	b.closeWith(t)
	return b
}

func onCluster(t *testing.T) *backend {
	addrs := servers.RedisCluster(t)
	b := &backend{name: "cluster", rdb: redis.NewClusterClient(&redis.ClusterOptions{Addrs: addrs})}
	via := map[string]string{}
	for _, addr := range addrs {
		proxy := servers.NewProxy(t, addr)
		via[addr] = proxy.Addr()
		b.proxies = append(b.proxies, proxy)
	}
	b.lossy = redis.NewClusterClient(&redis.ClusterOptions{
		Addrs: addrs, MaxRetries: retries, MinRetryBackoff: backoff,
		Dialer: func(ctx context.Context, network, addr string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, via[addr])
		},
	})
	b.closeWith(t)
	return b
}

func (b *backend) closeWith(t *testing.T) {
	t.Cleanup(func() {
		_ = b.rdb.Close()
		_ = b.lossy.Close()
	})
}

// loseEvery drops the reply of each n-th script until the test ends.
func (b *backend) loseEvery(t *testing.T, n int) {
	for _, p := range b.proxies {
		p.Lose(servers.IsScript, servers.EveryNth(n))
		t.Cleanup(func() { p.Lose(nil, nil) })
	}
}

// beforeScripts calls a function before each script of the lossy client runs, until the test ends.
func (b *backend) beforeScripts(t *testing.T, call func(script []string)) {
	for _, p := range b.proxies {
		p.Lose(servers.IsScript, func(_ int, script []string) bool { call(script); return false })
		t.Cleanup(func() { p.Lose(nil, nil) })
	}
}

// lost returns how many replies were dropped since loseEvery.
func (b *backend) lost() (n int) {
	for _, p := range b.proxies {
		_, lost := p.CountMatches()
		n += lost
	}
	return n
}

// hooked returns another reliable client, with a hook.
func (b *backend) hooked(t *testing.T, hook redis.Hook) redis.UniversalClient {
	t.Helper()
	var rdb redis.UniversalClient
	switch sound := b.rdb.(type) {
	case *redis.ClusterClient:
		rdb = redis.NewClusterClient(sound.Options())
	case *redis.Client:
		rdb = redis.NewClient(sound.Options())
	}
	t.Cleanup(func() { _ = rdb.Close() })
	rdb.AddHook(hook)
	return rdb
}

// tripCounter is a hook that counts round trips: a pipeline is one.
type tripCounter struct{ n atomic.Int64 }

func (c *tripCounter) DialHook(next redis.DialHook) redis.DialHook { return next }

func (c *tripCounter) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		c.n.Add(1)
		return next(ctx, cmd)
	}
}

func (c *tripCounter) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		c.n.Add(1)
		return next(ctx, cmds)
	}
}
