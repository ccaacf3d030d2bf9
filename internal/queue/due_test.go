package queue_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"fanfare/internal/keys"
	"fanfare/internal/queue"
	"fanfare/test/backends"
)

// Only the selected retries are brought forward, over several pages, and nothing is lost.
func bringsRetriesForward(t *testing.T, b *backends.Backend) {
	f := open(t, b, queue.Options{})
	const n = 500
	all := make([]redis.Z, n)
	later := time.Now().Add(time.Hour)
	for i := range all {
		raw := []string{"ios", "android"}[i%2]
		all[i] = redis.Z{Score: float64(later.Add(time.Duration(i) * time.Second).UnixMilli()), Member: fmt.Sprintf("id%d 1 0 5 %s-%d", i, raw, i)}
	}
	retry := f.list.Key(keys.SuffixRetry)
	if err := f.rdb.ZAdd(t.Context(), retry, all...).Err(); err != nil {
		t.Fatal(err)
	}
	makeDue := func() int {
		moved, err := f.MakeDue(t.Context(), 0, func(raw []byte) bool { return strings.HasPrefix(string(raw), "ios-") })
		if err != nil {
			t.Fatal(err)
		}
		return moved
	}
	wantEqual(t, "brought forward", makeDue(), n/2)
	wantEqual(t, "retries", f.rdb.ZCard(t.Context(), retry).Val(), n)
	for i, member := range f.rdb.ZRange(t.Context(), retry, 0, -1).Val() {
		if strings.Contains(member, "ios-") != (i < n/2) {
			t.Fatalf("%s is number %d", member, i)
		}
	}
	wantEqual(t, "brought forward again", makeDue(), 0)
}

// A sample of few retries has all of them. One of many has about as many as were asked for, from
// the first to the last, and each once.
func samplesRetries(t *testing.T, b *backends.Backend) {
	f := open(t, b, queue.Options{})
	if total, err := f.SampleRetries(t.Context(), 10, func(raw []byte, _ time.Time) { t.Errorf("%s is in an empty set", raw) }); total != 0 || err != nil {
		t.Errorf("an empty set has %d, %v", total, err)
	}
	const n = 3000
	all := make([]redis.Z, n)
	first := time.UnixMilli(1_900_000_000_000).UTC()
	for i := range all {
		all[i] = redis.Z{Score: float64(first.Add(time.Duration(i) * time.Second).UnixMilli()), Member: fmt.Sprintf("id%04d 1 0 5 raw-%d", i, i)}
	}
	if err := f.rdb.ZAdd(t.Context(), f.list.Key(keys.SuffixRetry), all...).Err(); err != nil {
		t.Fatal(err)
	}
	for size, want := range map[int64]int{2 * n: n, n: n, n - 1: 2980, 1000: 1000} {
		seen := make(map[string]time.Time)
		total, err := f.SampleRetries(t.Context(), size, func(raw []byte, due time.Time) { seen[string(raw)] = due })
		if err != nil {
			t.Fatal(err)
		}
		wantEqual(t, fmt.Sprintf("%d of %d retries", size, n), len(seen), want)
		wantEqual(t, "total", total, n)
		wantEqual(t, "due first", seen["raw-0"], first)
		wantEqual(t, "due last", seen["raw-2999"], first.Add(2999*time.Second))
	}
}

// Due times are counted by steps: what is due before the first, and what is due after the last,
// too.
func countsWhatIsDue(t *testing.T, b *backends.Backend) {
	f := open(t, b, queue.Options{})
	from := time.Now().Truncate(time.Minute)
	for i, after := range []time.Duration{-time.Hour, 0, 59 * time.Second, time.Minute, 3*time.Minute - time.Millisecond, 3 * time.Minute, 100 * time.Hour} {
		z := redis.Z{Score: float64(from.Add(after).UnixMilli()), Member: fmt.Sprintf("id%d 1 0 5 x", i)}
		if err := f.rdb.ZAdd(t.Context(), f.list.Key(keys.SuffixRetry), z).Err(); err != nil {
			t.Fatal(err)
		}
	}
	counts, err := f.CountDue(t.Context(), from, time.Minute, 3)
	if err != nil {
		t.Fatal(err)
	}
	if fmt.Sprint(counts) != "[3 1 1 2]" {
		t.Errorf("counted %v, want 3 1 1 2", counts)
	}
}
