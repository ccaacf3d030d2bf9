package responses

import (
	"time"

	"github.com/redis/go-redis/v9"

	"fanfare/internal/queue"
)

// maxResult is above what any result of ours can be: one that carries a malformed element holds it in base64.
const maxResult = 1 << 20

// NewQueue opens the leased queue over the list of responses, whose settlements emit dead letters. A lease of 0 is the
// queue's default.
func NewQueue(rdb redis.UniversalClient, names queue.Names, lease time.Duration) (*queue.Queue, error) {
	list := names.ResponsesList()
	return queue.New(rdb, list, queue.Options{
		Lease: lease, MaxElement: maxResult, Emit: list.Key(queue.SuffixDead),
	})
}
