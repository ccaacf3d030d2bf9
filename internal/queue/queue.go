// Package queue is the leased Redis list: elements that somebody RPUSHes are claimed, settled, put off or given back,
// and none is lost or doubled when a reply or a worker is. Every transition is one script, keyed by an id that the
// caller makes up, so that repeating it is harmless; go-redis repeats a command whose reply was lost.
//
// An element is in exactly one place: the producer's list, a lease, the list of what came back, or the set of
// retries. Outside the producer's list it is kept as "<id> <attempts> <lost> <since ms> <raw>"; only in its first
// lease is it kept as the producer wrote it, and what it lacks is with the lease.
package queue

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"time"

	"fanfare/internal/redisx"

	"fanfare/internal/keys"

	"github.com/redis/go-redis/v9"
)

//go:embed lua
var files embed.FS

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

var (
	lua = redisx.NewLua(files)

	claimScript   = redis.NewScript(redisx.Join(lua.Piece("prelude"), lua.Piece("journal"), GuardList(), lua.Piece("claim")))
	extendScript  = lua.Script("prelude", "extend")
	settleScript  = lua.Script("prelude", "journal", "settle")
	releaseScript = lua.Script("prelude", "journal", "release")
	expiredScript = lua.Script("prelude", "expired")
	countScript   = lua.Script("prelude", "journal", "count")
	appendScript  = lua.Script("prelude", "append")
)

// GuardList is Lua for scripts of other rooms that look at a list: read_notes and guard_list. They keep what waits
// in the list beyond its producer's expiry. They stand behind kept_ms, which is Kept.
func GuardList() string {
	return fmt.Sprintf("local kept_ms = %d\n", Kept.Milliseconds()) + lua.Piece("guard_list")
}

// run calls a script; a reply that says WRONGTYPE becomes a *TypeError.
func (q *Queue) run(ctx context.Context, script *redis.Script, keys []string, args ...any) *redis.Cmd {
	cmd := script.Run(ctx, q.rdb, keys, args...)
	if err := cmd.Err(); err != nil {
		cmd.SetErr(redisx.Typed(err))
	}
	return cmd
}

// wrap names the operation and the list in an error.
func (q *Queue) wrap(verb string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s %s: %w", verb, q.list.Plain(), err)
}
