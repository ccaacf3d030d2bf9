package readthrough_test

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"go.uber.org/goleak"

	"fanfare/internal/readthrough"
	"fanfare/test/backends"
)

type rows = map[string]string

func equal(got, want any) bool { return reflect.DeepEqual(got, want) }

func askedOnce(b *rig) {
	b.store(b.keys.Value("1"), "cached")
	b.table.rows = rows{"1": "outdated", "2": "two", "3": "three"}
	c := b.cache()
	all := rows{"1": "cached", "2": "two", "3": "three"}
	b.expect("first look-up", b.found(c, "1", "2", "3", "2", "4"), all)
	b.expect("second look-up", b.found(c, "4", "3", "2", "1"), all)
	b.expect("another process's look-up", b.found(b.cache(), "4", "3", "2", "1"), all)
	b.expect("queries", b.table.asked, [][]string{{"2", "3", "4"}})
}

func unknownIsMarked(b *rig) {
	c := b.cache()
	b.expect("unknown", b.found(c, "1"), rows{})
	b.table.rows["1"] = "late"
	b.expect("while the mark stands", b.found(c, "1"), rows{})
	if err := b.rdb.Del(b.Context(), b.keys.None("1")).Err(); err != nil {
		b.Fatal(err)
	}
	b.expect("after the mark", b.found(c, "1"), rows{"1": "late"})
	b.expect("queries", len(b.table.asked), 2)
}

func expiriesAreSpread(b *rig) {
	var known, unknown []string
	for i := range 40 {
		known, unknown = append(known, fmt.Sprint("known", i)), append(unknown, fmt.Sprint("unknown", i))
		b.table.rows[known[i]] = "text"
	}
	b.found(b.cache(), slices.Concat(known, unknown)...)
	b.spreadAround(ttl, known, b.keys.Value)
	b.spreadAround(negativeTTL, unknown, b.keys.None)
}

func (b *rig) spreadAround(want time.Duration, ids []string, key func(string) string) {
	b.Helper()
	const sinceWritten = 10 * time.Second
	shortest, longest := 2*want, time.Duration(0)
	for _, id := range ids {
		left, err := b.rdb.PTTL(b.Context(), key(id)).Result()
		if err != nil {
			b.Fatal(err)
		}
		shortest, longest = min(shortest, left), max(longest, left)
	}
	tenth := want / 10
	if shortest < want-tenth-sinceWritten || longest > want+tenth || longest-shortest < tenth/2 {
		b.Errorf("expiries from %v to %v, want them spread over %v ± %v", shortest, longest, want, tenth)
	}
}

func storedMeanwhileWins(b *rig) {
	b.table.rows = rows{"1": "old", "2": "two"}
	b.table.during = func() error {
		b.store(b.keys.Value("1"), "refreshed")
		return nil
	}
	b.expect("found", b.found(b.cache(), "1", "2"), rows{"1": "refreshed", "2": "two"})
	b.expect("Redis", b.content(b.keys.Value("1")), "refreshed")
}

func wrongIsIgnored(b *rig) {
	b.store(b.keys.None("1"), "dead")
	b.table.rows = rows{"1": "dead"}
	c := b.cache()
	b.expect("while the source returns it", b.found(c, "1"), rows{})
	b.expect("Redis", b.content(b.keys.Value("1")), "(none)")
	b.expect("the mark", b.content(b.keys.None("1")), "dead")
	b.table.rows["1"] = "alive"
	b.expect("another text", b.found(c, "1"), rows{"1": "alive"})
	b.expect("Redis", b.content(b.keys.Value("1")), "alive")
}

func wrongMeanwhileIsTakenOut(b *rig) {
	b.table.rows = rows{"1": "dead", "2": "alive"}
	b.table.during = func() error {
		b.store(b.keys.None("1"), "dead")
		return nil
	}
	b.expect("found", b.found(b.cache(), "1", "2"), rows{"2": "alive"})
	b.expect("Redis", b.content(b.keys.Value("1")), "(none)")
}

func unreadableIsReplaced(b *rig) {
	b.store(b.keys.Value("1"), "SHOUTED")
	b.store(b.keys.Value("2"), "")
	b.store(b.keys.Value("3"), "KEPT")
	b.table.rows = rows{"1": "one", "2": "two", "4": "UNREADABLE"}
	want := rows{"1": "one", "2": "two"}
	c := b.cache()
	b.expect("found", b.found(c, "1", "2", "3", "4"), want)
	for id, text := range (rows{"1": "one", "2": "two", "3": "KEPT", "4": "(none)"}) {
		b.expect("Redis holds for "+id, b.content(b.keys.Value(id)), text)
	}
	if !strings.Contains(b.log.String(), "count as absent") || !strings.Contains(b.log.String(), "count=2") ||
		!strings.Contains(b.log.String(), "id=4") {
		b.Errorf("the log does not tell of the unreadable ones: %s", b.log)
	}
	b.expect("found again", b.found(c, "1", "2"), want)
	b.expect("queries", len(b.table.asked), 1)
}

func otherTypeSpoilsNobody(b *rig) {
	if err := b.rdb.RPush(b.Context(), b.keys.Value("1"), "a list").Err(); err != nil {
		b.Fatal(err)
	}
	b.store(b.keys.Value("2"), "two")
	b.table.rows = rows{"1": "one", "3": "three"}
	b.expect("found", b.found(b.cache(), "1", "2", "3"), rows{"1": "one", "2": "two", "3": "three"})
	length, err := b.rdb.LLen(b.Context(), b.keys.Value("1")).Result()
	b.expect("the list's length", length, int64(1))
	b.expect("the list's error", err, nil)
}

// otherTypeIsLogged, whether the source knows the id or not, and not with each lookup.
func otherTypeIsLogged(b *rig) {
	b.table.rows = rows{"known": "text"}
	for _, id := range []string{"known", "stranger"} {
		if err := b.rdb.RPush(b.Context(), b.keys.Value(id), "a list").Err(); err != nil {
			b.Fatal(err)
		}
	}
	for _, c := range []struct {
		source readthrough.Source
		id     string
		want   rows
	}{
		{b.table.ask, "known", rows{"known": "text"}},
		{b.table.ask, "stranger", rows{}},
		{nil, "stranger", rows{}},
	} {
		b.log.Reset()
		cache := b.cacheOf(c.source)
		for range 2 {
			b.expect("found", b.found(cache, c.id, "nobody"), c.want)
		}
		if n := strings.Count(b.log.String(), "keys of another type"); n != 1 || !strings.Contains(b.log.String(), b.keys.Value(c.id)) {
			b.Errorf("%s: told %d times, want once, and the key's name: %s", c.id, n, b.log)
		}
	}
}

func silentSourceLeavesTheKnown(b *rig) {
	b.store(b.keys.Value("1"), "one")
	b.store(b.keys.None("2"), "")
	down := errors.New("connection refused")
	b.table.during = func() error { return down }
	c := b.cache()
	found, err := c.Lookup(b.Context(), []string{"1", "2", "3", "4"})
	b.expect("found", found, rows{"1": "one"})
	partial, ok := errors.AsType[*readthrough.SourceError](err)
	if !ok || !errors.Is(err, down) {
		b.Fatalf("got error %v, want a SourceError with the fault", err)
	}
	b.expect("undecided", slices.Sorted(slices.Values(partial.IDs)), []string{"3", "4"})
	for id, want := range map[string]bool{"1": false, "2": false, "3": true, "4": true} {
		b.expect("undecided "+id, readthrough.IsUndecided(err, id), want)
	}
	b.table.during, b.table.rows = nil, rows{"3": "three"}
	b.expect("once it answers again", b.found(c, "3"), rows{"3": "three"})
}

func redisAlone(b *rig) {
	b.store(b.keys.Value("1"), "one")
	b.expect("found", b.found(b.cacheOf(nil), "1", "2"), rows{"1": "one"})
	b.expect("mark", b.content(b.keys.None("2")), "(none)")
}

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestConformance expects the same behaviour of every kind of Redis.
func TestConformance(t *testing.T) {
	backends.Each(t, func(t *testing.T, b *backends.Backend) { conform(t, b.Redis) })
}

func conform(t *testing.T, rdb redis.UniversalClient) {
	for name, law := range map[string]func(*rig){
		"the source is asked once for all that Redis misses": askedOnce,
		"an unknown id is marked":                            unknownIsMarked,
		"expiries are spread":                                expiriesAreSpread,
		"what was stored meanwhile wins":                     storedMeanwhileWins,
		"a text marked as wrong is ignored":                  wrongIsIgnored,
		"a text marked as wrong meanwhile is taken out":      wrongMeanwhileIsTakenOut,
		"what cannot be read is replaced":                    unreadableIsReplaced,
		"a key of another type spoils nobody":                otherTypeSpoilsNobody,
		"a key of another type is told of":                   otherTypeIsLogged,
		"a silent source leaves the known":                   silentSourceLeavesTheKnown,
		"without a source Redis alone answers":               redisAlone,
	} {
		t.Run(name, func(t *testing.T) { law(newRig(t, rdb)) })
	}
}
