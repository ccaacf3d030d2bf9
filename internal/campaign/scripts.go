package campaign

import (
	"context"
	"embed"
	"fmt"

	"github.com/redis/go-redis/v9"

	"fanfare/internal/queue"
	"fanfare/internal/redisx"
	"fanfare/internal/terminal"
)

//go:embed lua
var files embed.FS

var (
	lua = redisx.NewLua(files)

	projectsScript  = lua.Script("projects")
	createScript    = newScript("create")
	moveScript      = newScript("move")
	changeScript    = newScript("change")
	completeScript  = newScript("complete")
	adoptScript     = newScript("adopt")
	guardScript     = newScript("guard")
	retainScript    = newScript("retain")
	beginLoadScript = newScript("begin_load")
	takeLoadScript  = newScript("take_load")
	waiveScript     = newScript("waive")
	loadedScript    = newScript("loaded")
	buryScript      = newScript("bury")
	forgetScript    = newScript("forget")
	registerScript  = newScript("register")
)

// newScript builds a script that works on campaigns.
func newScript(piece string) *redis.Script {
	return redis.NewScript(redisx.Join(queue.GuardList(), lua.Piece("prelude"), lua.Piece(piece)))
}

// run calls a script and returns the first two words of its reply. A key of the wrong type is a
// *redisx.TypeError; nothing was changed then.
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
		return answer{err: redisx.AsTypeError(err)}
	case len(reply) == 0:
		return answer{err: redisx.ErrReply}
	}
	return answer{word: reply[0], details: reply[1:]}
}

// wrap adds the operation and the campaign to an error.
func wrap(verb, id string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s campaign %s: %w", verb, terminal.Printable(id), err)
}
