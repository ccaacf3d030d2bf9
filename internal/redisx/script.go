// Package redisx is what every room with Lua scripts shares: one loader, and the classes of Redis' errors.
package redisx

import (
	"context"
	_ "embed"
	"io/fs"
	"slices"
	"strings"

	"github.com/redis/go-redis/v9"
)

//go:embed lua/common.lua
var common string

// Lua is the folder "lua" of a room, usually embedded. A script is made of pieces of it, by their names
// without ".lua". A piece that does not exist panics: scripts are made when a program starts.
type Lua struct{ files fs.FS }

// NewLua makes the loader of a folder that holds "lua/<piece>.lua".
func NewLua(files fs.FS) Lua { return Lua{files} }

// Piece is the text of one piece.
func (l Lua) Piece(name string) string {
	text, err := fs.ReadFile(l.files, "lua/"+name+".lua")
	if err != nil {
		panic("redisx: " + err.Error())
	}
	return string(text)
}

// Text is a whole script as EVAL takes it: lua/common.lua, then the pieces. Pipelines need the text,
// because they cannot fall back from EVALSHA.
func (l Lua) Text(pieces ...string) string {
	texts := make([]string, len(pieces))
	for i, piece := range pieces {
		texts[i] = l.Piece(piece)
	}
	return Join(texts...)
}

// Script is Text, sent as EVALSHA where possible.
func (l Lua) Script(pieces ...string) *redis.Script { return redis.NewScript(l.Text(pieces...)) }

// Join is Text of pieces that are given themselves, such as those of another room.
func Join(pieces ...string) string { return common + strings.Join(pieces, "") }

// callsAtOnce bounds the calls in one pipeline.
const maxPipelineCalls = 200

// Call is what a script is given in one of several runs.
type Call struct {
	Keys []string
	Args []any
}

// RunEach runs a script once for each call, in few round trips. Each reply has its own error: what goes wrong with one call is no
// matter to the others.
func RunEach(ctx context.Context, rdb redis.UniversalClient, s *redis.Script, calls []Call) []*redis.Cmd {
	all := make([]*redis.Cmd, 0, len(calls))
	for some := range slices.Chunk(calls, maxPipelineCalls) {
		short, whole := rdb.Pipeline(), rdb.Pipeline()
		replies := make([]*redis.Cmd, len(some))
		for i, call := range some {
			replies[i] = s.EvalSha(ctx, short, call.Keys, call.Args...)
		}
		_, _ = short.Exec(ctx) // each command's own error is looked at
		for i, call := range some {
			if redis.HasErrorPrefix(replies[i].Err(), "NOSCRIPT") { // this node does not know it yet
				replies[i] = s.Eval(ctx, whole, call.Keys, call.Args...)
			}
		}
		_, _ = whole.Exec(ctx)
		all = append(all, replies...)
	}
	return all
}
