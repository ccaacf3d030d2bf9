package responses

import (
	"context"
	"errors"
	"fmt"
	"time"

	"fanfare/internal/keys"
	"fanfare/internal/redisx"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"
)

// The defaults of OutboxOptions.
const (
	DefaultForward = 500
	DefaultLock    = 2 * time.Second
)

// OutboxOptions of an Outbox; a zero field takes its default.
type OutboxOptions struct {
	Batch int           // results that are moved at a time
	Lock  time.Duration // how long another process leaves an outbox alone that this one has begun to forward
}

func (o OutboxOptions) withDefaults() OutboxOptions {
	if o.Batch == 0 {
		o.Batch = DefaultForward
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
func NewOutbox(rdb redis.UniversalClient, names keys.Names, o OutboxOptions) (*Outbox, error) {
	o = o.withDefaults()
	if err := o.validate(); err != nil {
		return nil, fmt.Errorf("outbox: %w", err)
	}
	return &Outbox{rdb: rdb, responses: names.ResponsesList().Plain(), owner: uuid.NewString(), o: o}, nil
}

// Forward moves what waits in a campaign's outbox as the call begins, and tells how many results it moved. Each result
// arrives at least once: being cut off anywhere, or another process doing the same, repeats results and loses none.
// While another process forwards this outbox there is nothing to do, and forwarded is 0.
//
// Results are read and pushed by plain commands: bytes that pass through a script cost Redis twice as much.
func (o *Outbox) Forward(ctx context.Context, campaign keys.List) (forwarded int, err error) {
	outbox, lock := campaign.Key(keys.SuffixOutbox), campaign.Key(keys.SuffixForward)
	for left := int64(1); left > 0; {
		waiting, results, err := o.peek(ctx, outbox, lock)
		if err != nil {
			return forwarded, fmt.Errorf("peek into %s: %w", outbox, o.typed(ctx, err, outbox))
		}
		if len(results) == 0 {
			return forwarded, nil
		}
		if forwarded == 0 {
			left = waiting
		}
		if err := o.push(ctx, results); err != nil {
			return forwarded, fmt.Errorf("push results to %s: %w", o.responses, o.typed(ctx, err, o.responses))
		}
		n := len(results)
		err = trimScript.Run(ctx, o.rdb, []string{outbox, lock}, o.owner, o.o.Lock.Milliseconds(), n, results[0], results[n-1]).Err()
		if err != nil {
			return forwarded, fmt.Errorf("trim %s: %w", outbox, err)
		}
		forwarded += n
		left -= int64(n)
	}
	return forwarded, nil
}

// peek reads the head of an outbox, and how many results wait there. It reads nothing while the lock is another's. The
// lock only keeps processes from doing the same work twice; trim is what makes forwarding safe. So a Redis that is too
// full for a lock is forwarded without one.
func (o *Outbox) peek(ctx context.Context, outbox, lock string) (waiting int64, results []string, err error) {
	pipe := o.rdb.Pipeline()
	taken := pipe.SetNX(ctx, lock, o.owner, o.o.Lock)
	holder := pipe.Get(ctx, lock)
	length := pipe.LLen(ctx, outbox)
	head := pipe.LRange(ctx, outbox, 0, int64(o.o.Batch)-1)
	_, _ = pipe.Exec(ctx) // each command tells its own error
	if err := taken.Err(); err != nil && !redis.IsOOMError(err) {
		return 0, nil, err
	}
	if err := holder.Err(); err != nil && !errors.Is(err, redis.Nil) {
		return 0, nil, fmt.Errorf("read the lock %s: %w", lock, err)
	}
	if err := errors.Join(length.Err(), head.Err()); err != nil {
		return 0, nil, err
	}
	switch by := holder.Val(); {
	case by != "" && by != o.owner:
		return 0, nil, nil
	case by != "" && len(head.Val()) == 0: // who finds nothing, and may be about to stop, is in nobody's way
		return 0, nil, o.rdb.Del(ctx, lock).Err()
	}
	return length.Val(), head.Val(), nil
}

// push appends to the list of responses, which never expires: PERSIST undoes what another program may have set. A script
// may push where Redis is too full for the plain command.
func (o *Outbox) push(ctx context.Context, results []string) error {
	elements := make([]any, len(results))
	for i, result := range results {
		elements[i] = result
	}
	pipe := o.rdb.Pipeline()
	pipe.Persist(ctx, o.responses)
	pipe.RPush(ctx, o.responses, elements...)
	_, err := pipe.Exec(ctx)
	if redis.IsOOMError(err) {
		err = pushScript.Run(ctx, o.rdb, []string{o.responses}, elements...).Err()
	}
	return err
}

// typed makes a *redisx.TypeError of Redis' WRONGTYPE, which does not name the key, where that is no list.
func (o *Outbox) typed(ctx context.Context, err error, key string) error {
	if !redis.HasErrorPrefix(err, "WRONGTYPE") {
		return err
	}
	holds, lookErr := o.rdb.Type(ctx, key).Result()
	if lookErr != nil || holds == "list" || holds == "none" {
		return err
	}
	return &redisx.TypeError{Key: key, Holds: holds, Want: "list"}
}
