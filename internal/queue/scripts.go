package queue

import (
	"context"
	_ "embed"
	"fmt"
	"strings"

	"github.com/redis/go-redis/v9"
)

//go:embed lua/common.lua
var common string

//go:embed lua/prelude.lua
var prelude string

//go:embed lua/journal.lua
var journal string

//go:embed lua/guard_list.lua
var guardList string

//go:embed lua/claim.lua
var claimLua string

//go:embed lua/extend.lua
var extendLua string

//go:embed lua/settle.lua
var settleLua string

//go:embed lua/release.lua
var releaseLua string

//go:embed lua/expired.lua
var expiredLua string

//go:embed lua/count.lua
var countLua string

//go:embed lua/append.lua
var appendLua string

var (
	claimScript   = NewScript(prelude, journal, guardList, claimLua)
	extendScript  = NewScript(prelude, extendLua)
	settleScript  = NewScript(prelude, journal, settleLua)
	releaseScript = NewScript(prelude, journal, releaseLua)
	expiredScript = NewScript(prelude, expiredLua)
	countScript   = NewScript(prelude, journal, countLua)
	appendScript  = NewScript(prelude, appendLua)
)

// NewScript makes a script of pieces of Lua, behind what all scripts have in common: lua/common.lua.
func NewScript(pieces ...string) *redis.Script { return redis.NewScript(Script(pieces...)) }

// GuardList is Lua for scripts of other rooms that look at a list: read_notes and guard_list, which keep what waits there beyond
// its producer's expiry.
func GuardList() string { return guardList }

// Script is the text of a NewScript, for pipelines, which cannot fall back from EVALSHA.
func Script(pieces ...string) string { return common + strings.Join(pieces, "") }

// run calls a script; a reply that says WRONGTYPE becomes a *TypeError.
func (q *Queue) run(ctx context.Context, script *redis.Script, keys []string, args ...any) *redis.Cmd {
	cmd := script.Run(ctx, q.rdb, keys, args...)
	if err := cmd.Err(); err != nil {
		cmd.SetErr(Typed(err))
	}
	return cmd
}

// wrap names the operation and the list in an error.
func (q *Queue) wrap(verb string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s %s: %w", verb, q.list.plain, err)
}
