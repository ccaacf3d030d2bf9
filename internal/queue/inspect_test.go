package queue_test

import (
	"fmt"
	"slices"
	"strings"

	"fanfare/internal/keys"
	"fanfare/internal/queue"
)

// counts reads the books and checks that they balance, and that what they say is really there.
func (f fixture) counts() queue.Counts {
	f.Helper()
	c, err := f.Count(f.Context())
	if err != nil {
		f.Fatalf("count: %v", err)
	}
	var ended int64
	for _, n := range c.Ended {
		ended += n
	}
	if c.Claimed != ended+c.Back+c.Retrying+c.InFlight {
		f.Fatalf("claimed %d is not ended %d + back %d + retrying %d + in flight %d",
			c.Claimed, ended, c.Back, c.Retrying, c.InFlight)
	}
	if leased := len(f.leased()); int64(leased) != c.InFlight {
		f.Fatalf("books say %d in flight, the leases hold %d", c.InFlight, leased)
	}
	return c
}

// leased lists the producer's part of all elements in leases.
func (f fixture) leased() []string {
	f.Helper()
	claims, err := f.rdb.ZRange(f.Context(), f.list.Key(keys.SuffixLeases), 0, -1).Result()
	if err != nil {
		f.Fatalf("read leases: %v", err)
	}
	var all []string
	for _, claim := range claims {
		lease, err := f.rdb.LRange(f.Context(), f.list.Lease(claim), 0, -1).Result()
		if err != nil || len(lease) == 0 {
			f.Fatalf("read lease of %s: %d elements, error %v", claim, len(lease), err)
		}
		var held string
		var fresh int
		if n, err := fmt.Sscan(lease[0], &held, &fresh); n != 2 || len(held) != len(lease)-1 {
			f.Fatalf("lease of %s holds %q, error %v", claim, lease, err)
		}
		for i, value := range lease[1:] {
			if i+1 < fresh {
				value = raw(value)
			}
			if held[i] == '1' {
				all = append(all, value)
			}
		}
	}
	return all
}

// raw is the producer's part of a value that a queue has written.
func raw(value string) string { return strings.SplitN(value, " ", 5)[4] }

// everywhere lists the producer's part of all elements that have not ended.
func (f fixture) everywhere() []string {
	f.Helper()
	all, err := f.rdb.LRange(f.Context(), f.list.Plain(), 0, -1).Result()
	if err != nil {
		f.Fatalf("read list: %v", err)
	}
	back, err := f.rdb.LRange(f.Context(), f.list.Key(keys.SuffixBack), 0, -1).Result()
	if err != nil {
		f.Fatalf("read back: %v", err)
	}
	retrying, err := f.rdb.ZRange(f.Context(), f.list.Key(keys.SuffixRetry), 0, -1).Result()
	if err != nil {
		f.Fatalf("read retries: %v", err)
	}
	for _, value := range slices.Concat(back, retrying) {
		all = append(all, raw(value))
	}
	return append(all, f.leased()...)
}

func (f fixture) outbox() []string {
	f.Helper()
	out, err := f.rdb.LRange(f.Context(), f.list.Key(keys.SuffixOutbox), 0, -1).Result()
	if err != nil {
		f.Fatalf("read outbox: %v", err)
	}
	return out
}

// dump writes down all keys of the list with what they hold.
func (f fixture) dump() string {
	f.Helper()
	ctx, all := f.Context(), ""
	keys := []string{f.list.Plain()}
	for _, suffix := range []string{
		"back", "retry", "leases", "lease:claim", "lease:expired", "counts", "outbox", "load:load", "gate",
	} {
		keys = append(keys, f.list.Key(suffix))
	}
	for _, key := range keys {
		var holds any
		switch f.rdb.Type(ctx, key).Val() {
		case "list":
			holds = f.rdb.LRange(ctx, key, 0, -1).Val()
		case "hash":
			holds = f.rdb.HGetAll(ctx, key).Val()
		case "zset":
			holds = f.rdb.ZRangeWithScores(ctx, key, 0, -1).Val()
		case "set":
			holds = f.rdb.SMembers(ctx, key).Val()
		case "string":
			holds = f.rdb.Get(ctx, key).Val()
		}
		all += fmt.Sprintf("%s=%v; ", key, holds)
	}
	return all
}

func wantEqual[T comparable](t tester, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

func wantList(t tester, what string, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s:\n got %q\nwant %q", what, got, want)
	}
}

// wantSame compares regardless of order, so that both a loss and a double show.
func wantSame(t tester, what string, got, want []string) {
	t.Helper()
	wantList(t, what, slices.Sorted(slices.Values(got)), slices.Sorted(slices.Values(want)))
}
