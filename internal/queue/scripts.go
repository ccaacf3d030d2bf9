package queue

import (
	"context"
	"embed"
	"fmt"

	"github.com/redis/go-redis/v9"

	"fanfare/internal/redisx"
)

//go:embed lua
var files embed.FS

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
