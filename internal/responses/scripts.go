package responses

import (
	_ "embed"

	"github.com/redis/go-redis/v9"
)

//go:embed lua/prelude.lua
var prelude string

//go:embed lua/push.lua
var pushLua string

//go:embed lua/trim.lua
var trimLua string

//go:embed lua/dead_page.lua
var deadPageLua string

//go:embed lua/dead_remove.lua
var deadRemoveLua string

//go:embed lua/dead_trim.lua
var deadTrimLua string

var (
	pushScript       = redis.NewScript(prelude + pushLua)
	trimScript       = redis.NewScript(prelude + trimLua)
	deadPageScript   = redis.NewScript(prelude + deadPageLua)
	deadRemoveScript = redis.NewScript(prelude + deadRemoveLua)
	deadTrimScript   = redis.NewScript(prelude + deadTrimLua)
)
