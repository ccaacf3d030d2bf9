package responses

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"

	"fanfare/internal/queue"
)

// The defaults of OutboxOptions.
const (
	DefaultForward      = 1000
	DefaultForwardBytes = 1 << 20
	DefaultLock         = 2 * time.Second
)

// OutboxOptions of an Outbox; a zero field takes its default.
type OutboxOptions struct {
	Batch      int           // results that are moved at a time
	BatchBytes int           // bytes that are moved at a time, unless one result alone is longer
	Lock       time.Duration // how long another process leaves an outbox alone that this one has begun to forward
}

func (o OutboxOptions) withDefaults() OutboxOptions {
	if o.Batch == 0 {
		o.Batch = DefaultForward
	}
	if o.BatchBytes == 0 {
		o.BatchBytes = DefaultForwardBytes
	}
	if o.Lock == 0 {
		o.Lock = DefaultLock
	}
	return o
}

func (o OutboxOptions) validate() error {
	switch {
	case o.Batch < 1:
		return fmt.Errorf("batch of %d results is not positive", o.Batch)
	case o.BatchBytes < 1:
		return fmt.Errorf("batch of %d bytes is not positive", o.BatchBytes)
	case o.Lock < time.Millisecond:
		return fmt.Errorf("lock of %s is shorter than a millisecond", o.Lock)
	}
	return nil
}

// Outbox carries results from the outboxes of campaigns, {campaign:<id>}:outbox, to the list of responses, which is in
// another Cluster slot and so cannot be written in the script that ends a recipient. It is safe for concurrent use.
type Outbox struct {
	rdb       redis.UniversalClient
	responses string
	owner     string
	o         OutboxOptions
}

// NewOutbox makes the way out; it does not talk to Redis.
func NewOutbox(rdb redis.UniversalClient, names queue.Names, o OutboxOptions) (*Outbox, error) {
	o = o.withDefaults()
	if err := o.validate(); err != nil {
		return nil, fmt.Errorf("outbox: %w", err)
	}
	return &Outbox{rdb: rdb, responses: names.ResponsesList().Plain(), owner: uuid.NewString(), o: o}, nil
}

// Forward moves what waits in a campaign's outbox as the call begins, and tells how many results it moved. Each result
// arrives at least once: being cut off anywhere, or another process doing the same, repeats results and loses none.
// While another process forwards this outbox there is nothing to do, and forwarded is 0.
func (o *Outbox) Forward(ctx context.Context, campaign queue.List) (forwarded int, err error) {
	keys := []string{campaign.Key(queue.SuffixOutbox), campaign.Key(queue.SuffixForward)}
	for left := 1; left > 0; {
		waiting, results, err := o.peek(ctx, keys)
		if err != nil {
			return forwarded, fmt.Errorf("peek into %s: %w", keys[0], err)
		}
		if len(results) == 0 {
			return forwarded, nil
		}
		if forwarded == 0 {
			left = waiting
		}
		if err := pushScript.Run(ctx, o.rdb, []string{o.responses}, results...).Err(); err != nil {
			return forwarded, fmt.Errorf("push results to %s: %w", o.responses, err)
		}
		n := len(results)
		if err := trimScript.Run(ctx, o.rdb, keys, o.owner, n, results[0], results[n-1]).Err(); err != nil {
			return forwarded, fmt.Errorf("trim %s: %w", keys[0], err)
		}
		forwarded += n
		left -= n
	}
	return forwarded, nil
}

func (o *Outbox) peek(ctx context.Context, keys []string) (waiting int, results []any, err error) {
	reply, err := peekScript.Run(ctx, o.rdb, keys, o.owner, o.o.Lock.Milliseconds(), o.o.Batch, o.o.BatchBytes).Slice()
	if err != nil {
		return 0, nil, err
	}
	if len(reply) != 2 {
		return 0, nil, errReply
	}
	n, ok1 := reply[0].(int64)
	results, ok2 := reply[1].([]any)
	if !ok1 || !ok2 {
		return 0, nil, errReply
	}
	return int(n), results, nil
}

var errReply = errors.New("script replied in another shape than it promises")
