// Package redisx is what all packages with Lua scripts share: the loader of scripts, and the
// classes of Redis errors.
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

// Lua is a package's folder "lua", usually embedded. A script is composed of its pieces, named
// without ".lua". A missing piece panics, which happens when a program starts.
type Lua struct{ files fs.FS }

// NewLua returns the loader of a folder that holds "lua/<piece>.lua".
func NewLua(files fs.FS) Lua { return Lua{files} }

// Piece returns the text of one piece.
func (l Lua) Piece(name string) string {
	text, err := fs.ReadFile(l.files, "lua/"+name+".lua")
	if err != nil {
		panic("redisx: " + err.Error())
	}
	return string(text)
}

// Text returns a whole script for EVAL: lua/common.lua, then the pieces. Pipelines need the text,
// because they cannot fall back from EVALSHA.
func (l Lua) Text(pieces ...string) string {
	texts := make([]string, len(pieces))
	for i, piece := range pieces {
		texts[i] = l.Piece(piece)
	}
	return Join(texts...)
}

// Script returns a script that is sent as EVALSHA where possible.
func (l Lua) Script(pieces ...string) *redis.Script { return redis.NewScript(l.Text(pieces...)) }

// Join is Text for pieces that the caller has, such as those of another package.
func Join(pieces ...string) string { return common + strings.Join(pieces, "") }

// maxPipelineCalls is how many calls go into one pipeline.
const maxPipelineCalls = 200

// Call holds the keys and arguments of one run of a script.
type Call struct {
	Keys []string
	Args []any
}

// RunEach runs a script once for each call, in few round trips. Each reply has its own error, and
// an error of one call does not affect the others.
func RunEach(ctx context.Context, rdb redis.UniversalClient, s *redis.Script, calls []Call) []*redis.Cmd {
	all := make([]*redis.Cmd, 0, len(calls))
	for some := range slices.Chunk(calls, maxPipelineCalls) {
		hashes, texts := rdb.Pipeline(), rdb.Pipeline()
		replies := make([]*redis.Cmd, len(some))
		for i, call := range some {
			replies[i] = s.EvalSha(ctx, hashes, call.Keys, call.Args...)
		}
		_, _ = hashes.Exec(ctx) // each command has its own error
		for i, call := range some {
			if redis.HasErrorPrefix(replies[i].Err(), "NOSCRIPT") { // this node does not have the script yet
				replies[i] = s.Eval(ctx, texts, call.Keys, call.Args...)
			}
		}
		_, _ = texts.Exec(ctx)
		all = append(all, replies...)
	}
	return all
}
