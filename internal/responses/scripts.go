package responses

import (
	"embed"

	"fanfare/internal/redisx"
)

//go:embed lua
var files embed.FS

var (
	lua = redisx.NewLua(files)

	pushScript        = lua.Script("push")
	trimScript        = lua.Script("trim")
	deadPageScript    = lua.Script("dead_page")
	deadRemoveScript  = lua.Script("dead_prelude", "dead_remove")
	deadTrimScript    = lua.Script("dead_trim")
	deadTakeScript    = lua.Script("dead_prelude", "dead_take")
	deadReleaseScript = lua.Script("dead_release")
	deadExpiredScript = lua.Script("dead_expired")
)
