package daemon

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/redis/go-redis/v9"
)

// redisLog brings the client's own lines (a lost connection, a failover) into our log. The library has one logger for
// the whole process.
type redisLog struct{ log *slog.Logger }

func routeRedisLog(log *slog.Logger) { redis.SetLogger(redisLog{log}) }

// Printf is called by the library.
func (r redisLog) Printf(ctx context.Context, format string, args ...any) {
	r.log.WarnContext(ctx, "redis client", "says", fmt.Sprintf(format, args...))
}
