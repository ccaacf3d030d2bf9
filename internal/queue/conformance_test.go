package queue_test

import (
	"context"
	"net"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
	"go.uber.org/goleak"

	"fanfare/internal/queue"
	"fanfare/test/servers"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// conformance is what every supported kind of Redis must pass.
var conformance = []struct {
	name string
	test func(*testing.T, *backend)
}{
	{"claim in order", claimsInOrder},
	{"claim repeated", claimRepeated},
	{"claim for a while", leasesLastAsLongAsTheyShould},
	{"claim beyond one piece", claimsManyAtOnce},
	{"claim up to a size", claimsUpToASize},
	{"claim oversize", claimsOversize},
	{"claim foreign values", claimsForeignValues},
	{"claim behind a gate", claimsBehindAGate},
	{"settle ended", settlesEnded},
	{"settle later", settlesLater},
	{"settle later by cause", countsWhyLater},
	{"settle twice", settlesOnce},
	{"settle directly", settlesDirectly},
	{"settle across claims", settlesAcrossClaims},
	{"settle with and without payload", settlesWithAndWithoutPayload},
	{"settle without a lease", settlesNothingThatIsLost},
	{"give back in the old order", givesBackInOrder},
	{"give back in pieces", givesBackInPieces},
	{"reap", reapsExpired},
	{"reap when time has passed", reapsWhenTimeHasPassed},
	{"reap against extend", reapsNothingThatIsExtended},
	{"reap against extend beside an empty lease", reapsNothingBesideAnEmptyLease},
	{"extend", extends},
	{"append", appendsOnce},
	{"append while marked", appendsWhileMarked},
	{"expiry", expiryBecomesDeadline},
	{"guard moves up", guardMovesUp},
	{"seen", seesWhatVanishes},
	{"leases that are deleted", countsWhatLeasesHold},
	{"wrong type", wrongTypeMovesNothing},
	{"unreadable counts", unreadableCountsAreNamed},
	{"lost replies", lostRepliesLoseNothing},
	{"no replies at all", noRepliesLoseNothing},
	{"many workers", manyWorkers},
	{"laws", lawsHold},
	{"odd ids", oddIDsShareASlot},
}

func TestConformance(t *testing.T) {
	for _, start := range []func(*testing.T) *backend{onMiniredis, onRedis, onValkey, onCluster} {
		b := start(t)
		t.Run(b.name, func(t *testing.T) {
			for _, c := range conformance {
				t.Run(c.name, func(t *testing.T) { c.test(t, b) })
			}
		})
	}
}

// backend is one kind of Redis, with a reliable client and one whose replies the proxies can lose.
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
	retries = 3  // the default of go-redis; the suite depends on it
	backoff = -1 // none: no test waits for the clock
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

// lose drops replies of scripts until the test ends or lose is called again.
func (b *backend) lose(t *testing.T, which func(n int, command []string) bool) {
	for _, p := range b.proxies {
		p.Lose(servers.IsScript, which)
		t.Cleanup(func() { p.Lose(nil, nil) })
	}
}

func (b *backend) seen() (commands, lost int) {
	for _, p := range b.proxies {
		c, l := p.CountMatches()
		commands, lost = commands+c, lost+l
	}
	return commands, lost
}

// patience bounds every wait for a condition. A wait comes near it only if something is broken.
const patience = 30 * time.Second

func await(t *testing.T, done func() (bool, error)) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := servers.Await(ctx, done); err != nil {
		t.Fatal(err)
	}
}

// oddIDsShareASlot uses a list under each id. It asks a server that has slots for the slot of each
// key.
func oddIDsShareASlot(t *testing.T, b *backend) {
	for _, id := range []string{"42", "{x", "{x}", "{tenant}:42", "a}b{x}", "a b"} {
		f := openOn(t, b.rdb, b.rdb, id+queue.NewClaimID(), queue.Options{})
		f.push("a", "b")
		l := f.claim(2)
		f.settle(sent(l.Claim, 1, "r"))
		wantEqual(t, "given back", f.giveBack(l.Claim), 1)
		wantEqual(t, "listed", f.counts().Back, 1)
		if b.name != "cluster" {
			continue
		}
		want := b.rdb.ClusterKeySlot(t.Context(), f.list.Plain()).Val()
		for _, suffix := range []string{"spec", "lease:c", "outbox"} {
			wantEqual(t, "slot of "+f.list.Key(suffix), b.rdb.ClusterKeySlot(t.Context(), f.list.Key(suffix)).Val(), want)
		}
	}
}
