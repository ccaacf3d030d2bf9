// Package queue is the leased Redis list: elements that somebody RPUSHes are claimed, settled, put off or given back,
// and none is lost or doubled when a reply or a worker is. Every transition is one script, keyed by an id that the
// caller makes up, so that repeating it is harmless; go-redis repeats a command whose reply was lost.
package queue

import (
	"errors"
	"fmt"

	"github.com/redis/go-redis/v9"
)

// Queue is one leased list. It is safe for concurrent use and holds no state of its own.
type Queue struct {
	rdb  redis.UniversalClient
	list List
	o    Options
}

// New makes the queue over a list; it does not talk to Redis.
func New(rdb redis.UniversalClient, list List, o Options) (*Queue, error) {
	if list.plain == "" {
		return nil, errors.New("queue: list has no name")
	}
	o = o.withDefaults()
	if err := o.validate(list); err != nil {
		return nil, fmt.Errorf("queue %s: %w", list.plain, err)
	}
	return &Queue{rdb: rdb, list: list, o: o}, nil
}

// List names the queue's keys.
func (q *Queue) List() List { return q.list }
