// Package queue is a leased Redis list. A producer RPUSHes elements; workers claim them and then
// settle, defer or give back each one. A lost reply or a dead worker neither loses nor doubles an
// element.
//
// Every transition is one script. The caller makes up the id of the claim or load, so that
// repeating a call is harmless: go-redis repeats a command whose reply was lost.
//
// An element is in exactly one place: the producer's list, a lease, the list of returned elements
// (back), or the set of retries. Outside the producer's list it is stored as "<id> <attempts>
// <lost> <since ms> <raw>". In its first lease it is stored as the producer wrote it, and the lease
// holds the missing words. If its progress was saved, <attempts> is "<attempts>;<progress>".
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

// New returns the queue over a list. It does not talk to Redis.
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

// List returns the names of the queue's keys.
func (q *Queue) List() keys.List { return q.list }

// LeaseTTL is how long a claim is kept without an Extend.
func (q *Queue) LeaseTTL() time.Duration { return q.o.Lease }

var (
	lua = redisx.NewLua(files)

	claimScript    = redis.NewScript(redisx.Join(lua.Piece("prelude"), lua.Piece("journal"), GuardList(), lua.Piece("claim")))
	extendScript   = lua.Script("prelude", "extend")
	settleScript   = lua.Script("prelude", "journal", "settle")
	progressScript = lua.Script("prelude", "journal", "progress")
	releaseScript  = lua.Script("prelude", "journal", "release")
	expiredScript  = lua.Script("prelude", "expired")
	countScript    = lua.Script("prelude", "journal", "count")
	appendScript   = lua.Script("prelude", "append_prelude", "append")
	pushedScript   = lua.Script("prelude", "append_prelude", "append_pushed")
)

// GuardList is Lua for scripts of other packages that look at a list. It defines kept_ms
// (GuardTTL), notes_of, read_notes and guard_list, which keep a list longer than its producer's
// expiry says.
func GuardList() string {
	return fmt.Sprintf("local kept_ms = %d\n", GuardTTL.Milliseconds()) + lua.Piece("guard_list")
}

// run calls a script. It turns a WRONGTYPE reply into a *redisx.TypeError.
func (q *Queue) run(ctx context.Context, script *redis.Script, keys []string, args ...any) *redis.Cmd {
	cmd := script.Run(ctx, q.rdb, keys, args...)
	if err := cmd.Err(); err != nil {
		cmd.SetErr(redisx.AsTypeError(err))
	}
	return cmd
}

// wrap adds the operation and the list to an error.
func (q *Queue) wrap(verb string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s %s: %w", verb, q.list.Plain(), err)
}
