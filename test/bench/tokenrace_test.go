package bench

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"fanfare/internal/keys"
	"fanfare/internal/notification"
	"fanfare/internal/tokens"
	"fanfare/test/servers"
)

const (
	races      = 1_000_000
	raceBatch  = 50_000 // users that Redis holds at a time
	raceRunner = 64     // races at a time
)

// BenchmarkTokenRace has an application store a user's new token while a stale UNREGISTERED for the
// old one arrives, a million times.
func BenchmarkTokenRace(b *testing.B) {
	for b.Loop() {
		rdb := redis.NewClient(&redis.Options{Addr: servers.Redis(b), PoolSize: 2 * raceRunner})
		store, err := tokens.New(rdb, keys.Default(), nil, tokens.Options{})
		if err != nil {
			b.Fatal(err)
		}
		r := race{b: b, rdb: rdb, store: store, names: keys.Default()}
		began := time.Now()
		for from := 0; from < races; from += raceBatch {
			r.batch(from)
		}
		fmt.Printf("\n%d races of a refreshed token against a stale UNREGISTERED, %d at a time, in %.0f s\n", races, raceRunner, time.Since(began).Seconds())
		fmt.Printf("        new tokens deleted: %d (0); old tokens deleted, which was right: %d; deletions held back by the new token: %d\n",
			r.lost, r.removed.Load(), r.kept.Load())
		b.ReportMetric(float64(r.lost), "new-tokens-deleted")
		b.ReportMetric(float64(r.removed.Load()), "right-deletions")
		_ = rdb.Close()
	}
}

// race is two sides that know nothing of each other, and a judge.
type race struct {
	b             *testing.B
	rdb           *redis.Client
	store         *tokens.Store
	names         keys.Names
	removed, kept atomic.Int64
	lost          int
}

func oldToken(user string) string { return "old-" + user + tokenTail }
func newToken(user string) string { return "new-" + user + tokenTail }

// batch runs the races of some users, looks what is left, and clears Redis.
func (r *race) batch(from int) {
	ctx := r.b.Context()
	users := make([]string, raceBatch)
	for i := range users {
		users[i] = strconv.Itoa(from + i)
	}
	r.pipelined(users, func(pipe redis.Pipeliner, user string) { pipe.Set(ctx, r.names.Token(user), oldToken(user), 0) })
	var next atomic.Int64
	var runners sync.WaitGroup
	for range raceRunner {
		runners.Go(func() {
			for i := next.Add(1) - 1; i < raceBatch; i = next.Add(1) - 1 {
				r.run(ctx, users[i])
			}
		})
	}
	runners.Wait()
	r.judge(ctx, users)
	if err := r.rdb.FlushDB(ctx).Err(); err != nil {
		r.b.Fatal(err)
	}
}

// run is one race.
func (r *race) run(ctx context.Context, user string) {
	set := make(chan error, 1)
	go func() { set <- r.rdb.Set(ctx, r.names.Token(user), newToken(user), 0).Err() }()
	found, err := r.store.Forget(ctx, user, notification.ParseToken(oldToken(user)), "race")
	if stored := <-set; err != nil || stored != nil {
		r.b.Errorf("race of %s: %v, %v", user, err, stored)
	}
	switch {
	case found.Removed:
		r.removed.Add(1)
	case found.Current == notification.ParseToken(newToken(user)):
		r.kept.Add(1)
	}
}

// judge counts the users who lost the new token.
func (r *race) judge(ctx context.Context, users []string) {
	kept := r.pipelined(users, func(pipe redis.Pipeliner, user string) { pipe.Get(ctx, r.names.Token(user)) })
	for i, reply := range kept {
		if text, err := reply.(*redis.StringCmd).Result(); err != nil || text != newToken(users[i]) {
			r.lost++
		}
	}
}

// pipelined gives one command a user, a thousand at a time.
func (r *race) pipelined(users []string, command func(redis.Pipeliner, string)) (replies []redis.Cmder) {
	r.b.Helper()
	const portion = 1_000
	for from := 0; from < len(users); from += portion {
		pipe := r.rdb.Pipeline()
		for _, user := range users[from:min(len(users), from+portion)] {
			command(pipe, user)
		}
		done, err := pipe.Exec(r.b.Context())
		if err != nil && !errors.Is(err, redis.Nil) {
			r.b.Fatal(err)
		}
		replies = append(replies, done...)
	}
	return replies
}
