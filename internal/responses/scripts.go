package responses

import (
	_ "embed"

	"fanfare/internal/queue"
)

//go:embed lua/push.lua
var pushLua string

//go:embed lua/trim.lua
var trimLua string

//go:embed lua/dead_prelude.lua
var deadPrelude string

//go:embed lua/dead_take.lua
var deadTakeLua string

//go:embed lua/dead_release.lua
var deadReleaseLua string

//go:embed lua/dead_expired.lua
var deadExpiredLua string

//go:embed lua/dead_page.lua
var deadPageLua string

//go:embed lua/dead_remove.lua
var deadRemoveLua string

//go:embed lua/dead_trim.lua
var deadTrimLua string

var (
	pushScript        = queue.NewScript(pushLua)
	trimScript        = queue.NewScript(trimLua)
	deadPageScript    = queue.NewScript(deadPageLua)
	deadRemoveScript  = queue.NewScript(deadPrelude, deadRemoveLua)
	deadTrimScript    = queue.NewScript(deadTrimLua)
	deadTakeScript    = queue.NewScript(deadPrelude, deadTakeLua)
	deadReleaseScript = queue.NewScript(deadReleaseLua)
	deadExpiredScript = queue.NewScript(deadExpiredLua)
)
