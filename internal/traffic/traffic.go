// Package traffic keeps how a campaign's pushes went over time: how many FCM answered, turned away
// or failed, and how long it took. All replicas add to one record in Redis, which survives their
// restarts.
//
// Slots of ten seconds are kept for half an hour, and minutes for a day. After that, SQL's
// outcomes per minute remain.
package traffic

import (
	"context"
	"embed"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"fanfare/internal/keys"
	"fanfare/internal/redisx"
)

//go:embed lua
var files embed.FS

var addScript = redisx.NewLua(files).Script("add")

// The widths of slots, and how many of each are kept: fine_kept and coarse_kept in add.lua.
// FineSlots is how many Recent can return.
const (
	fine       = 10 * time.Second
	coarse     = time.Minute
	FineSlots  = 180
	coarseKept = 1440
)

// ttl is how long a record outlives its last use.
const ttl = 7 * 24 * time.Hour

// Counts are the answers to some pushes.
type Counts struct {
	Answers     int64 // all requests that were made, answered or not
	Limited     int64 // 429
	Unavailable int64 // 5xx, and no readable answer
	Latency     Histogram
}

// Add adds other counts.
func (c *Counts) Add(other *Counts) {
	c.Answers += other.Answers
	c.Limited += other.Limited
	c.Unavailable += other.Unavailable
	for i, n := range other.Latency {
		c.Latency[i] += n
	}
}

// Batch is what one process adds at one time. A repeated call with the same batch adds nothing.
type Batch struct {
	List    keys.List
	Process string
	Number  int64 // higher than that of the process' last batch
	Counts  Counts
}

// Store keeps the records in Redis.
type Store struct{ rdb redis.UniversalClient }

// New returns a store.
func New(rdb redis.UniversalClient) *Store { return &Store{rdb} }

// Add adds batches of several campaigns and returns an error for each, nil if it was added.
func (s *Store) Add(ctx context.Context, batches []Batch) []error {
	calls := make([]redisx.Call, len(batches))
	for i, b := range batches {
		calls[i] = redisx.Call{Keys: []string{b.List.Key(keys.SuffixTraffic)}, Args: []any{b.Process, b.Number, ttl.Milliseconds(), encode(&b.Counts)}}
	}
	problems := make([]error, len(batches))
	for i, reply := range redisx.RunEach(ctx, s.rdb, addScript, calls) {
		if err := reply.Err(); err != nil {
			problems[i] = fmt.Errorf("record traffic of %s: %w", batches[i].List.Plain(), redisx.AsTypeError(err))
		}
	}
	return problems
}

// Read returns the record of a campaign, with at most limit slots.
func (s *Store) Read(ctx context.Context, list keys.List, limit int) (Series, error) {
	key := list.Key(keys.SuffixTraffic)
	pipe := s.rdb.Pipeline()
	fields, clock := pipe.HGetAll(ctx, key), pipe.Time(ctx)
	if _, err := pipe.Exec(ctx); err != nil {
		return Series{}, fmt.Errorf("read traffic of %s: %w", list.Plain(), redisx.AsTypeError(err))
	}
	return seriesOf(fields.Val(), clock.Val(), limit), nil
}

// Recent returns the last slots of ten seconds of several campaigns, without that of the present. A
// record that cannot be read is empty.
func (s *Store) Recent(ctx context.Context, lists []keys.List, slots int) ([]Series, error) {
	all := make([]Series, len(lists))
	if len(lists) == 0 {
		return all, nil
	}
	now, err := s.rdb.Time(ctx).Result()
	if err != nil {
		return nil, fmt.Errorf("read Redis' clock: %w", err)
	}
	first := now.Unix()/int64(fine.Seconds()) - int64(slots)
	fields := make([]string, slots)
	for i := range fields {
		fields[i] = fmt.Sprintf("s%d", first+int64(i))
	}
	for i, reply := range s.readFields(ctx, lists, fields) {
		all[i].Step = fine
		for n, value := range reply.Val() {
			text, _ := value.(string)
			at := time.Unix((first+int64(n))*int64(fine.Seconds()), 0)
			all[i].Slots = append(all[i].Slots, Slot{At: at, Counts: *decode(text), Took: fine})
		}
	}
	return all, nil
}

// readFields reads some fields of several records in one round trip. Each reply has its own error.
func (s *Store) readFields(ctx context.Context, lists []keys.List, fields []string) []*redis.SliceCmd {
	pipe := s.rdb.Pipeline()
	replies := make([]*redis.SliceCmd, len(lists))
	for i, list := range lists {
		replies[i] = pipe.HMGet(ctx, list.Key(keys.SuffixTraffic), fields...)
	}
	_, _ = pipe.Exec(ctx)
	return replies
}

// Minute returns the requests of several campaigns in the present minute of Redis' clock, as far as
// their dispatchers have recorded them. A record that cannot be read is 0.
func (s *Store) Minute(ctx context.Context, lists []keys.List) ([]int64, error) {
	answers := make([]int64, len(lists))
	if len(lists) == 0 {
		return answers, nil
	}
	now, err := s.rdb.Time(ctx).Result()
	if err != nil {
		return nil, fmt.Errorf("read Redis' clock: %w", err)
	}
	var fields []string
	for at := now.Truncate(time.Minute); !at.After(now); at = at.Add(fine) {
		fields = append(fields, fmt.Sprintf("s%d", at.Unix()/int64(fine.Seconds())))
	}
	for i, reply := range s.readFields(ctx, lists, fields) {
		for _, value := range reply.Val() {
			text, _ := value.(string)
			answers[i] += decode(text).Answers
		}
	}
	return answers, nil
}
