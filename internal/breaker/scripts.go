package breaker

import (
	"context"
	_ "embed"
	"fmt"
	"strings"
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
	admitScript    = redis.NewScript(prelude + admitLua)
	extendScript   = redis.NewScript(prelude + extendLua)
	concludeScript = redis.NewScript(prelude + concludeLua)
	passScript     = redis.NewScript(prelude + passLua)
	tripScript     = redis.NewScript(prelude + tripLua)
	takeScript     = redis.NewScript(prelude + takeLua)
	confirmScript  = redis.NewScript(prelude + confirmLua)
	pauseScript    = redis.NewScript(prelude + pauseLua)
	resetScript    = redis.NewScript(prelude + resetLua)
	lookScript     = redis.NewScript(prelude + lookLua)
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
		return nil, "", typed(err, key)
	}
	p, outcome, err := decode(reply)
	if err != nil {
		return nil, "", fmt.Errorf("read key %q: %w: delete the key, and the campaign begins with a canary", key, err)
	}
	return p, outcome, nil
}

// typed makes a *queue.TypeError of what a script says about a key that holds something else than a hash.
func typed(err error, key string) error {
	if held, ok := strings.CutPrefix(err.Error(), "WRONGTYPE key "+key+" holds "); ok {
		return &queue.TypeError{Key: key, Holds: strings.TrimSuffix(held, ", want hash"), Want: "hash"}
	}
	return err
}

// wrap names the operation and the campaign in an error.
func wrap(verb string, campaign queue.List, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s %s: %w", verb, campaign.Plain(), err)
}
