package responses_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"fanfare/internal/keys"
	"fanfare/internal/responses"
)

// slow lets most of a lock's minute pass before each trim, and notes what the lock has left behind it.
type slow struct {
	redis.UniversalClient
	server *miniredis.Miniredis
	lock   string
	left   []time.Duration
}

func (s *slow) EvalSha(ctx context.Context, sha string, keys []string, args ...any) *redis.Cmd {
	if len(keys) != 2 || keys[1] != s.lock {
		return s.UniversalClient.EvalSha(ctx, sha, keys, args...)
	}
	s.server.FastForward(40 * time.Second)
	reply := s.UniversalClient.EvalSha(ctx, sha, keys, args...)
	if reply.Err() == nil { // else the script is not loaded yet
		s.left = append(s.left, s.server.TTL(s.lock))
	}
	return reply
}

// A lock of ours has its whole time again after each batch, while there is more.
func TestForwardRenewsItsLock(t *testing.T) {
	server := miniredis.RunT(t)
	rdb := redis.NewClient(&redis.Options{Addr: server.Addr()})
	t.Cleanup(func() { _ = rdb.Close() })
	names := ownNames()
	campaign := ownCampaign(t, names)
	all := numbered(4)
	push(t, rdb, campaign.Key(keys.SuffixOutbox), all...)
	clock := &slow{UniversalClient: rdb, server: server, lock: campaign.Key(keys.SuffixForward)}
	out := openOutbox(t, clock, names, responses.OutboxOptions{Batch: 1, Lock: time.Minute})
	if n := forward(t, out, campaign); n != len(all) {
		t.Errorf("%d forwarded, want %d", n, len(all))
	}
	if want := []time.Duration{time.Minute, time.Minute, 0}; !slices.Equal(clock.left, want) { // the last batch leaves no lock
		t.Errorf("the lock had %s left after the batches, want %s", clock.left, want)
	}
}
