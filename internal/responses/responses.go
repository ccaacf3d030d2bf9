// Package responses carries the result of each recipient. Append and Decode are the JSON form of a
// result. Outbox moves results from a campaign's outbox to the list of responses. DeadLetters is
// the list of failed recipients and unreadable elements.
package responses

import (
	"embed"

	"fanfare/internal/redisx"

	"time"

	"github.com/redis/go-redis/v9"

	"fanfare/internal/keys"
	"fanfare/internal/queue"
)

//go:embed lua
var files embed.FS

var (
	lua = redisx.NewLua(files)

	pushScript        = lua.Script("push")
	trimScript        = lua.Script("trim")
	deadPageScript    = lua.Script("dead_page")
	deadRemoveScript  = lua.Script("dead_prelude", "dead_remove")
	deadTrimScript    = lua.Script("dead_trim")
	deadTakeScript    = lua.Script("dead_prelude", "dead_take")
	deadReleaseScript = lua.Script("dead_release")
	deadExpiredScript = lua.Script("dead_expired")
)

// NewQueue opens the leased queue over the list of responses. Its settlements emit dead letters. A
// lease of 0 is the queue's default.
func NewQueue(rdb redis.UniversalClient, names keys.Names, lease time.Duration) (*queue.Queue, error) {
	list := names.ResponsesList()
	return queue.New(rdb, list, queue.Options{Lease: lease, Emit: list.Key(keys.SuffixDead)})
}
