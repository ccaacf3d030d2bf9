// Package breaker stops a campaign before it does damage. The first pushes of a campaign, its
// canary, go out alone and must look sane before the rest follows. After that the breaker watches
// the answers of the last minute. It evaluates classes of answers over all replicas, by the
// server's clock, in one hash per campaign; see lua/prelude.lua. Deletions limits how many tokens
// a project may lose in an hour.
package breaker

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"fanfare/internal/keys"
	"fanfare/internal/notification"
	"fanfare/internal/queue"
)

// Breakers are the breakers of all campaigns, as one replica sees them. It is safe for concurrent
// use.
type Breakers struct {
	rdb     redis.UniversalClient
	o       Options
	replica string
	now     func() time.Time

	mu    sync.Mutex
	known map[string]*replicaView
}

// New returns the breakers of a Redis. It makes no call.
func New(rdb redis.UniversalClient, o Options) (*Breakers, error) {
	if err := o.validate(); err != nil {
		return nil, fmt.Errorf("breakers: %w", err)
	}
	return &Breakers{
		rdb: rdb, o: o.clone(), replica: queue.NewID(), now: time.Now, known: map[string]*replicaView{},
	}, nil
}

// Limit returns the threshold of a kind after the canary, for personal messages. The zero Threshold
// never trips.
func (b *Breakers) Limit(kind Kind) Threshold { return b.o.Thresholds[kind] }

// idleTTL is how long a replica remembers a campaign without requests.
const idleTTL = 10 * time.Minute

// viewOf returns what this replica knows about a campaign. It forgets idle campaigns on the way.
func (b *Breakers) viewOf(campaign keys.List) *replicaView {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.now()
	s, ok := b.known[campaign.Plain()]
	if !ok {
		for name, other := range b.known {
			if now.Sub(other.used) > idleTTL {
				delete(b.known, name)
			}
		}
		s = &replicaView{}
		b.known[campaign.Plain()] = s
	}
	s.used = now
	return s
}

// replicaView is what one replica knows of one campaign.
type replicaView struct {
	used    time.Time // guarded by Breakers.mu
	carried carried

	mu     sync.Mutex
	round  int64
	probed bool
	until  time.Time // until when the canary counts as passed
	paused map[string]string
}

// readTrusted returns what is known without a call to Redis.
func (s *replicaView) readTrusted(now time.Time) (round int64, probed bool, paused map[string]string, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.round, s.probed, s.paused, now.Before(s.until)
}

// update takes over a script's reply. Trust counts from the call, since the server answered later.
func (s *replicaView) update(p *snapshot, called time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.round, s.probed, s.paused, s.until = p.round, p.probed, p.paused, time.Time{}
	if p.passed && !p.isStanding() && p.hold == nil {
		s.until = called.Add(trustTTL)
	}
}

// invalidate makes the next request go to Redis.
func (s *replicaView) invalidate() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.until = time.Time{}
}

// Reset makes a campaign begin with a canary again and resumes all its platforms. Call it when the
// campaign is resumed after a fix. If its canary had passed, the new one starts some seconds later.
// A missing breaker is no error.
func (b *Breakers) Reset(ctx context.Context, campaign keys.List) error {
	b.viewOf(campaign).invalidate()
	_, _, err := b.run(ctx, resetScript, campaign, queue.NewID(), canaryDelay.Milliseconds(), breakerTTL.Milliseconds())
	return wrap("reset breaker of", campaign, err)
}

// PausePlatform holds a campaign's recipients of one platform back until Reset. Other replicas
// learn of it within a second. The breaker does the same by itself when a platform refuses its
// keys.
func (b *Breakers) PausePlatform(ctx context.Context, campaign keys.List, platform, reason string) error {
	if platform == "" || notification.NormalizePlatform(platform) != platform {
		return wrap("pause platform of", campaign, fmt.Errorf("platform %q is not of 1 to 32 letters a to z, digits and underscores", platform))
	}
	b.viewOf(campaign).invalidate()
	_, _, err := b.run(ctx, pauseScript, campaign,
		platform, strings.TrimSpace(reason), queue.NewID(), string(ThirdPartyAuth), breakerTTL.Milliseconds())
	return wrap("pause platform of", campaign, err)
}
