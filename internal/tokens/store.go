// Package tokens finds users' addresses in Redis and, behind it, in the application's SQL table.
// These are the registration token in user:<id>:token, and the registration tokens and installation
// IDs (FIDs) of all devices in the hash user:<id>:devices.
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
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"
	"golang.org/x/time/rate"

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

// DeviceSource is a Source of all devices of a user. With it, Tokens is not called.
type DeviceSource interface {
	Devices(ctx context.Context, users []string) (map[string][]notification.Device, error)
}

// Restorer writes addresses, by user, back to SQL for users that have none there.
type Restorer interface {
	RestoreTokens(ctx context.Context, tokens map[string][]string) error
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
	cache     *readthrough.Cache[[]notification.Device]

	warnSometimes rate.Sometimes // of users with too many devices
}

// New returns a Store. Without a source it looks in Redis only.
func New(rdb redis.UniversalClient, names keys.Names, source Source, o Options) (*Store, error) {
	o = o.withDefaults()
	if o.KeepTTL > 0 && o.KeepTTL < time.Second {
		return nil, fmt.Errorf("tokens: removed tokens must be kept for at least 1s, or for less than 0 to keep none, but the setting is %v", o.KeepTTL)
	}
	ask := newQuery(source)
	cache, err := readthrough.New(rdb, readthrough.Keys{Value: names.Token, None: names.NoToken}, decode, ask,
		readthrough.Options{Kind: "token", Read: newReader(rdb, names, o.Logger).read, Without: withoutMarked, Elsewhere: devicesHash{names}, TTL: o.TTL, NegativeTTL: o.NegativeTTL, Logger: o.Logger, Registerer: o.Registerer})
	if err != nil {
		return nil, fmt.Errorf("tokens: %w", err)
	}
	return &Store{rdb: rdb, names: names, source: source, coalescer: &coalescer{query: ask}, opts: o, cache: cache, warnSometimes: rate.Sometimes{First: 1, Interval: 10 * time.Second}}, nil
}

// isMarked reports whether a stored text is one of the addresses that a mark calls dead, in any
// spelling.
func isMarked(text, mark string) bool {
	value := notification.ParseToken(text).Value
	for dead := range strings.SplitSeq(mark, ",") {
		if text == dead || value != "" && value == notification.ParseToken(dead).Value {
			return true
		}
	}
	return false
}

// Lookup finds the addresses of a claim's users: the one in user:<id>:token and those in
// user:<id>:devices. It needs one read of Redis, one query for users that Redis does not know, and
// one pipeline back. A user that is neither in the map nor undecided has no address. The error is
// nil or a *SourceError, and the map is valid beside it (see IsUndecided).
//
// The device that was used last comes first. Each device has one address (see arrange). A user has
// at most notification.MaxDevices of them, and a warning counts the others. A single
// Target that is not sendable means that only a value that cannot be a token is stored. Callers
// share the slices and must not change them.
func (s *Store) Lookup(ctx context.Context, users []string) (map[string][]notification.Device, error) {
	found, err := s.cache.Lookup(ctx, users)
	s.limitDevices(found)
	if err != nil {
		return found, fmt.Errorf("look up tokens: %w", err)
	}
	return found, nil
}

// Get is Lookup for one user. No devices mean no address.
func (s *Store) Get(ctx context.Context, user string) ([]notification.Device, error) {
	found, err := s.Lookup(ctx, []string{user})
	return found[user], err
}

// Peek is Lookup without writes to Redis.
func (s *Store) Peek(ctx context.Context, users []string) (map[string][]notification.Device, error) {
	found, err := s.cache.Peek(ctx, users)
	s.limitDevices(found)
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

//go:embed lua
var files embed.FS

var (
	lua = redisx.NewLua(files)

	forgetScript = lua.Script("prelude", "forget")
	keepScript   = lua.Script("prelude", "keep")
	deleteScript = lua.Script("prelude", "delete")

	keepDeviceScript = lua.Script("prelude", "keep_device")

	// These are sent as text (EVAL) in pipelines.
	putBackText        = lua.Text("prelude", "put_back")
	dropCopyText       = lua.Text("prelude", "drop_copy")
	putBackDeviceText  = lua.Text("prelude", "put_back_device")
	dropDeviceCopyText = lua.Text("prelude", "drop_device_copy")
	putDevicesText     = lua.Text("prelude", "put_devices")
	unmarkText         = lua.Text("prelude", "unmark")
)
