package readthrough_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"fanfare/internal/readthrough"
)

const (
	ttl         = time.Hour
	negativeTTL = time.Minute
)

// rig has a test's table, key names that no other test uses, and the log.
type rig struct {
	*testing.T
	rdb   redis.UniversalClient
	keys  readthrough.Keys
	table *table
	log   *bytes.Buffer
}

func newRig(t *testing.T, rdb redis.UniversalClient) *rig {
	prefix := strings.NewReplacer("{", "", "}", "").Replace(t.Name()) + ":"
	return &rig{
		T: t, rdb: rdb, table: &table{rows: map[string]string{}}, log: new(bytes.Buffer),
		keys: readthrough.Keys{
			Value: func(id string) string { return prefix + id },
			None:  func(id string) string { return "{" + prefix + id + "}:none" },
		},
	}
}

// decode treats text in capitals as unreadable, and text with the prefix "bad " as unusable.
func decode(text string) (string, error) {
	switch {
	case text == "":
		return "", readthrough.ErrEmpty
	case strings.HasPrefix(text, "bad "):
		return text, readthrough.ErrUnusable
	case strings.ToUpper(text) == text:
		return "", errors.New("it shouts")
	}
	return text, nil
}

func (b *rig) cache() *readthrough.Cache[string] {
	b.Helper()
	return b.cacheOf(b.table.ask)
}

func (b *rig) cacheOf(source readthrough.Source) *readthrough.Cache[string] {
	b.Helper()
	c, err := readthrough.New(b.rdb, b.keys, decode, source, readthrough.Options{
		TTL: ttl, NegativeTTL: negativeTTL, Logger: slog.New(slog.NewTextHandler(b.log, nil)),
	})
	if err != nil {
		b.Fatal(err)
	}
	return c
}

func (b *rig) store(key, text string) {
	b.Helper()
	if err := b.rdb.Set(b.Context(), key, text, 0).Err(); err != nil {
		b.Fatal(err)
	}
}

// content returns what a key holds; "(none)" for a missing key.
func (b *rig) content(key string) string {
	b.Helper()
	text, err := b.rdb.Get(b.Context(), key).Result()
	if errors.Is(err, redis.Nil) {
		return "(none)"
	}
	if err != nil {
		b.Fatal(err)
	}
	return text
}

func (b *rig) expect(what string, got, want any) {
	b.Helper()
	if !equal(got, want) {
		b.Errorf("%s: got %v, want %v", what, got, want)
	}
}

// found looks up ids and expects no error.
func (b *rig) found(c *readthrough.Cache[string], ids ...string) map[string]string {
	b.Helper()
	found, err := c.Lookup(b.Context(), ids)
	if err != nil {
		b.Fatal(err)
	}
	return found
}

// table is a source that records its queries.
type table struct {
	mu     sync.Mutex
	rows   map[string]string
	asked  [][]string
	during func() error // called during a query
}

func (t *table) ask(_ context.Context, ids []string) (map[string]string, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.asked = append(t.asked, slices.Sorted(slices.Values(ids)))
	if t.during != nil {
		if err := t.during(); err != nil {
			return nil, err
		}
	}
	rows := make(map[string]string)
	for _, id := range ids {
		if text, exists := t.rows[id]; exists {
			rows[id] = text
		}
	}
	return rows, nil
}
