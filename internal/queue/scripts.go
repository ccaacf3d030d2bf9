package queue

import (
	"context"
	_ "embed"
	"fmt"
	"strings"

	"github.com/redis/go-redis/v9"
)

//go:embed lua/prelude.lua
var prelude string

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
	claimScript   = redis.NewScript(prelude + claimLua)
	extendScript  = redis.NewScript(prelude + extendLua)
	settleScript  = redis.NewScript(prelude + settleLua)
	releaseScript = redis.NewScript(prelude + releaseLua)
	expiredScript = redis.NewScript(prelude + expiredLua)
	countScript   = redis.NewScript(prelude + countLua)
	appendScript  = redis.NewScript(prelude + appendLua)
)

// run calls a script; a reply that says WRONGTYPE becomes a *TypeError.
func (q *Queue) run(ctx context.Context, script *redis.Script, keys []string, args ...any) *redis.Cmd {
	cmd := script.Run(ctx, q.rdb, keys, args...)
	if err := cmd.Err(); err != nil && strings.HasPrefix(err.Error(), "WRONGTYPE ") {
		if wrong, ok := parseTypeError(err.Error()); ok {
			cmd.SetErr(wrong)
		}
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
