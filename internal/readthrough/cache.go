// Package readthrough answers a batch of ids from Redis, asks a slower source once for those that Redis does not know,
// and writes the answers back.
//
// Redis comes first and always wins: the write-back never replaces a value that somebody else stored meanwhile. An id
// that the source does not know gets a short-lived mark (Keys.None), so that a campaign to strangers does not become a
// query each. A mark with text means something else: that text is proven wrong, and is ignored while the source still
// returns it.
//
// A key of another type holds nothing that could be used, and nothing is written over it. It is logged and counted, since its
// id may count as absent for no other reason.
//
// Redis being full, or read-only, costs the write-back and nothing else.
package readthrough

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"
	"golang.org/x/time/rate"
)

// Source returns the stored text of those ids that it knows, with one query for all. It must honour ctx, and bound the time
// that its answer may take: all who need one of the ids wait for it, and their contexts may have no end.
type Source func(ctx context.Context, ids []string) (map[string]string, error)

// Decode reads a stored text. ErrEmpty means that there is nothing in it; any other error but ErrUnusable is logged. Either
// way the text counts as absent. The value is shared by concurrent callers, so no one may change it.
type Decode[V any] func(text string) (V, error)

// ErrEmpty is what Decode returns for a text that stands for "nothing here".
var ErrEmpty = errors.New("empty")

// ErrUnusable is what Decode returns, beside a value, for a text of no use that is not ours to replace. The source is asked as
// if it were absent; the value is the answer where the source has no better one. Such a text is neither overwritten in Redis,
// nor copied there from the source.
var ErrUnusable = errors.New("unusable")

// Keys names the two keys of an id.
type Keys struct {
	Value func(id string) string
	None  func(id string) string
}

// Options of a Cache.
type Options struct {
	// Same reports whether a text is what a mark calls wrong, for values that are spelled in several ways; nil: if they are equal.
	Same        func(text, wrong string) bool
	Kind        string                // what is looked up, as the metrics call it: "token"
	TTL         time.Duration         // how long an answer is kept; spread by ±10%, so that a batch does not expire at once
	NegativeTTL time.Duration         // how long "the source does not know it" is kept; spread likewise
	Logger      *slog.Logger          // nil: silent
	Registerer  prometheus.Registerer // nil: look-ups are counted by nobody
}

func (o Options) validate() error {
	switch {
	case o.TTL < time.Second:
		return fmt.Errorf("TTL %v is below a second", o.TTL)
	case o.NegativeTTL < time.Second:
		return fmt.Errorf("negative TTL %v is below a second", o.NegativeTTL)
	}
	return nil
}

// Cache reads through Redis to a Source. It is safe for concurrent use.
type Cache[V any] struct {
	rdb     redis.UniversalClient
	keys    Keys
	decode  Decode[V]
	source  Source
	opts    Options
	log     *slog.Logger
	lookups lookups
	same    func(text, wrong string) bool
	quietly rate.Sometimes // for what would be logged with each look-up until a person mends it

	mu      sync.Mutex
	flights map[string]*flight[V] // by the ids that they are asking for
}

// New makes a Cache. With a nil source Redis alone is asked, and nothing is written.
func New[V any](rdb redis.UniversalClient, keys Keys, decode Decode[V], source Source, o Options) (*Cache[V], error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	if rdb == nil || keys.Value == nil || keys.None == nil || decode == nil {
		return nil, errors.New("a Redis client, both key functions and a decoder are needed")
	}
	log := o.Logger
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	lookups, err := newLookups(o.Registerer, o.Kind)
	if err != nil {
		return nil, fmt.Errorf("register metrics: %w", err)
	}
	same := o.Same
	if same == nil {
		same = func(text, wrong string) bool { return text == wrong }
	}
	return &Cache[V]{
		same: same, rdb: rdb, keys: keys, decode: decode, source: source, opts: o, log: log, lookups: lookups,
		quietly: rate.Sometimes{First: 1, Interval: 10 * time.Second},
		flights: make(map[string]*flight[V]),
	}, nil
}
