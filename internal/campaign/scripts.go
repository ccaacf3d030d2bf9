package campaign

import (
	"context"
	"embed"
	"fmt"

	"github.com/redis/go-redis/v9"

	"fanfare/internal/history"
	"fanfare/internal/queue"
	"fanfare/internal/redisx"
	"fanfare/internal/terminal"
)

//go:embed lua
var files embed.FS

var (
	lua = redisx.NewLua(files)

	rememberScript   = lua.Script("remember")
	createScript     = newScript("create")
	moveScript       = newScript("move")
	beginScript      = newScript("begin")
	changeScript     = newScript("change")
	completeScript   = newScript("complete")
	adoptScript      = newScript("adopt")
	guardScript      = newScript("guard")
	retainScript     = newScript("retain")
	beginLoadScript  = newScript("begin_load")
	takeLoadScript   = newScript("take_load")
	renewLoadScript  = newScript("renew_load")
	waiveScript      = newScript("waive")
	loadedScript     = newScript("loaded")
	noteScript       = newScript("note")
	noteEndScript    = newScript("note_end")
	refuseScript     = newScript("refuse")
	removeSpecScript = newScript("remove_spec")
	forgetScript     = newScript("forget")
	registerScript   = newScript("register")
)

// newScript builds a script that works on campaigns.
func newScript(piece string) *redis.Script {
	return redis.NewScript(redisx.Join(queue.GuardList(), history.Lua(), lua.Piece("prelude"), lua.Piece(piece)))
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

func decode(cmd *redis.Cmd) scriptReply {
	reply, err := cmd.StringSlice()
	switch {
	case err != nil:
		return scriptReply{err: redisx.AsTypeError(err)}
	case len(reply) == 0:
		return scriptReply{err: redisx.ErrReply}
	}
	return scriptReply{word: reply[0], details: reply[1:]}
}

// wrap adds the operation and the campaign to an error.
func wrap(verb, id string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s campaign %s: %w", verb, terminal.Printable(id), err)
}

// scriptReply is the reply of a script about one campaign: a word, and details.
type scriptReply struct {
	word    string
	details []string
	err     error
}

// callsFor builds one call for each campaign, with its keys and the same arguments.
func callsFor(heads []head, args ...any) []redisx.Call {
	calls := make([]redisx.Call, len(heads))
	for i, h := range heads {
		calls[i] = redisx.Call{Keys: h.keys.scriptKeys(), Args: args}
	}
	return calls
}

// runEach runs a script for many campaigns. An error of one campaign does not affect the others.
func (c *Campaigns) runEach(ctx context.Context, s *redis.Script, calls []redisx.Call) []scriptReply {
	answers := make([]scriptReply, len(calls))
	for i, reply := range redisx.RunEach(ctx, c.rdb, s, calls) {
		answers[i] = decode(reply)
	}
	return answers
}
