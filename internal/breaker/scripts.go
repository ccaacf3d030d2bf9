package breaker

import (
	"context"
	_ "embed"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"fanfare/internal/queue"
)

//go:embed lua/prelude.lua
var prelude string

//go:embed lua/admit.lua
var admitLua string

//go:embed lua/extend.lua
var extendLua string

//go:embed lua/conclude.lua
var concludeLua string

//go:embed lua/pass.lua
var passLua string

//go:embed lua/trip.lua
var tripLua string

//go:embed lua/hold.lua
var holdLua string

//go:embed lua/release.lua
var releaseLua string

//go:embed lua/take.lua
var takeLua string

//go:embed lua/confirm.lua
var confirmLua string

//go:embed lua/pause.lua
var pauseLua string

//go:embed lua/reset.lua
var resetLua string

//go:embed lua/look.lua
var lookLua string

var (
	admitScript    = queue.NewScript(prelude, admitLua)
	extendScript   = queue.NewScript(prelude, extendLua)
	concludeScript = queue.NewScript(prelude, concludeLua)
	passScript     = queue.NewScript(prelude, passLua)
	tripScript     = queue.NewScript(prelude, tripLua)
	holdScript     = queue.NewScript(prelude, holdLua)
	releaseScript  = queue.NewScript(prelude, releaseLua)
	takeScript     = queue.NewScript(prelude, takeLua)
	confirmScript  = queue.NewScript(prelude, confirmLua)
	pauseScript    = queue.NewScript(prelude, pauseLua)
	resetScript    = queue.NewScript(prelude, resetLua)
	lookScript     = queue.NewScript(prelude, lookLua)
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
func (b *Breakers) run(ctx context.Context, script *redis.Script, campaign queue.List, args ...any) (*picture, string, error) {
	key := campaign.Key(queue.SuffixBreaker)
	reply, err := script.Run(ctx, b.rdb, []string{key}, args...).Slice()
	if err != nil {
		return nil, "", queue.Typed(err)
	}
	p, outcome, err := decode(reply)
	if err != nil {
		return nil, "", fmt.Errorf("read key %q: %w: delete the key, and the campaign begins with a canary", key, err)
	}
	return p, outcome, nil
}

// wrap names the operation and the campaign in an error.
func wrap(verb string, campaign queue.List, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s %s: %w", verb, campaign.Plain(), err)
}
