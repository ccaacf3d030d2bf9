package campaign

import (
	"context"
	_ "embed"
	"fmt"

	"github.com/redis/go-redis/v9"

	"fanfare/internal/queue"
	"fanfare/internal/terminal"
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

//go:embed lua/guard.lua
var guardLua string

//go:embed lua/retain.lua
var retainLua string

//go:embed lua/begin_load.lua
var beginLoadLua string

//go:embed lua/take_load.lua
var takeLoadLua string

//go:embed lua/waive.lua
var waiveLua string

//go:embed lua/loaded.lua
var loadedLua string

//go:embed lua/bury.lua
var buryLua string

//go:embed lua/forget.lua
var forgetLua string

//go:embed lua/register.lua
var registerLua string

//go:embed lua/projects.lua
var projectsLua string

var (
	projectsScript  = queue.NewScript(projectsLua)
	createScript    = newScript(createLua)
	moveScript      = newScript(moveLua)
	changeScript    = newScript(changeLua)
	completeScript  = newScript(completeLua)
	adoptScript     = newScript(adoptLua)
	guardScript     = newScript(guardLua)
	retainScript    = newScript(retainLua)
	beginLoadScript = newScript(beginLoadLua)
	takeLoadScript  = newScript(takeLoadLua)
	waiveScript     = newScript(waiveLua)
	loadedScript    = newScript(loadedLua)
	buryScript      = newScript(buryLua)
	forgetScript    = newScript(forgetLua)
	registerScript  = newScript(registerLua)
)

// newScript makes a script about campaigns.
func newScript(lua string) *redis.Script {
	kept := fmt.Sprintf("local kept_ms = %d\n", kept.Milliseconds())
	return queue.NewScript(queue.GuardList(), kept, prelude, lua)
}

// run calls a script and returns the word it answers with, and the one behind it, if any. A key of the wrong type is a
// *queue.TypeError; nothing was changed then.
func (c *Campaigns) run(ctx context.Context, s *redis.Script, keys []string, args ...any) (word, detail string, err error) {
	a := decode(s.Run(ctx, c.rdb, keys, args...))
	if len(a.details) > 0 {
		detail = a.details[0]
	}
	return a.word, detail, a.err
}

func decode(cmd *redis.Cmd) answer {
	reply, err := cmd.StringSlice()
	switch {
	case err != nil:
		return answer{err: queue.Typed(err)}
	case len(reply) == 0:
		return answer{err: queue.ErrReply}
	}
	return answer{word: reply[0], details: reply[1:]}
}

// wrap names the operation and the campaign in an error.
func wrap(verb, id string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s campaign %s: %w", verb, terminal.Printable(id), err)
}
