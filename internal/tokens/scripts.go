package tokens

import (
	"embed"

	"fanfare/internal/redisx"
)

//go:embed lua
var files embed.FS

var (
	lua = redisx.NewLua(files)

	forgetScript = lua.Script("prelude", "forget")
	keepScript   = lua.Script("prelude", "keep")
	deleteScript = lua.Script("prelude", "delete")

	// These two go out as text (EVAL) in pipelines.
	putText  = lua.Text("prelude", "put")
	liftText = lua.Text("prelude", "lift")
)
