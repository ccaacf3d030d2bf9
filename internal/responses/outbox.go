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
	DefaultForwardBatch = 500
	DefaultLockTTL      = 2 * time.Second
)

// OutboxOptions are the options of an Outbox. A zero field takes its default.
type OutboxOptions struct {
	Batch   int           // results in one move
	LockTTL time.Duration // how long this process has an outbox for itself
}

func (o OutboxOptions) withDefaults() OutboxOptions {
	if o.Batch == 0 {
		o.Batch = DefaultForwardBatch
	}
	if o.LockTTL == 0 {
		o.LockTTL = DefaultLockTTL
	}
	return o
}

func (o OutboxOptions) validate() error {
	switch {
	case o.Batch < 1:
		return fmt.Errorf("batch of %d results is too small; use at least 1", o.Batch)
	case o.LockTTL < time.Millisecond:
		return fmt.Errorf("lock of %s is too short; use at least 1 ms", o.LockTTL)
	}
	return nil
}

// Outbox moves results from the outboxes of campaigns, {campaign:<id>}:outbox, to the list of
// responses. That list is in another Cluster slot, so the script that ends a recipient cannot write
// it. An Outbox is safe for concurrent use.
type Outbox struct {
	rdb       redis.UniversalClient
	responses string
	owner     string
	o         OutboxOptions
}

// NewOutbox returns an Outbox. It does not talk to Redis.
func NewOutbox(rdb redis.UniversalClient, names keys.Names, o OutboxOptions) (*Outbox, error) {
	o = o.withDefaults()
	if err := o.validate(); err != nil {
		return nil, fmt.Errorf("outbox: %w", err)
	}
	return &Outbox{rdb: rdb, responses: names.ResponsesList().Plain(), owner: uuid.NewString(), o: o}, nil
}

// Forward moves the results that wait in a campaign's outbox when the call begins. It returns how
// many it moved. Each result arrives at least once: an interruption, or another process doing the
// same, repeats results and loses none. While another process forwards this outbox, Forward does
// nothing and returns 0.
//
// It reads and pushes results with plain commands: bytes that pass through a script cost Redis
// twice as much.
func (o *Outbox) Forward(ctx context.Context, campaign keys.List) (forwarded int, err error) {
	outbox, lock := campaign.Key(keys.SuffixOutbox), campaign.Key(keys.SuffixForward)
	for left := int64(1); left > 0; {
		waiting, results, err := o.peek(ctx, outbox, lock)
		if err != nil {
			return forwarded, fmt.Errorf("peek into %s: %w", outbox, o.nameWrongType(ctx, err, outbox))
		}
		if len(results) == 0 {
			return forwarded, nil
		}
		if forwarded == 0 {
			left = waiting
		}
		if err := o.push(ctx, results); err != nil {
			return forwarded, fmt.Errorf("push results to %s: %w", o.responses, o.nameWrongType(ctx, err, o.responses))
		}
		n := len(results)
		err = trimScript.Run(ctx, o.rdb, []string{outbox, lock}, o.owner, o.o.LockTTL.Milliseconds(), n, results[0], results[n-1]).Err()
		if err != nil {
			return forwarded, fmt.Errorf("trim %s: %w", outbox, err)
		}
		forwarded += n
		left -= int64(n)
	}
	return forwarded, nil
}

// peek reads the head of an outbox, and how many results wait there. It reads nothing while another
// process has the lock. The lock only saves double work, and trim is what makes forwarding safe. So
// peek does without one if Redis is too full for it.
func (o *Outbox) peek(ctx context.Context, outbox, lock string) (waiting int64, results []string, err error) {
	pipe := o.rdb.Pipeline()
	taken := pipe.SetNX(ctx, lock, o.owner, o.o.LockTTL)
	holder := pipe.Get(ctx, lock)
	length := pipe.LLen(ctx, outbox)
	head := pipe.LRange(ctx, outbox, 0, int64(o.o.Batch)-1)
	_, _ = pipe.Exec(ctx) // each command has its own error
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
	case by != "" && len(head.Val()) == 0: // free the lock, since this process may stop
		return 0, nil, o.rdb.Del(ctx, lock).Err()
	}
	return length.Val(), head.Val(), nil
}

// push appends to the list of responses. That list never expires: PERSIST removes an expiry that
// another program may have set. A script may push when Redis is too full for the plain command.
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

// nameWrongType turns Redis' WRONGTYPE, which does not name the key, into a *redisx.TypeError, if
// the key is no list.
func (o *Outbox) nameWrongType(ctx context.Context, err error, key string) error {
	if !redis.HasErrorPrefix(err, "WRONGTYPE") {
		return err
	}
	holds, lookErr := o.rdb.Type(ctx, key).Result()
	if lookErr != nil || holds == "list" || holds == "none" {
		return err
	}
	return &redisx.TypeError{Key: key, Holds: holds, Want: "list"}
}
