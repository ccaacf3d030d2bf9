// Package profiles makes one message many: Cache knows the users' profiles, from Redis and behind it from the
// application's SQL table, and Template fills a message's placeholders from them.
package profiles

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"

	"fanfare/internal/keys"
	"fanfare/internal/readthrough"
)

// Profile is a user's profile: the fields of a JSON object, as they were written. It is shared; do not change it.
type Profile map[string]json.RawMessage

// Source is the application's own table of profiles. Users without one are left out. It bounds the time that its answer
// may take: those who ask wait for it.
type Source interface {
	Profiles(ctx context.Context, users []string) (map[string]json.RawMessage, error)
}

// SourceError names the users (IDs) whose profile cannot be told now. They wait; all others of the look-up are answered.
type SourceError = readthrough.SourceError

// Undecided reports whether a Lookup that ended with err left user without an answer.
func IsUndecided(err error, user string) bool { return readthrough.Undecided(err, user) }

// Options of a Cache. Zero fields take their default.
type Options struct {
	TTL         time.Duration         // how long a profile from SQL is kept in Redis, ±10%; default 1 h
	NegativeTTL time.Duration         // how long "SQL has no profile" is kept, ±10%; default 30 s
	Logger      *slog.Logger          // default: silent
	Registerer  prometheus.Registerer // default: look-ups are counted by nobody
}

// Defaults of Options.
const (
	DefaultTTL         = time.Hour
	DefaultNegativeTTL = 30 * time.Second
)

// Cache reads users' profiles. It is safe for concurrent use.
type Cache struct {
	cache *readthrough.Cache[Profile]
}

// New makes a Cache. With a nil source profiles are looked for in Redis only.
func New(rdb redis.UniversalClient, names keys.Names, source Source, o Options) (*Cache, error) {
	var ask readthrough.Source
	if source != nil {
		ask = adaptSource(source)
	}
	cache, err := readthrough.New(rdb, readthrough.Keys{Value: names.Profile, None: names.NoProfile}, decode, ask,
		readthrough.Options{
			Kind:        "profile",
			TTL:         cmp.Or(o.TTL, DefaultTTL),
			NegativeTTL: cmp.Or(o.NegativeTTL, DefaultNegativeTTL),
			Logger:      o.Logger,
			Registerer:  o.Registerer,
		})
	if err != nil {
		return nil, fmt.Errorf("profiles: %w", err)
	}
	return &Cache{cache: cache}, nil
}

func adaptSource(source Source) readthrough.Source {
	return func(ctx context.Context, users []string) (map[string]string, error) {
		profiles, err := source.Profiles(ctx, users)
		if err != nil {
			return nil, err
		}
		texts := make(map[string]string, len(profiles))
		for user, profile := range profiles {
			texts[user] = string(profile)
		}
		return texts, nil
	}
}

// decode reads a profile. JSON null, and nothing at all, are no profile; anything but an object is unreadable.
func decode(text string) (Profile, error) {
	var p Profile
	if text == "" {
		return nil, readthrough.ErrEmpty
	}
	if err := json.Unmarshal([]byte(text), &p); err != nil {
		return nil, fmt.Errorf("profile is no JSON object: %w", err)
	}
	if p == nil {
		return nil, readthrough.ErrEmpty
	}
	return p, nil
}

// Lookup finds the profiles of a claim's users: one read of Redis, then one query for those whom it does not know, and
// one pipeline back. A user who is neither in the map nor undecided has no profile. The error is nil or a
// *SourceError, beside which the map still holds everybody who could be told; see Undecided.
func (c *Cache) Lookup(ctx context.Context, users []string) (map[string]Profile, error) {
	found, err := c.cache.Lookup(ctx, users)
	if err != nil {
		return found, fmt.Errorf("look up profiles: %w", err)
	}
	return found, nil
}
