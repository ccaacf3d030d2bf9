package tokens

import (
	_ "embed"

	"github.com/redis/go-redis/v9"
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
	forgetScript = redis.NewScript(prelude + forgetLua)
	keepScript   = redis.NewScript(prelude + keepLua)
	deleteScript = redis.NewScript(prelude + deleteLua)

	// These two go out as text (EVAL) in pipelines, which cannot fall back from EVALSHA.
	putText  = prelude + putLua
	liftText = prelude + liftLua
)
