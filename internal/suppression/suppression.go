// Package suppression knows the users who get no push: those in the opt-out set in Redis, and those
// in the application's SQL table. Applications and operators add users to the set and remove them.
// Dispatchers look up the users of each claim, before anything else is done for them. Nothing is
// cached, so a change is in force from the next claim on.
package suppression

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"slices"

	"github.com/redis/go-redis/v9"

	"fanfare/internal/keys"
	"fanfare/internal/redisx"
)

// atOnce limits the users of one command.
const atOnce = 1000

// Source is the application's table of suppressed users. It must limit the time of its answer,
// because callers wait for it.
type Source interface {
	Suppressed(ctx context.Context, users []string) (map[string]bool, error)
}

// Set is the set of suppressed users, by user id. It is safe for concurrent use. Find also asks a
// Source; all other methods are about Redis alone.
type Set struct {
	rdb    redis.UniversalClient
	key    string
	source Source
}

// New returns the set of one Redis, and of a source unless it is nil. It makes no call.
func New(rdb redis.UniversalClient, names keys.Names, source Source) *Set {
	return &Set{rdb, names.Suppressed, source}
}

// Find returns which of the users are suppressed, in Redis or in SQL. It costs one command for
// 1,000 users, also without a set, and one query for those that Redis does not hold. After an error
// no one knows who may get a push.
func (s *Set) Find(ctx context.Context, users []string) (map[string]bool, error) {
	found, err := s.findInRedis(ctx, users)
	if err != nil || s.source == nil {
		return found, err
	}
	rest := users
	if len(found) > 0 {
		rest = slices.DeleteFunc(slices.Clone(users), func(user string) bool { return found[user] })
	}
	inSQL, err := s.source.Suppressed(ctx, rest)
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return inSQL, nil
	}
	maps.Copy(found, inSQL)
	return found, nil
}

func (s *Set) findInRedis(ctx context.Context, users []string) (map[string]bool, error) {
	var found map[string]bool
	for some := range slices.Chunk(users, atOnce) {
		members, err := s.rdb.SMIsMember(ctx, s.key, toAny(some)...).Result()
		if err != nil {
			return nil, s.wrap("look up suppressed users in", err)
		}
		for i, suppressed := range members {
			if suppressed && found == nil {
				found = make(map[string]bool)
			}
			if suppressed {
				found[some[i]] = true
			}
		}
	}
	return found, nil
}

// Add suppresses users, and returns how many were not yet. Repeating is harmless.
func (s *Set) Add(ctx context.Context, users ...string) (added int64, err error) {
	for some := range slices.Chunk(users, atOnce) {
		n, err := s.rdb.SAdd(ctx, s.key, toAny(some)...).Result()
		added += n
		if err != nil {
			return added, s.wrap("add to", err)
		}
	}
	return added, nil
}

// Remove ends the suppression of users, and returns how many were suppressed.
func (s *Set) Remove(ctx context.Context, users ...string) (removed int64, err error) {
	for some := range slices.Chunk(users, atOnce) {
		n, err := s.rdb.SRem(ctx, s.key, toAny(some)...).Result()
		removed += n
		if err != nil {
			return removed, s.wrap("remove from", err)
		}
	}
	return removed, nil
}

// Count returns how many users are suppressed.
func (s *Set) Count(ctx context.Context) (int64, error) {
	n, err := s.rdb.SCard(ctx, s.key).Result()
	return n, s.wrap("count", err)
}

// All yields the suppressed users in no order. A user who is added or removed meanwhile may be left
// out, and one may come twice.
func (s *Set) All(ctx context.Context) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for cursor := uint64(0); ; {
			users, next, err := s.rdb.SScan(ctx, s.key, cursor, "", atOnce).Result()
			if err != nil {
				yield("", s.wrap("list", err))
				return
			}
			for _, user := range users {
				if !yield(user, nil) {
					return
				}
			}
			if cursor = next; cursor == 0 {
				return
			}
		}
	}
}

// wrap adds the operation to an error. One about a key of another type says what to do.
func (s *Set) wrap(verb string, err error) error {
	switch {
	case err == nil:
		return nil
	case redis.HasErrorPrefix(err, "WRONGTYPE"):
		err = &redisx.TypeError{Key: s.key, Holds: "value of another type", Want: "set"}
	}
	return fmt.Errorf("%s the set %s: %w", verb, s.key, err)
}

func toAny(users []string) []any {
	all := make([]any, len(users))
	for i := range users {
		all[i] = &users[i] // go-redis takes a pointer, which needs no allocation
	}
	return all
}
