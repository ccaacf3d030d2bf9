// Package tokens knows where a user can be reached: from Redis, and behind it from the application's SQL table.
//
// Which token is used: the one in the campaign's element comes first, and then nothing is looked up. Without one, the
// token in Redis is used, and where Redis has none, the one in SQL, which is then kept in Redis for Options.TTL. When
// the token that was used proves dead, Forget deletes it and returns the stored one if that differs (Redis before SQL),
// which is tried next. What was deleted is kept for Options.Keep, and Restore gives it back.
//
// An empty value in Redis, and a key of another type, count as no token; the latter is logged and counted.
//
// Every value is read by notification.Token, which takes off white space and quotes around it. What a store holds is compared
// as it is spelled there. A value that can be no token is an answer only where nothing better is stored, is never copied from
// SQL to Redis, and stays where it is.
package tokens

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"

	"fanfare/internal/keys"
	"fanfare/internal/notification"
	"fanfare/internal/readthrough"
)

// Source is the application's own table of tokens, as they are spelled there. Users without a token are left out, or have an empty
// one. It bounds the
// time that its answer may take: those who ask wait for it.
type Source interface {
	Tokens(ctx context.Context, users []string) (map[string]string, error)
}

// Restorer gives users their tokens (by user) back in SQL, where they have none there now.
type Restorer interface {
	RestoreTokens(ctx context.Context, tokens map[string]string) error
}

// SourceError names the users (IDs) whose token cannot be told now. They wait; all others of the look-up are answered.
type SourceError = readthrough.SourceError

// Undecided reports whether a Lookup that ended with err left user without an answer.
func Undecided(err error, user string) bool { return readthrough.Undecided(err, user) }

// Options of a Store. Zero fields take their default.
type Options struct {
	TTL         time.Duration         // how long a token from SQL is kept in Redis, ±10%; default 24 h
	NegativeTTL time.Duration         // how long "SQL has no token" is kept, ±10%; default 30 s
	Keep        time.Duration         // how long a removed token can be restored; default 7 days, below zero: it cannot
	SQL         Restorer              // where Restore writes besides Redis; default: nowhere
	Logger      *slog.Logger          // default: silent
	Registerer  prometheus.Registerer // default: look-ups are counted by nobody
}

// KeepNone as Options.Keep keeps no copy of what is removed.
const KeepNone time.Duration = -1

// Defaults of Options.
const (
	DefaultTTL         = 24 * time.Hour
	DefaultNegativeTTL = 30 * time.Second
	DefaultKeep        = 7 * 24 * time.Hour
)

// deadTTL is how long SQL may go on returning a dead token until it is cleared there.
const deadTTL = time.Hour

func (o Options) withDefaults() Options {
	o.TTL = cmp.Or(o.TTL, DefaultTTL)
	o.NegativeTTL = cmp.Or(o.NegativeTTL, DefaultNegativeTTL)
	o.Keep = cmp.Or(o.Keep, DefaultKeep)
	o.Logger = cmp.Or(o.Logger, slog.New(slog.DiscardHandler))
	return o
}

// Store reads and writes users' tokens. It is safe for concurrent use.
type Store struct {
	rdb    redis.UniversalClient
	names  keys.Names
	source Source // nil: tokens are in Redis only
	asker  *asker
	opts   Options
	cache  *readthrough.Cache[notification.Target]
}

// New makes a Store. With a nil source tokens are looked for in Redis only.
func New(rdb redis.UniversalClient, names keys.Names, source Source, o Options) (*Store, error) {
	o = o.withDefaults()
	if o.Keep > 0 && o.Keep < time.Second {
		return nil, fmt.Errorf("tokens: removed tokens are kept for %v, which is below a second", o.Keep)
	}
	var ask readthrough.Source
	if source != nil {
		ask = source.Tokens
	}
	cache, err := readthrough.New(rdb, readthrough.Keys{Value: names.Token, None: names.NoToken}, decode, ask,
		readthrough.Options{Kind: "token", Same: sameToken, TTL: o.TTL, NegativeTTL: o.NegativeTTL, Logger: o.Logger, Registerer: o.Registerer})
	if err != nil {
		return nil, fmt.Errorf("tokens: %w", err)
	}
	return &Store{rdb: rdb, names: names, source: source, asker: &asker{source: source}, opts: o, cache: cache}, nil
}

func decode(text string) (notification.Target, error) {
	target := notification.ParseToken(text)
	switch {
	case target.IsZero():
		return target, readthrough.ErrEmpty
	case !target.IsSendable():
		return target, readthrough.ErrUnusable
	}
	return target, nil
}

// sameToken reports whether a stored text is the token that a mark calls dead, however it is spelled.
func sameToken(text, dead string) bool {
	return text == dead || notification.ParseToken(text).IsSame(notification.ParseToken(dead))
}

// Lookup finds the tokens of a claim's users: one read of Redis, then one query for those whom it does not know, and
// one pipeline back. A user who is neither in the map nor undecided has no token. The error is nil or a *SourceError,
// beside which the map still holds everybody who could be told; see Undecided. A Target that is not sendable means that nothing is
// stored but a value that can be no token.
func (s *Store) Lookup(ctx context.Context, users []string) (map[string]notification.Target, error) {
	found, err := s.cache.Lookup(ctx, users)
	if err != nil {
		return found, fmt.Errorf("look up tokens: %w", err)
	}
	return found, nil
}

// Get is Lookup for one user; the zero Target means that there is no token.
func (s *Store) Get(ctx context.Context, user string) (notification.Target, error) {
	found, err := s.Lookup(ctx, []string{user})
	return found[user], err
}

// ErrNoToken refuses to store nothing, or to forget nothing; ErrInvalidToken to store what can be no token.
var (
	ErrNoToken      = errors.New("no token given")
	ErrInvalidToken = errors.New("this cannot be a token")
)

// checkToken refuses what may not be stored, or forgotten, as a token.
func checkToken(t notification.Target) error {
	switch {
	case t.IsZero():
		return ErrNoToken
	case !t.IsSendable():
		return fmt.Errorf("%w: %s", ErrInvalidToken, t.Problem())
	}
	return nil
}
