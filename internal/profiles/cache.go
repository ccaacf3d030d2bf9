// Package profiles reads users' profiles from Redis, and from the application's SQL table behind
// it. They fill the placeholders of messages.
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

// Profile is a user's profile: the fields of a JSON object, as they were written. It is shared, so
// do not change it.
type Profile map[string]json.RawMessage

// Source is the application's table of profiles. It leaves out users without one. Callers wait for
// its answer, so it must limit the time that this takes.
type Source interface {
	Profiles(ctx context.Context, users []string) (map[string]json.RawMessage, error)
}

// SourceError names the users whose profile is unknown for now. They wait, while the lookup answers
// for all others.
type SourceError = readthrough.SourceError

// IsUndecided reports whether a Lookup that returned err has no answer for user.
func IsUndecided(err error, user string) bool { return readthrough.IsUndecided(err, user) }

// Options configure a Cache. Zero fields take their default.
type Options struct {
	TTL         time.Duration         // how long Redis keeps a profile from SQL, ±10%; default 1 h
	NegativeTTL time.Duration         // how long Redis keeps that SQL has no profile, ±10%; default 30 s
	Logger      *slog.Logger          // default: silent
	Registerer  prometheus.Registerer // default: no metrics
}

// Defaults of Options.
const (
	DefaultTTL         = time.Hour
	DefaultNegativeTTL = 30 * time.Second
)

// Cache reads users' profiles. It is safe for concurrent use.
type Cache struct {
	cache *readthrough.Cache[Profile]
	rdb   redis.UniversalClient
	key   func(user string) string
	inSQL bool
}

// New creates a Cache. With a nil source it reads Redis only.
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
		return nil, fmt.Errorf("create profile cache: %w", err)
	}
	return &Cache{cache: cache, rdb: rdb, key: names.Profile, inSQL: source != nil}, nil
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

// decode reads a profile. JSON null and an empty text are no profile. Anything else but an object
// is an error.
func decode(text string) (Profile, error) {
	var p Profile
	if text == "" {
		return nil, readthrough.ErrEmpty
	}
	if err := json.Unmarshal([]byte(text), &p); err != nil {
		return nil, fmt.Errorf("profile is not a JSON object: %w", err)
	}
	if p == nil {
		return nil, readthrough.ErrEmpty
	}
	return p, nil
}

// Lookup returns the profiles of users. It reads Redis once, queries SQL once for the rest, and
// writes what it found with one pipeline. A user who is neither in the map nor undecided has no
// profile. The error is nil or a *SourceError, and the map then holds all other users; see
// IsUndecided.
func (c *Cache) Lookup(ctx context.Context, users []string) (map[string]Profile, error) {
	found, err := c.cache.Lookup(ctx, users)
	if err != nil {
		return found, fmt.Errorf("look up profiles: %w", err)
	}
	return found, nil
}

// Peek is Lookup without writing to Redis.
func (c *Cache) Peek(ctx context.Context, users []string) (map[string]Profile, error) {
	found, err := c.cache.Peek(ctx, users)
	if err != nil {
		return found, fmt.Errorf("look up profiles: %w", err)
	}
	return found, nil
}
