// Package tokens finds users' registration tokens in Redis and, behind it, in the application's SQL
// table.
//
// A token in the campaign's element comes first and needs no lookup. Without one, the token in
// Redis is used. If Redis has none, the token in SQL is used and kept in Redis for Options.TTL.
// Forget deletes a token that proves dead. It returns another stored token to try next, from Redis
// or else from SQL. A copy of the deleted token is kept for Options.KeepTTL, and Restore writes it
// back.
//
// An empty value in Redis and a key of another type count as no token. The latter is logged and
// counted.
//
// notification.ParseToken reads every value and strips surrounding white space and quotes. Stored
// values are compared in their stored spelling. A value that cannot be a token is an answer only if
// nothing better is stored. It is never copied from SQL to Redis, and it stays where it is.
package tokens

import (
	"cmp"
	"context"
	"embed"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"

	"fanfare/internal/keys"
	"fanfare/internal/notification"
	"fanfare/internal/readthrough"
	"fanfare/internal/redisx"
)

// Source is the application's table of tokens, in their stored spelling. Users without a token are
// missing or have an empty one. Source must limit the time of its answer, because callers wait for
// it.
type Source interface {
	Tokens(ctx context.Context, users []string) (map[string]string, error)
}

// Restorer writes tokens, by user, back to SQL for users that have none there.
type Restorer interface {
	RestoreTokens(ctx context.Context, tokens map[string]string) error
}

// SourceError names the users (IDs) whose token is unknown for now. All other users of the lookup
// have their answer.
type SourceError = readthrough.SourceError

// IsUndecided reports whether a Lookup that ended with err left user without an answer.
func IsUndecided(err error, user string) bool { return readthrough.IsUndecided(err, user) }

// Options of a Store. Zero fields take their defaults.
type Options struct {
	TTL         time.Duration         // how long Redis keeps a token from SQL, ±10%; default 24 h
	NegativeTTL time.Duration         // how long Redis keeps "SQL has no token", ±10%; default 30 s
	KeepTTL     time.Duration         // how long a removed token can be restored; default 7 days, negative: never
	SQL         Restorer              // where Restore writes besides Redis; default: nowhere
	Logger      *slog.Logger          // default: silent
	Registerer  prometheus.Registerer // default: no metrics
}

// KeepNone, as Options.KeepTTL, keeps no copies of removed tokens.
const KeepNone time.Duration = -1

// Defaults of Options.
const (
	DefaultTTL         = 24 * time.Hour
	DefaultNegativeTTL = 30 * time.Second
	DefaultKeepTTL     = 7 * 24 * time.Hour
)

// deadTTL is how long a token stays marked as dead. SQL may return it until the responder clears it
// there.
const deadTTL = time.Hour

func (o Options) withDefaults() Options {
	o.TTL = cmp.Or(o.TTL, DefaultTTL)
	o.NegativeTTL = cmp.Or(o.NegativeTTL, DefaultNegativeTTL)
	o.KeepTTL = cmp.Or(o.KeepTTL, DefaultKeepTTL)
	o.Logger = cmp.Or(o.Logger, slog.New(slog.DiscardHandler))
	return o
}

// Store reads and writes users' tokens. It is safe for concurrent use.
type Store struct {
	rdb       redis.UniversalClient
	names     keys.Names
	source    Source // nil: tokens are in Redis only
	coalescer *coalescer
	opts      Options
	cache     *readthrough.Cache[notification.Target]
}

// New returns a Store. Without a source it looks in Redis only.
func New(rdb redis.UniversalClient, names keys.Names, source Source, o Options) (*Store, error) {
	o = o.withDefaults()
	if o.KeepTTL > 0 && o.KeepTTL < time.Second {
		return nil, fmt.Errorf("tokens: removed tokens must be kept for at least 1s, or for less than 0 to keep none, but the setting is %v", o.KeepTTL)
	}
	var ask readthrough.Source
	if source != nil {
		ask = source.Tokens
	}
	cache, err := readthrough.New(rdb, readthrough.Keys{Value: names.Token, None: names.NoToken}, decode, ask,
		readthrough.Options{Kind: "token", Same: isSameToken, TTL: o.TTL, NegativeTTL: o.NegativeTTL, Logger: o.Logger, Registerer: o.Registerer})
	if err != nil {
		return nil, fmt.Errorf("tokens: %w", err)
	}
	return &Store{rdb: rdb, names: names, source: source, coalescer: &coalescer{source: source}, opts: o, cache: cache}, nil
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

// isSameToken reports whether a stored text is the token that a mark calls dead, in any spelling.
func isSameToken(text, dead string) bool {
	return text == dead || notification.ParseToken(text).IsSame(notification.ParseToken(dead))
}

// Lookup finds the tokens of a claim's users. It needs one read of Redis, one query for users that
// Redis does not know, and one pipeline back. A user that is neither in the map nor undecided has
// no token. The error is nil or a *SourceError, and the map is valid beside it (see IsUndecided). A
// Target that is not sendable means that only a value that cannot be a token is stored.
func (s *Store) Lookup(ctx context.Context, users []string) (map[string]notification.Target, error) {
	found, err := s.cache.Lookup(ctx, users)
	if err != nil {
		return found, fmt.Errorf("look up tokens: %w", err)
	}
	return found, nil
}

// Get is Lookup for one user. The zero Target means no token.
func (s *Store) Get(ctx context.Context, user string) (notification.Target, error) {
	found, err := s.Lookup(ctx, []string{user})
	return found[user], err
}

// Peek is Lookup without writes to Redis.
func (s *Store) Peek(ctx context.Context, users []string) (map[string]notification.Target, error) {
	found, err := s.cache.Peek(ctx, users)
	if err != nil {
		return found, fmt.Errorf("look up tokens: %w", err)
	}
	return found, nil
}

// ErrNoToken and ErrInvalidToken reject values that cannot be stored or forgotten as tokens.
var (
	ErrNoToken      = errors.New("no token given")
	ErrInvalidToken = errors.New("value cannot be a token")
)

// checkToken rejects values that cannot be stored or forgotten as tokens.
func checkToken(t notification.Target) error {
	switch {
	case t.IsZero():
		return ErrNoToken
	case !t.IsSendable():
		return fmt.Errorf("%w: %s", ErrInvalidToken, t.Problem())
	}
	return nil
}

//go:embed lua
var files embed.FS

var (
	lua = redisx.NewLua(files)

	forgetScript = lua.Script("prelude", "forget")
	keepScript   = lua.Script("prelude", "keep")
	deleteScript = lua.Script("prelude", "delete")

	// These two are sent as text (EVAL) in pipelines.
	putBackText  = lua.Text("prelude", "put_back")
	dropCopyText = lua.Text("prelude", "drop_copy")
)
