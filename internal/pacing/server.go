package pacing

import (
	"context"
	"embed"

	"fanfare/internal/redisx"

	"github.com/redis/go-redis/v9"
)

//go:embed lua
var files embed.FS

var (
	lua = redisx.NewLua(files)

	leaseScript  = lua.Script("prelude", "lease")
	closeScript  = lua.Script("prelude", "close")
	haltScript   = lua.Script("prelude", "halt")
	resumeScript = lua.Script("prelude", "resume")
	setScript    = lua.Script("prelude", "set")
	stateScript  = lua.Script("prelude", "state")
)

// server is Redis.
type server struct{ rdb redis.UniversalClient }

func (s server) run(ctx context.Context, script *redis.Script, keys []string, args ...any) (any, error) {
	reply, err := script.Run(ctx, s.rdb, keys, args...).Result()
	if err != nil {
		return nil, redisx.Typed(err)
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
