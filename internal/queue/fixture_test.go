package queue_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/redis/go-redis/v9"

	"fanfare/internal/keys"
	"fanfare/internal/queue"
)

// tester is what the tests and the property test (whose T is another one) have in common.
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
	rdb  redis.UniversalClient // sound, whatever the queue itself uses
	id   string
	list keys.List
}

func open(t *testing.T, b *backend, o queue.Options) fixture {
	t.Helper()
	return openOn(t, b.rdb, b.rdb, queue.NewClaimID(), o)
}

// openOn lets the queue talk over one client and the test look over another. Payloads go to the outbox.
func openOn(t tester, rdb, sound redis.UniversalClient, id string, o queue.Options) fixture {
	t.Helper()
	list, err := keys.Default().Campaign(id)
	if err != nil {
		t.Fatalf("name list: %v", err)
	}
	o.Emit = list.Key(keys.SuffixOutbox)
	if o.Direct != "" {
		o.Direct = list.Key(o.Direct) // in the one slot that a cluster takes
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

// claim claims under a new id, and fails the test if it cannot.
func (f fixture) claim(n int) queue.Lease {
	f.Helper()
	return f.claimAs(queue.NewClaimID(), n)
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

// expire moves the end of leases into the past, which is quicker than waiting for it.
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

// endAll settles all elements of a lease as sent, each emitting what it is.
func endAll(l queue.Lease) []queue.Settlement {
	all := make([]queue.Settlement, len(l.Elements))
	for i, e := range l.Elements {
		all[i] = sent(l.Claim, e.Pos, string(e.Raw))
	}
	return all
}
