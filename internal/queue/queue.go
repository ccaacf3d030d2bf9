// Package queue is the leased Redis list: elements that somebody RPUSHes are claimed, settled, put off or given back,
// and none is lost or doubled when a reply or a worker is. Every transition is one script, keyed by an id that the
// caller makes up, so that repeating it is harmless; go-redis repeats a command whose reply was lost.
//
// An element is in exactly one place: the producer's list, a lease, the list of what came back, or the set of
// retries. Outside the producer's list it is kept as "<id> <attempts> <lost> <since ms> <raw>"; only in its first
// lease is it kept as the producer wrote it, and what it lacks is with the lease.
package queue

import (
	"errors"
	"fmt"
	"time"

	"fanfare/internal/keys"

	"github.com/redis/go-redis/v9"
)

// Queue is one leased list. It is safe for concurrent use and holds no state of its own.
type Queue struct {
	rdb  redis.UniversalClient
	list keys.List
	o    Options

	back, retry, leases, counts string
}

// New makes the queue over a list; it does not talk to Redis.
func New(rdb redis.UniversalClient, list keys.List, o Options) (*Queue, error) {
	if list.Plain() == "" {
		return nil, errors.New("queue: list has no name")
	}
	o = o.withDefaults()
	if err := o.validate(list); err != nil {
		return nil, fmt.Errorf("queue %s: %w", list.Plain(), err)
	}
	return &Queue{
		rdb: rdb, list: list, o: o,
		back:   list.Key(keys.SuffixBack),
		retry:  list.Key(keys.SuffixRetry),
		leases: list.Key(keys.SuffixLeases),
		counts: list.Key(keys.SuffixCounts),
	}, nil
}

// List names the queue's keys.
func (q *Queue) List() keys.List { return q.list }

// Lease is how long a claim is kept without an Extend.
func (q *Queue) Lease() time.Duration { return q.o.Lease }
