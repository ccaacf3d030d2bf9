package responses

import (
	"time"

	"github.com/redis/go-redis/v9"

	"fanfare/internal/keys"
	"fanfare/internal/queue"
)

// NewQueue opens the leased queue over the list of responses, whose settlements emit dead letters. A lease of 0 is the
// queue's default.
func NewQueue(rdb redis.UniversalClient, names keys.Names, lease time.Duration) (*queue.Queue, error) {
	list := names.ResponsesList()
	return queue.New(rdb, list, queue.Options{Lease: lease, Emit: list.Key(keys.SuffixDead)})
}
