package breaker

import (
	"context"
	"fmt"
	"time"

	"fanfare/internal/redisx"

	"github.com/redis/go-redis/v9"
)

// DeletionsState is a project's hour as its operator sees it, over all replicas.
type DeletionsState struct {
	Hour     time.Time     // its beginning, by the server's clock
	Left     time.Duration // of it
	Answers  int64         // as far as they were told
	Taken    int64         // deletions leased; some may still be unused
	Withheld int64         // dead tokens kept, as far as they were told
	Budget   int64         // for the hour, as it stands
}

// State reads the present hour and changes nothing.
func (d *Deletions) State(ctx context.Context) (DeletionsState, error) {
	s, _, err := d.ask(ctx, deletionsLookScript, d.o.Least, d.o.Share)
	if err != nil {
		return DeletionsState{}, fmt.Errorf("look at deletions: %w", err)
	}
	return s, nil
}

// ask calls a script, both of which reply alike.
func (d *Deletions) ask(ctx context.Context, script *redis.Script, args ...any) (s DeletionsState, granted int64, err error) {
	reply, err := script.Run(ctx, d.rdb, []string{d.key}, args...).Int64Slice()
	if err != nil {
		return DeletionsState{}, 0, redisx.Typed(err)
	}
	if len(reply) != 7 {
		return DeletionsState{}, 0, redisx.ErrReply
	}
	return DeletionsState{
		Hour:    time.UnixMilli(reply[2]).UTC().Truncate(time.Hour),
		Left:    time.Duration(reply[1]) * time.Millisecond,
		Answers: reply[3], Taken: reply[4], Withheld: reply[5], Budget: reply[6],
	}, reply[0], nil
}
