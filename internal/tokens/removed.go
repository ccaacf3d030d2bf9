package tokens

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"fanfare/internal/notification"
)

// RemovedToken is the copy of a removed address.
type RemovedToken struct {
	User     string
	Token    notification.Target
	Campaign string    // whose push proved it dead; "" if none did
	At       time.Time // of the removal, by Redis's clock

	ttl        time.Duration // remaining time to live at the removal; 0 or less: no expiry
	text       string        // the copy as stored in Redis
	storedText string        // the same token if Redis holds it again, else ""
	device     *entry        // its field of user:<id>:devices; nil: it was in user:<id>:token
}

const (
	// scanCount is the number of keys that one SCAN visits, which takes some tenths of a
	// millisecond.
	scanCount = 1000
	// copiesBatch is the number of users whose copies one pipeline reads.
	copiesBatch = 1000
)

// copyKeys are users that have, or may have, copies: of their token, and of their devices.
type copyKeys struct{ tokens, devices []string }

func (c copyKeys) len() int { return len(c.tokens) + len(c.devices) }

// VisitRemoved visits the copies that the filter matches, some hundred at a time and in no order.
// It reads those of named users directly. For all others it scans the keyspace of every master in
// the background of other work. It visits every copy that exists throughout. While Redis resizes
// its table, it may visit some twice.
func (s *Store) VisitRemoved(ctx context.Context, f Filter, visit func([]RemovedToken) error) error {
	see := func(users copyKeys) error {
		some, err := s.readCopies(ctx, users)
		if err != nil {
			return err
		}
		some = slices.DeleteFunc(some, func(r RemovedToken) bool { return !f.matches(r) })
		if len(some) == 0 {
			return nil
		}
		return visit(some)
	}
	if len(f.Users) == 0 {
		return s.scan(ctx, see)
	}
	for users := range slices.Chunk(f.uniqueUsers(), copiesBatch) {
		if err := see(copyKeys{tokens: users, devices: users}); err != nil {
			return err
		}
	}
	return nil
}

// readCopies reads the copies of the users' addresses. It logs and skips unreadable ones, which
// cannot be restored.
func (s *Store) readCopies(ctx context.Context, users copyKeys) ([]RemovedToken, error) {
	texts, err := s.readTexts(ctx, s.names.RemovedToken, users.tokens)
	if err != nil {
		return nil, fmt.Errorf("read removed tokens: %w", err)
	}
	kept := make([]RemovedToken, 0, users.len())
	add := func(user, text string, isDevice bool) {
		r, err := readCopy(user, text, isDevice)
		if err != nil {
			s.opts.Logger.Warn("unreadable copy of a removed token skipped", "error", err)
			return
		}
		kept = append(kept, r)
	}
	for i, text := range texts {
		if text != "" {
			add(users.tokens[i], text, false)
		}
	}
	hashes, err := s.readHashes(ctx, s.names.RemovedDevices, users.devices)
	if err != nil {
		return nil, fmt.Errorf("read removed devices: %w", err)
	}
	for i, copies := range hashes {
		for _, text := range copies {
			add(users.devices[i], text, true)
		}
	}
	return slices.DeleteFunc(kept, s.isTooOld), nil
}

// isTooOld reports whether a copy would have expired, had it a key of its own.
func (s *Store) isTooOld(r RemovedToken) bool {
	return r.device != nil && time.Since(r.At) > s.copyTTL()
}

// readTexts reads one key of each user; "" stands for none.
func (s *Store) readTexts(ctx context.Context, key func(user string) string, users []string) ([]string, error) {
	pipe := s.rdb.Pipeline()
	gets := make([]*redis.StringCmd, len(users))
	for i, user := range users {
		gets[i] = pipe.Get(ctx, key(user))
	}
	_, _ = pipe.Exec(ctx) // each command carries its own error
	texts := make([]string, len(users))
	for i, get := range gets {
		var err error
		if texts[i], err = readText(get); err != nil {
			return nil, err
		}
	}
	return texts, nil
}

// readHashes reads one hash of each user. A key of another type is empty.
func (s *Store) readHashes(ctx context.Context, key func(user string) string, users []string) ([]map[string]string, error) {
	pipe := s.rdb.Pipeline()
	reads := make([]*redis.MapStringStringCmd, len(users))
	for i, user := range users {
		reads[i] = pipe.HGetAll(ctx, key(user))
	}
	_, _ = pipe.Exec(ctx) // each command carries its own error
	hashes := make([]map[string]string, len(users))
	for i, read := range reads {
		fields, err := read.Result()
		if err != nil && !redis.HasErrorPrefix(err, "WRONGTYPE") {
			return nil, err
		}
		hashes[i] = fields
	}
	return hashes, nil
}

// scan finds copies on every master. It scans a Cluster's masters in parallel and serializes the
// visits.
func (s *Store) scan(ctx context.Context, visit func(copyKeys) error) error {
	cluster, sharded := s.rdb.(*redis.ClusterClient)
	if !sharded {
		return s.scanMaster(ctx, s.rdb, visit)
	}
	var one sync.Mutex
	return cluster.ForEachMaster(ctx, func(ctx context.Context, master *redis.Client) error {
		return s.scanMaster(ctx, master, func(users copyKeys) error {
			one.Lock()
			defer one.Unlock()
			return visit(users)
		})
	})
}

// scanMaster collects the results of single SCANs, which may be small, into batches.
func (s *Store) scanMaster(ctx context.Context, master redis.Cmdable, visit func(copyKeys) error) error {
	var users copyKeys
	for cursor := uint64(0); ; {
		keys, next, err := master.Scan(ctx, cursor, s.names.RemovedPattern(), scanCount).Result()
		if err != nil {
			return fmt.Errorf("scan for removed tokens: %w", err)
		}
		for _, key := range keys {
			if user, ok := s.names.ParseRemovedToken(key); ok {
				users.tokens = append(users.tokens, user)
			} else if user, ok := s.names.ParseRemovedDevices(key); ok {
				users.devices = append(users.devices, user)
			}
		}
		if users.len() >= copiesBatch || next == 0 && users.len() > 0 {
			if err := visit(users); err != nil {
				return err
			}
			users = copyKeys{}
		}
		if next == 0 {
			return nil
		}
		cursor = next
	}
}

// Filter selects removed tokens. The zero Filter matches all.
type Filter struct {
	Users    []string  // of these users; empty: of all
	From, To time.Time // removed at From or later and before To; zero: no limit
	Campaign string    // removed by this campaign; "": by any
}

// matches reports whether the filter, apart from its users, matches a copy.
func (f Filter) matches(r RemovedToken) bool {
	switch {
	case f.Campaign != "" && r.Campaign != f.Campaign,
		!f.From.IsZero() && r.At.Before(f.From),
		!f.To.IsZero() && !r.At.Before(f.To):
		return false
	}
	return true
}

// uniqueUsers returns the named users, each once.
func (f Filter) uniqueUsers() []string {
	users := slices.Sorted(slices.Values(f.Users))
	return slices.Compact(users)
}
