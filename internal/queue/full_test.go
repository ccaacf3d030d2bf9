package queue_test

import (
	"strings"
	"testing"
	"time"

	"fanfare/internal/queue"
	"fanfare/test/servers"
)

// A Redis that is full and must not evict still drains: only new elements are refused.
func TestFullRedisDrains(t *testing.T) {
	b := single(t, "redis", servers.Redis(t, "--maxmemory-policy", "noeviction"))
	f := open(t, b, queue.Options{})
	all := numbered("u", 400)
	f.push(all...)
	early, given, expired := f.claim(50), f.claim(50), f.claim(50)
	f.settle(queue.Settlement{Claim: early.Claim, Pos: 1, Later: true})
	f.expire(expired.Claim)
	if err := f.rdb.ConfigSet(t.Context(), "maxmemory", "1mb").Err(); err != nil {
		t.Fatal(err)
	}
	if err := f.rdb.RPush(t.Context(), f.list.Plain(), "more").Err(); err == nil || !strings.HasPrefix(err.Error(), "OOM") {
		t.Fatalf("a plain push into a full Redis: %v, want OOM", err)
	}
	_, err := f.Append(t.Context(), queue.Batch{Load: "load", Elements: [][]byte{[]byte("more")}})
	if err == nil || !strings.Contains(err.Error(), "OOM") {
		t.Errorf("an append to a full Redis: %v, want OOM", err)
	}

	if lost, err := f.Extend(t.Context(), early.Claim, given.Claim); err != nil || len(lost) > 0 {
		t.Fatalf("extend: lost %v, error %v", lost, err)
	}
	f.giveBack(given.Claim)
	wantEqual(t, "reaped", f.reap(), 50)
	wantEqual(t, "repeated claim", len(f.claimAs(early.Claim, 50).Elements), 49)
	f.settle(queue.Settlement{Claim: early.Claim, Pos: 2, Later: true})
	f.settle(endAll(early)[2:]...)
	f.rdb.Expire(t.Context(), f.list.Plain(), time.Hour)
	for {
		lease := f.claim(50)
		if len(lease.Elements) == 0 {
			break
		}
		wantEqual(t, "applied", f.settle(endAll(lease)...), len(lease.Elements))
	}
	wantSame(t, "outbox", f.outbox(), all)
	wantEqual(t, "accepted", f.counts().Accepted, 0)
}
