package queue_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"fanfare/internal/keys"
	"fanfare/internal/queue"
	"fanfare/test/backends"
)

// tester is what testing.T and rapid.T have in common.
type tester interface {
	Helper()
	Fatalf(format string, args ...any)
	Errorf(format string, args ...any)
	Context() context.Context
}

// fixture is a queue over a list of its own.
type fixture struct {
	tester
	*queue.Queue
	rdb  redis.UniversalClient // reliable, whatever the queue uses
	id   string
	list keys.List
}

func open(t *testing.T, b *backends.Backend, o queue.Options) fixture {
	t.Helper()
	return openOn(t, b.Redis, b.Redis, queue.NewID(), o)
}

// openOn makes a queue that uses one client, for a test that looks at it through another. Payloads
// go to the outbox.
func openOn(t tester, rdb, sound redis.UniversalClient, id string, o queue.Options) fixture {
	t.Helper()
	list, err := keys.Default().Campaign(id)
	if err != nil {
		t.Fatalf("name list: %v", err)
	}
	o.Emit = list.Key(keys.SuffixOutbox)
	if o.Direct != "" {
		o.Direct = list.Key(o.Direct) // in the slot that a cluster demands
	}
	q, err := queue.New(rdb, list, o)
	if err != nil {
		t.Fatalf("make queue: %v", err)
	}
	return fixture{tester: t, Queue: q, rdb: sound, id: id, list: list}
}

func (f fixture) push(elements ...string) {
	f.Helper()
	for some := range slices.Chunk(elements, 1000) {
		if err := f.rdb.RPush(f.Context(), f.list.Plain(), some).Err(); err != nil {
			f.Fatalf("push: %v", err)
		}
	}
}

// claim claims under a new id.
func (f fixture) claim(n int) queue.Lease {
	f.Helper()
	return f.claimAs(queue.NewID(), n)
}

func (f fixture) claimAs(claim string, n int) queue.Lease {
	f.Helper()
	lease, err := f.Claim(f.Context(), claim, n)
	if err != nil {
		f.Fatalf("claim: %v", err)
	}
	return lease
}

func (f fixture) settle(settlements ...queue.Settlement) int {
	f.Helper()
	applied, err := f.Settle(f.Context(), settlements)
	if err != nil {
		f.Fatalf("settle: %v", err)
	}
	return applied
}

func (f fixture) giveBack(claims ...string) int {
	f.Helper()
	n, err := f.GiveBack(f.Context(), claims...)
	if err != nil {
		f.Fatalf("give back: %v", err)
	}
	return n
}

func (f fixture) reap() int {
	f.Helper()
	n, err := f.Reap(f.Context())
	if err != nil {
		f.Fatalf("reap: %v", err)
	}
	return n
}

// expire moves the end of leases into the past, so that no test waits for it.
func (f fixture) expire(claims ...string) {
	f.Helper()
	for _, claim := range claims {
		if err := f.rdb.ZAddXX(f.Context(), f.list.Key(keys.SuffixLeases), redis.Z{Score: 1, Member: claim}).Err(); err != nil {
			f.Fatalf("expire lease: %v", err)
		}
	}
}

// fallDue moves all retries into the past, in the order of their due times.
func (f fixture) fallDue() {
	f.Helper()
	key := f.list.Key(keys.SuffixRetry)
	members, err := f.rdb.ZRange(f.Context(), key, 0, -1).Result()
	if err != nil {
		f.Fatalf("read retries: %v", err)
	}
	for i, member := range members {
		if err := f.rdb.ZAdd(f.Context(), key, redis.Z{Score: float64(i + 1), Member: member}).Err(); err != nil {
			f.Fatalf("move retry: %v", err)
		}
	}
}

func raws(l queue.Lease) []string {
	all := make([]string, len(l.Elements))
	for i, e := range l.Elements {
		all[i] = string(e.Raw)
	}
	return all
}

// numbered makes n different elements.
func numbered(prefix string, n int) []string {
	all := make([]string, n)
	for i := range all {
		all[i] = fmt.Sprintf(`{"userId":"%s%d"}`, prefix, i)
	}
	return all
}

func sent(claim string, pos int, payload string) queue.Settlement {
	return queue.Settlement{Claim: claim, Pos: pos, Status: "sent", Emit: []byte(payload)}
}

// endAll returns settlements that end all elements of a lease as sent, each with itself as the
// payload.
func endAll(l queue.Lease) []queue.Settlement {
	all := make([]queue.Settlement, len(l.Elements))
	for i, e := range l.Elements {
		all[i] = sent(l.Claim, e.Pos, string(e.Raw))
	}
	return all
}

// counts reads the books. It checks that they balance and that the leases hold what they say.
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

// raw returns the producer's part of a value that a queue has written.
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

// dump lists all keys of the list with their values.
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

// wantSame compares regardless of order, so that both a loss and a duplicate show.
func wantSame(t tester, what string, got, want []string) {
	t.Helper()
	wantList(t, what, slices.Sorted(slices.Values(got)), slices.Sorted(slices.Values(want)))
}
