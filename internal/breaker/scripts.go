package breaker

import (
	"context"
	"embed"
	"fmt"
	"time"

	"fanfare/internal/keys"
	"fanfare/internal/redisx"

	"github.com/redis/go-redis/v9"
)

//go:embed lua
var files embed.FS

var (
	lua = redisx.NewLua(files)

	admitScript    = lua.Script("prelude", "admit")
	extendScript   = lua.Script("prelude", "extend")
	concludeScript = lua.Script("prelude", "conclude")
	passScript     = lua.Script("prelude", "pass")
	tripScript     = lua.Script("prelude", "trip")
	holdScript     = lua.Script("prelude", "hold")
	releaseScript  = lua.Script("prelude", "release")
	takeScript     = lua.Script("prelude", "take")
	confirmScript  = lua.Script("prelude", "confirm")
	pauseScript    = lua.Script("prelude", "pause")
	resetScript    = lua.Script("prelude", "reset")
	lookScript     = lua.Script("prelude", "look")
)

const (
	// keep is how long a breaker outlives its last use: what is paused for longer begins with a canary again.
	keep = 7 * 24 * time.Hour
	// trust is how long a process lets everybody through without asking once it has seen a canary pass.
	trust = time.Second
	// hold keeps the next canary back until nobody trusts the last one any more, with room for clocks that drift.
	hold = 2 * trust
	// act is how long whoever is told of a trip has to act on it.
	act = 10 * time.Second
)

// yes stands in Redis for true.
const yes = "1"

// run calls a script on a campaign's breaker and returns the breaker as it is afterwards.
func (b *Breakers) run(ctx context.Context, script *redis.Script, campaign keys.List, args ...any) (*picture, string, error) {
	key := campaign.Key(keys.SuffixBreaker)
	return read(key, script.Run(ctx, b.rdb, []string{key}, args...))
}

// read decodes what a script said of the breaker in a key.
func read(key string, cmd *redis.Cmd) (*picture, string, error) {
	reply, err := cmd.Slice()
	if err != nil {
		return nil, "", redisx.Typed(err)
	}
	p, outcome, err := decode(reply)
	if err != nil {
		return nil, "", fmt.Errorf("read key %q: %w: delete the key, and the campaign begins with a canary", key, err)
	}
	return p, outcome, nil
}

// wrap names the operation and the campaign in an error.
func wrap(verb string, campaign keys.List, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s %s: %w", verb, campaign.Plain(), err)
}
