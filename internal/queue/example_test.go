package queue_test

import (
	"context"
	"fmt"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"fanfare/internal/keys"
	"fanfare/internal/queue"
)

// A worker claims two recipients. It settles the first and gives the other one back.
func ExampleQueue() {
	ctx, server := context.Background(), miniredis.NewMiniRedis()
	if err := server.Start(); err != nil {
		fmt.Println(err)
		return
	}
	defer server.Close()
	rdb := redis.NewClient(&redis.Options{Addr: server.Addr()})
	defer func() { _ = rdb.Close() }()
	rdb.RPush(ctx, "campaign:42", `{"userId":1}`, `{"userId":2}`, `{"userId":3}`)

	list, _ := keys.Default().Campaign("42")
	q, _ := queue.New(rdb, list, queue.Options{Lease: time.Minute, Emit: list.Key(keys.SuffixOutbox)})
	lease, _ := q.Claim(ctx, queue.NewID(), 2)
	first := lease.Elements[0]
	fmt.Printf("claimed %d, first %s\n", len(lease.Elements), first.Raw)

	result := []byte(`{"userId":1,"status":"sent"}`)
	settled, _ := q.Settle(ctx, []queue.Settlement{{Claim: lease.Claim, Pos: first.Pos, Status: "sent", Emit: result}})
	returned, _ := q.GiveBack(ctx, lease.Claim)
	fmt.Printf("settled %d, returned %d\n", settled, returned)

	c, _ := q.Count(ctx)
	fmt.Printf("listed %d, back %d, in flight %d, sent %d, outbox %d\n", c.Listed, c.Back, c.InFlight, c.Ended["sent"], c.Outbox)
	// Output:
	// claimed 2, first {"userId":1}
	// settled 1, returned 1
	// listed 1, back 1, in flight 0, sent 1, outbox 1
}
