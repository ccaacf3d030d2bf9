// Package readthrough looks up a batch of ids in Redis, queries a slower source once for the
// missing ones, and writes the answers back.
//
// Redis comes first and always wins: the write-back never replaces a value that another program
// stored meanwhile. An id that the source does not know gets a short-lived mark (Keys.None). A
// campaign to unknown users thus does not cost a query each. A mark with text means that this text
// is wrong. The source's answer is ignored while it still returns it.
//
// A key of another type counts as absent and is never overwritten. It is logged and counted,
// because the id may count as absent for that reason only.
//
// A full or read-only Redis loses the write-back and nothing else.
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

// Source returns the stored text of the ids that it knows, with one query for all. It must respect
// ctx and limit its time: callers wait for it, and their contexts may have no deadline.
type Source func(ctx context.Context, ids []string) (map[string]string, error)

// Decode reads a stored text. It returns ErrEmpty for a text without content. Other errors, except
// ErrUnusable, are logged. In both cases the text counts as absent. Concurrent callers share the
// value, so no one may change it.
type Decode[V any] func(text string) (V, error)

// ErrEmpty is the result of Decode for a text that stands for nothing.
var ErrEmpty = errors.New("empty")

// ErrUnusable is the result of Decode, beside a value, for a useless text that must stay. The
// source is queried as if the text were absent. The value is the answer if the source has no better
// one. Such a text is neither overwritten in Redis nor copied there from the source.
var ErrUnusable = errors.New("unusable")

// Keys returns the two keys of an id.
type Keys struct {
	Value func(id string) string
	None  func(id string) string
}

// Options of a Cache.
type Options struct {
	// Without returns a text without what a mark calls wrong, and "" if nothing is left; nil: the
	// mark is a whole text.
	Without func(text, wrong string) string
	// Elsewhere stores texts that do not belong into the strings of Keys.Value; nil: none.
	Elsewhere Elsewhere
	// Read returns what Redis holds for the ids, in order, if that is more than the strings of
	// Keys.Value; nil: these strings.
	Read        func(ctx context.Context, ids []string) []Reply
	Kind        string                // the value of the metrics' label kind, such as "token"
	TTL         time.Duration         // how long an answer is kept, ±10%, so that a batch does not expire at once
	NegativeTTL time.Duration         // how long "unknown to the source" is kept, ±10%
	Logger      *slog.Logger          // nil: silent
	Registerer  prometheus.Registerer // nil: no metrics
}

// Elsewhere stores texts in other keys than the strings of Keys.Value. Options.Read reads them.
type Elsewhere interface {
	Has(text string) bool // whether a text belongs there
	// Put queues the write of a text, unless something is stored there.
	Put(ctx context.Context, pipe redis.Pipeliner, id, text string, ttl time.Duration)
	// Remove queues the removal of what a mark calls wrong from a text that Put has stored.
	Remove(ctx context.Context, pipe redis.Pipeliner, id, text, wrong string)
}

func (o Options) validate() error {
	switch {
	case o.TTL < time.Second:
		return fmt.Errorf("TTL must be at least 1s, but is %v", o.TTL)
	case o.NegativeTTL < time.Second:
		return fmt.Errorf("negative TTL must be at least 1s, but is %v", o.NegativeTTL)
	}
	return nil
}

// Cache reads through Redis to a Source. It is safe for concurrent use.
type Cache[V any] struct {
	rdb          redis.UniversalClient
	keys         Keys
	decode       Decode[V]
	source       Source
	opts         Options
	log          *slog.Logger
	lookups      lookupCounters
	without      func(text, wrong string) string
	logSometimes rate.Sometimes // limits warnings that every lookup would repeat until a person acts

	mu      sync.Mutex
	flights map[string]*flight[V] // by the ids that they query
}

// New returns a Cache. Without a source it reads Redis only and writes nothing.
func New[V any](rdb redis.UniversalClient, keys Keys, decode Decode[V], source Source, o Options) (*Cache[V], error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	if rdb == nil || keys.Value == nil || keys.None == nil || decode == nil {
		return nil, errors.New("readthrough needs a Redis client, both key functions and a decoder")
	}
	log := o.Logger
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	lookups, err := newLookupCounters(o.Registerer, o.Kind)
	if err != nil {
		return nil, fmt.Errorf("register metrics: %w", err)
	}
	without := o.Without
	if without == nil {
		without = withoutWhole
	}
	return &Cache[V]{
		without: without, rdb: rdb, keys: keys, decode: decode, source: source, opts: o, log: log, lookups: lookups,
		logSometimes: rate.Sometimes{First: 1, Interval: 10 * time.Second},
		flights:      make(map[string]*flight[V]),
	}, nil
}

func withoutWhole(text, wrong string) string {
	if text == wrong {
		return ""
	}
	return text
}

// lookupCounters count ids by the result of their lookup, and ids whose key has another type
// whatever the result.
type lookupCounters struct{ hit, miss, absent, undecided, mistyped prometheus.Counter }

// newLookupCounters registers the counters, which all caches share. A nil registerer leaves them
// unregistered.
func newLookupCounters(reg prometheus.Registerer, kind string) (lookupCounters, error) {
	all, err := registerOnce(reg, "lookups_total",
		"Users looked up, by kind and result: hit (in Redis), miss (found in SQL), absent, undecided (no answer for now).",
		"kind", "result")
	if err != nil {
		return lookupCounters{}, err
	}
	mistyped, err := registerOnce(reg, "mistyped_total",
		"Users looked up whose key in Redis is not a string, by kind; the log names such a key.", "kind")
	if err != nil {
		return lookupCounters{}, err
	}
	return lookupCounters{
		hit: all.WithLabelValues(kind, "hit"), miss: all.WithLabelValues(kind, "miss"),
		absent: all.WithLabelValues(kind, "absent"), undecided: all.WithLabelValues(kind, "undecided"),
		mistyped: mistyped.WithLabelValues(kind),
	}, nil
}

// registerOnce registers a counter, or returns the one that another cache registered.
func registerOnce(reg prometheus.Registerer, name, help string, labels ...string) (*prometheus.CounterVec, error) {
	made := prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "fanfare", Subsystem: "cache", Name: name, Help: help}, labels)
	if reg == nil {
		return made, nil
	}
	err := reg.Register(made)
	if earlier, ok := errors.AsType[prometheus.AlreadyRegisteredError](err); ok {
		if found, ok := earlier.ExistingCollector.(*prometheus.CounterVec); ok {
			return found, nil
		}
	}
	return made, err
}

// count adds a lookup's ids: their number and, of them, those found in Redis, found at all, and
// undecided.
func (l lookupCounters) count(ids, hits, found, undecided int) {
	l.hit.Add(float64(hits))
	l.miss.Add(float64(found - hits))
	l.undecided.Add(float64(undecided))
	l.absent.Add(float64(ids - found - undecided))
}
