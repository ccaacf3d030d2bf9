package breaker_test

import (
	"testing"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
	"go.uber.org/goleak"

	"fanfare/test/servers"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// conformance is what every Redis that we run on must pass.
var conformance = []struct {
	name string
	test func(*testing.T, *backend)
}{
	{"canary goes alone", canaryGoesAlone},
	{"canary passes", canaryPasses},
	{"canary repeated", admissionRepeated},
	{"canary of none", noCanary},
	{"canary gives back", canaryGivesBack},
	{"canary proves nothing", neutralProvesNothing},
	{"canary of a crashed replica", crashedReplicaGivesBack},
	{"canary decided after a crash", canaryDecidedByAnother},
	{"small canary", smallCanaryIsJudgedWhole},
	{"trips once", tripsOnce},
	{"trip is taken over", tripIsTakenOver},
	{"trip starts a canary", tripStartsACanary},
	{"trips after the canary", tripsAfterTheCanary},
	{"trips the project", credentialsTripTheProject},
	{"trips a platform", platformTrips},
	{"platform paused by hand", platformPausedByHand},
	{"reset", resets},
	{"reset repeated", resetRepeated},
	{"gone", goneStaysGone},
	{"state", showsItsState},
	{"wrong type", wrongTypeIsNamed},
	{"refused calls", nonsenseIsRefused},
	{"odd platforms", oddPlatformIsUnknown},
	{"many platforms", manyPlatforms},
	{"longest canary", longestCanary},
	{"expires", outlivesNothing},
	{"lost replies", lostRepliesCountOnce},
	{"no replies at all", noRepliesCountOnce},
	{"unanswered keep their places", unansweredKeepTheirPlaces},
	{"unanswered few", fewUnansweredPass},
	{"unanswered canary", unansweredCanaryHolds},
	{"unanswered lately", unansweredLatelyHolds},
	{"silence", silenceHolds},
	{"silence of one replica", silenceOfOneReplica},
	{"wrong endpoint", wrongEndpointTripsTheProject},
	{"released", releaseStartsACanary},
	{"released too soon", holdsInARowWait},
	{"hold lost replies", holdLostReplies},
	{"hold reset by hand", holdIsResetByHand},
	{"deletions within a budget", deletionsWithinABudget},
	{"deletions withheld", deletionsWithheld},
	{"deletions lost replies", deletionsLostReplies},
	{"deletions wrong type", deletionsWrongType},
}

func TestConformance(t *testing.T) {
	for _, start := range []func(*testing.T) *backend{onMiniredis, onRedis, onValkey} {
		b := start(t)
		t.Run(b.name, func(t *testing.T) {
			for _, c := range conformance {
				t.Run(c.name, func(t *testing.T) { c.test(t, b) })
			}
		})
	}
}

// backend is one kind of Redis: a sound client, and one whose replies the proxy can lose.
type backend struct {
	name  string
	rdb   *redis.Client
	lossy *redis.Client
	proxy *servers.Proxy
}

func onMiniredis(t *testing.T) *backend { return single(t, "miniredis", miniredis.RunT(t).Addr()) }

func onRedis(t *testing.T) *backend { return single(t, "redis", servers.Redis(t)) }

func onValkey(t *testing.T) *backend { return single(t, "valkey", servers.Valkey(t)) }

const (
	retries = 3  // go-redis' default, spelt out because repetition is what is tested
	backoff = -1 // none: no test waits for the clock
)

func single(t *testing.T, name, addr string) *backend {
	proxy := servers.NewProxy(t, addr)
	b := &backend{
		name:  name,
		rdb:   redis.NewClient(&redis.Options{Addr: addr}),
		lossy: redis.NewClient(&redis.Options{Addr: proxy.Addr(), MaxRetries: retries, MinRetryBackoff: backoff}),
		proxy: proxy,
	}
	t.Cleanup(func() {
		_ = b.rdb.Close()
		_ = b.lossy.Close()
	})
	return b
}

// lose drops replies of scripts until the test ends or lose is called again.
func (b *backend) lose(t *testing.T, which func(n int, command []string) bool) {
	b.proxy.Lose(servers.IsScript, which)
	t.Cleanup(func() { b.proxy.Lose(nil, nil) })
}

// never loses nothing, and counts all the same.
func never(int, []string) bool { return false }
