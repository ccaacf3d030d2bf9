// Package redisx is what every room with Lua scripts shares: one loader, and the classes of Redis' errors.
package redisx

import (
	_ "embed"
	"io/fs"
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
