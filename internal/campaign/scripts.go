package campaign

import (
	"context"
	_ "embed"
	"fmt"

	"github.com/redis/go-redis/v9"

	"fanfare/internal/queue"
)

//go:embed lua/prelude.lua
var prelude string

//go:embed lua/create.lua
var createLua string

//go:embed lua/move.lua
var moveLua string

//go:embed lua/change.lua
var changeLua string

//go:embed lua/complete.lua
var completeLua string

//go:embed lua/adopt.lua
var adoptLua string

//go:embed lua/retain.lua
var retainLua string

//go:embed lua/begin_load.lua
var beginLoadLua string

//go:embed lua/loaded.lua
var loadedLua string

//go:embed lua/bury.lua
var buryLua string

//go:embed lua/forget.lua
var forgetLua string

//go:embed lua/register.lua
var registerLua string

var (
	createScript    = queue.NewScript(prelude, createLua)
	moveScript      = queue.NewScript(prelude, moveLua)
	changeScript    = queue.NewScript(prelude, changeLua)
	completeScript  = queue.NewScript(prelude, completeLua)
	adoptScript     = queue.NewScript(prelude, adoptLua)
	retainScript    = queue.NewScript(prelude, retainLua)
	beginLoadScript = queue.NewScript(prelude, beginLoadLua)
	loadedScript    = queue.NewScript(prelude, loadedLua)
	buryScript      = queue.NewScript(prelude, buryLua)
	forgetScript    = queue.NewScript(prelude, forgetLua)
	registerScript  = queue.NewScript(prelude, registerLua)
)

// run calls a script and returns the word it answers with, and the one behind it, if any. A key of the wrong type is a
// *queue.TypeError; nothing was changed then.
func (c *Campaigns) run(ctx context.Context, s *redis.Script, keys []string, args ...any) (word, detail string, err error) {
	return decode(s.Run(ctx, c.rdb, keys, args...))
}

func decode(cmd *redis.Cmd) (word, detail string, err error) {
	reply, err := cmd.StringSlice()
	switch {
	case err != nil:
		return "", "", queue.Typed(err)
	case len(reply) == 0:
		return "", "", queue.ErrReply
	case len(reply) == 1:
		return reply[0], "", nil
	default:
		return reply[0], reply[1], nil
	}
}

// wrap names the operation and the campaign in an error.
func wrap(verb, id string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s campaign %s: %w", verb, id, err)
}
