package tokens

import (
	_ "embed"

	"fanfare/internal/queue"
)

//go:embed lua/prelude.lua
var prelude string

//go:embed lua/forget.lua
var forgetLua string

//go:embed lua/keep.lua
var keepLua string

//go:embed lua/delete.lua
var deleteLua string

//go:embed lua/put.lua
var putLua string

//go:embed lua/lift.lua
var liftLua string

var (
	forgetScript = queue.NewScript(prelude, forgetLua)
	keepScript   = queue.NewScript(prelude, keepLua)
	deleteScript = queue.NewScript(prelude, deleteLua)

	// These two go out as text (EVAL) in pipelines.
	putText  = queue.Script(prelude, putLua)
	liftText = queue.Script(prelude, liftLua)
)
