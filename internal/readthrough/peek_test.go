package readthrough_test

import (
	"context"
	"errors"
	"maps"
	"testing"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"fanfare/internal/readthrough"
	"fanfare/test/backends"
)

// A peek finds what a lookup finds, and changes no key.
func TestPeekLeavesNoTrace(t *testing.T) {
	server := miniredis.RunT(t)
	rdb := redis.NewClient(&redis.Options{Addr: server.Addr()})
	t.Cleanup(func() { _ = rdb.Close() })
	b := newRig(t, rdb)
	b.store(b.keys.Value("1"), "cached")
	b.store(b.keys.Value("unreadable"), "SHOUTED")
	b.store(b.keys.None("dead"), "dead text")
	b.store(b.keys.None("marked"), "")
	b.table.rows = rows{"1": "outdated", "2": "two", "unreadable": "text", "dead": "dead text", "marked": "late"}
	before := server.Dump()
	got, err := b.cache().Peek(t.Context(), []string{"1", "2", "2", "unreadable", "dead", "marked", "stranger"})
	if err != nil {
		t.Fatal(err)
	}
	b.expect("found", got, rows{"1": "cached", "2": "two", "unreadable": "text"})
	b.expect("asked", b.table.asked, [][]string{{"2", "dead", "stranger", "unreadable"}})
	b.expect("keys", server.Dump(), before)
	b.expect("a look-up after it", b.found(b.cache(), "1", "2"), rows{"1": "cached", "2": "two"})

	unclaimed := b.cacheOf(nil)
	got, err = unclaimed.Peek(t.Context(), []string{"1", "stranger"})
	if err != nil {
		t.Fatal(err)
	}
	b.expect("without a source", got, rows{"1": "cached"})
}

func TestPeekNamesWhomItCannotTell(t *testing.T) {
	server := miniredis.RunT(t)
	rdb := redis.NewClient(&redis.Options{Addr: server.Addr(), MaxRetries: -1})
	t.Cleanup(func() { _ = rdb.Close() })
	b := newRig(t, rdb)
	b.store(b.keys.Value("1"), "cached")
	b.table.during = func() error { return errors.New("no connection") }
	got, err := b.cache().Peek(t.Context(), []string{"1", "2"})
	b.expect("found", got, rows{"1": "cached"})
	if !readthrough.IsUndecided(err, "2") || readthrough.IsUndecided(err, "1") {
		t.Errorf("undecided: %v", err)
	}
	server.SetError("gone")
	if _, err = b.cache().Peek(t.Context(), []string{"1"}); !readthrough.IsUndecided(err, "1") {
		t.Errorf("without Redis: %v", err)
	}
}

// An unusable text is the answer only if nothing better exists, and not while the source fails.
func TestUnusableTextsAreTheLastAnswer(t *testing.T) {
	b := newRig(t, backends.ConnectOnce(t, miniredis.RunT(t).Addr()))
	b.store(b.keys.Value("1"), "bad in Redis")
	b.store(b.keys.Value("2"), "bad in Redis")
	b.store(b.keys.Value("4"), "bad in Redis")
	b.table.rows = rows{"2": "better", "3": "bad in the source"}
	want := rows{"1": "bad in Redis", "2": "better", "3": "bad in the source"}
	for name, look := range map[string]func(context.Context, []string) (map[string]string, error){
		"Lookup": b.cache().Lookup, "Peek": b.cache().Peek,
	} {
		b.table.during = nil
		if got, err := look(t.Context(), []string{"1", "2", "3"}); !maps.Equal(got, want) || err != nil {
			t.Errorf("%s: got %v, %v, want %v", name, got, err, want)
		}
		b.expect("Redis still holds", b.content(b.keys.Value("1")), "bad in Redis")
		b.table.during = func() error { return errors.New("no connection") }
		if got, err := look(t.Context(), []string{"4", "5"}); len(got) != 0 || !readthrough.IsUndecided(err, "4") || !readthrough.IsUndecided(err, "5") {
			t.Errorf("%s without the source: got %v, %v", name, got, err)
		}
	}
}
