package leasekeeper_test

import (
	"context"
	"fmt"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"fanfare/internal/keys"
	"fanfare/internal/leasekeeper"
	"fanfare/internal/queue"
)

// A worker extends its leases. Those of a worker that died are reaped.
func Example() {
	ctx, server := context.Background(), miniredis.NewMiniRedis()
	if err := server.Start(); err != nil {
		fmt.Println(err)
		return
	}
	defer server.Close()
	rdb := redis.NewClient(&redis.Options{Addr: server.Addr()})
	defer func() { _ = rdb.Close() }()
	rdb.RPush(ctx, "campaign:42", "a", "b")
	list, _ := keys.Default().Campaign("42")
	q, _ := queue.New(rdb, list, queue.Options{})

	leases := leasekeeper.NewSet[*leasekeeper.Lease]()
	for _, worker := range []string{"alive", "dead"} {
		claimed, _ := q.Claim(ctx, queue.NewID(), 1)
		lease := &leasekeeper.Lease{Queue: q, Claim: claimed.Claim, OnLost: func() { fmt.Println(worker, "lost its lease") }}
		lease.ExtendTo(claimed.Until)
		leases.Add(lease)
		if worker == "dead" {
			rdb.ZAdd(ctx, list.Key("leases"), redis.Z{Member: claimed.Claim}) // its time is over
		}
	}

	reaper := leasekeeper.Reaper{
		Queues:   func() []*queue.Queue { return []*queue.Queue{q} },
		Timeout:  time.Second,
		OnReaped: func(_ *queue.Queue, elements int) { fmt.Println("reaped:", elements) },
	}
	reaper.Reap(ctx)
	extender := leasekeeper.Extender{Leases: leases, TTL: q.LeaseTTL()}
	extender.Extend(ctx)
	// Output:
	// reaped: 1
	// dead lost its lease
}
