package pacing

import (
	"context"
	_ "embed"

	"github.com/redis/go-redis/v9"

	"fanfare/internal/queue"
)

//go:embed lua/prelude.lua
var prelude string

//go:embed lua/lease.lua
var leaseLua string

//go:embed lua/close.lua
var closeLua string

//go:embed lua/halt.lua
var haltLua string

//go:embed lua/resume.lua
var resumeLua string

//go:embed lua/set.lua
var setLua string

//go:embed lua/state.lua
var stateLua string

var (
	leaseScript  = queue.NewScript(prelude, leaseLua)
	closeScript  = queue.NewScript(prelude, closeLua)
	haltScript   = queue.NewScript(prelude, haltLua)
	resumeScript = queue.NewScript(prelude, resumeLua)
	setScript    = queue.NewScript(prelude, setLua)
	stateScript  = queue.NewScript(prelude, stateLua)
)

// server is Redis.
type server struct{ rdb redis.UniversalClient }

func (s server) run(ctx context.Context, script *redis.Script, keys []string, args ...any) (any, error) {
	reply, err := script.Run(ctx, s.rdb, keys, args...).Result()
	if err != nil {
		return nil, queue.Typed(err)
	}
	return reply, nil
}

// listen survives the loss of its connection: the client subscribes anew, and says so.
func (s server) listen(ctx context.Context, channel string, hear func(message string)) {
	sub := s.rdb.Subscribe(ctx, channel)
	defer func() { _ = sub.Close() }() // it ends with an error where there was no connection
	events := sub.ChannelWithSubscriptions()
	for {
		select {
		case <-ctx.Done():
			return
		case event := <-events:
			switch event := event.(type) {
			case *redis.Subscription:
				hear("")
			case *redis.Message:
				hear(event.Payload)
			}
		}
	}
}
