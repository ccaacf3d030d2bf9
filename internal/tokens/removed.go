package tokens

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/redis/go-redis/v9"
)

const (
	// scanCount is how many keys Redis looks at for one SCAN: some tenths of a millisecond.
	scanCount = 1000
	// copiesBatch is how many copies go through one pipeline.
	copiesBatch = 1000
)

// Removed visits the copies that the filter chooses, some hundred at a time and in no order. Those of named users are
// read directly; for all others the keyspace of every master is scanned, beside the work that goes on. A copy that
// is there all the time is visited; while Redis resizes its table, some may be visited twice.
func (s *Store) Removed(ctx context.Context, f Filter, visit func([]Removed) error) error {
	see := func(users []string) error {
		some, err := s.copies(ctx, users)
		if err != nil {
			return err
		}
		some = slices.DeleteFunc(some, func(r Removed) bool { return !f.chooses(r) })
		if len(some) == 0 {
			return nil
		}
		return visit(some)
	}
	if len(f.Users) == 0 {
		return s.scan(ctx, see)
	}
	for users := range slices.Chunk(f.users(), copiesBatch) {
		if err := see(users); err != nil {
			return err
		}
	}
	return nil
}

// copies reads what is kept of the users' tokens. What cannot be read is logged and left out: nobody can restore it.
func (s *Store) copies(ctx context.Context, users []string) ([]Removed, error) {
	texts, err := s.texts(ctx, s.names.RemovedToken, users)
	if err != nil {
		return nil, fmt.Errorf("read removed tokens: %w", err)
	}
	kept := make([]Removed, 0, len(users))
	for i, text := range texts {
		if text == "" {
			continue
		}
		r, err := readCopy(users[i], text)
		if err != nil {
			s.opts.Logger.Warn("a removed token is left out", "error", err)
			continue
		}
		kept = append(kept, r)
	}
	return kept, nil
}

// texts reads one key of each user; "" where there is none.
func (s *Store) texts(ctx context.Context, key func(user string) string, users []string) ([]string, error) {
	pipe := s.rdb.Pipeline()
	gets := make([]*redis.StringCmd, len(users))
	for i, user := range users {
		gets[i] = pipe.Get(ctx, key(user))
	}
	_, _ = pipe.Exec(ctx) // each command carries its own error
	texts := make([]string, len(users))
	for i, get := range gets {
		var err error
		if texts[i], err = textOf(get); err != nil {
			return nil, err
		}
	}
	return texts, nil
}

// scan looks for copies on every master. The visits come one after another, though a Cluster's masters are scanned side
// by side.
func (s *Store) scan(ctx context.Context, visit func(users []string) error) error {
	cluster, sharded := s.rdb.(*redis.ClusterClient)
	if !sharded {
		return s.scanMaster(ctx, s.rdb, visit)
	}
	var one sync.Mutex
	return cluster.ForEachMaster(ctx, func(ctx context.Context, master *redis.Client) error {
		return s.scanMaster(ctx, master, func(users []string) error {
			one.Lock()
			defer one.Unlock()
			return visit(users)
		})
	})
}

// scanMaster gathers what single SCANs find, which may be little, into batches.
func (s *Store) scanMaster(ctx context.Context, master redis.Cmdable, visit func(users []string) error) error {
	var users []string
	for cursor := uint64(0); ; {
		keys, next, err := master.ScanType(ctx, cursor, s.names.RemovedTokens(), scanCount, "string").Result()
		if err != nil {
			return fmt.Errorf("scan for removed tokens: %w", err)
		}
		for _, key := range keys {
			if user, ok := s.names.ParseRemovedToken(key); ok {
				users = append(users, user)
			}
		}
		if len(users) >= copiesBatch || next == 0 && len(users) > 0 {
			if err := visit(users); err != nil {
				return err
			}
			users = users[:0]
		}
		if next == 0 {
			return nil
		}
		cursor = next
	}
}
