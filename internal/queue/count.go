package queue

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"fanfare/internal/bounds"
	"fanfare/internal/redisx"
)

// Counts are the books of one list, read at one moment. Claimed is the sum of Ended, Back, Retrying
// and InFlight, unless someone deletes keys of the queue.
type Counts struct {
	Listed   int64 // waiting in the producer's list
	Back     int64 // given back or reaped, waiting
	Retrying int64
	InFlight int64            // in leases
	Claimed  int64            // different elements claimed so far
	Accepted int64            // elements taken by Append
	Seen     int64            // most elements so far, claimed or listed
	Recalled int64            // Seen as noted in the gate's hash, which outlives the counts
	Reaped   int64            // elements in leases that ran out
	Outbox   int64            // payloads in Options.Emit
	Ended    map[string]int64 // by Status
	Codes    map[string]int64 // by "Status:Code"
	Later    map[string]int64 // deferrals, by Cause
	Deadline time.Time        // zero: none; server's clock
	Assumed  bool             // the Deadline is a default of Append's caller

	Now         time.Time         // server's clock
	LeasedUntil time.Time         // end of the last lease; zero: none
	NextRetry   time.Time         // due time of the first retry; zero: none
	RetrySince  time.Time         // first claim of that retry's element
	Notes       map[string]string // fields of other packages
}

// FigureError names a field of the counts that holds no number, or a number that no count can
// reach.
type FigureError struct{ Field }

func (e *FigureError) Error() string {
	return fmt.Sprintf("counts are unreadable: field %q holds %q instead of a whole number; delete that field", e.Name, e.Value)
}

// Count reads the books at one moment.
func (q *Queue) Count(ctx context.Context) (Counts, error) {
	call := q.countCall()
	c, err := decodeCounts(q.run(ctx, countScript, call.Keys, call.Args...))
	return c, q.wrap("count", err)
}

// Counted is the books of one of many queues, or why they cannot be read.
type Counted struct {
	Counts
	Err error
}

// CountEach reads the books of queues of one Redis, in few round trips.
func CountEach(ctx context.Context, rdb redis.UniversalClient, queues []*Queue) []Counted {
	calls := make([]redisx.Call, len(queues))
	for i, q := range queues {
		calls[i] = q.countCall()
	}
	all := make([]Counted, len(queues))
	for i, reply := range redisx.RunEach(ctx, rdb, countScript, calls) {
		c, err := decodeCounts(reply)
		all[i] = Counted{c, queues[i].wrap("count", err)}
	}
	return all
}

// countCall lays out KEYS and ARGV as count.lua describes them.
func (q *Queue) countCall() redisx.Call {
	keys := []string{q.list.Plain(), q.back, q.retry, q.leases, q.counts}
	emit, gate := 0, 0
	if q.o.Emit != "" {
		keys, emit = append(keys, q.o.Emit), 1
	}
	if q.o.GateKey != "" {
		keys, gate = append(keys, q.o.GateKey), 1
	}
	return redisx.Call{Keys: keys, Args: []any{emit, gate}}
}

// First returns the elements that are claimed next: the first that was given back, and the first of
// the list. Either may be missing.
func (q *Queue) First(ctx context.Context) ([][]byte, error) {
	pipe := q.rdb.Pipeline()
	back, listed := pipe.LIndex(ctx, q.back, 0), pipe.LIndex(ctx, q.list.Plain(), 0)
	_, _ = pipe.Exec(ctx) // each command carries its own error
	for _, end := range []*redis.StringCmd{back, listed} {
		if err := end.Err(); err != nil && !errors.Is(err, redis.Nil) {
			return nil, q.wrap("look into", redisx.AsTypeError(err))
		}
	}
	var all [][]byte
	if value, err := back.Result(); err == nil {
		var e Element
		all = append(all, []byte(e.decode("", value)))
	}
	if value, err := listed.Result(); err == nil {
		all = append(all, []byte(value))
	}
	return all, nil
}

func decodeCounts(cmd *redis.Cmd) (Counts, error) {
	reply, err := cmd.Slice()
	if err != nil {
		return Counts{}, redisx.AsTypeError(err)
	}
	if len(reply) != 10 {
		return Counts{}, redisx.ErrReply
	}
	c := Counts{Ended: map[string]int64{}, Codes: map[string]int64{}, Later: map[string]int64{}, Notes: map[string]string{}}
	var now, ends int64
	for i, figure := range []*int64{&c.Listed, &c.Back, &c.Retrying, &c.InFlight, &c.Outbox, &now, &c.Recalled, &ends} {
		n, ok := reply[i].(int64)
		if !ok {
			return Counts{}, redisx.ErrReply
		}
		*figure = n
	}
	c.Now, c.LeasedUntil = timeOf(now), timeOf(ends)
	retry, err := parseStrings(reply[8])
	if err != nil {
		return Counts{}, err
	}
	if len(retry) == 2 {
		c.setRetry(retry[0], retry[1])
	}
	fields, err := parseStrings(reply[9])
	if err != nil {
		return Counts{}, err
	}
	for i := 0; i+1 < len(fields); i += 2 {
		if err := c.set(fields[i], fields[i+1]); err != nil {
			return Counts{}, err
		}
	}
	return c, nil
}

func parseStrings(reply any) ([]string, error) {
	values, ok := reply.([]any)
	if !ok {
		return nil, redisx.ErrReply
	}
	all := make([]string, len(values))
	for i, v := range values {
		if all[i], ok = v.(string); !ok {
			return nil, redisx.ErrReply
		}
	}
	return all, nil
}

// setRetry reads the first element of the retry set and its due time.
func (c *Counts) setRetry(value, due string) {
	var e Element
	e.decode("", value)
	ms, err := strconv.ParseFloat(due, 64)
	if err == nil && math.Abs(ms) < math.MaxInt64/2 {
		c.NextRetry, c.RetrySince = bounds.Milli(int64(ms)), e.Since
	}
}

// maxCount is the largest number that scripts can count to exactly: Lua counts in doubles.
const maxCount = 1 << 53

// set takes over one field of the counts hash.
func (c *Counts) set(field, value string) error {
	kind, name, _ := strings.Cut(field, ":")
	var total *int64
	switch field {
	case "claimed":
		total = &c.Claimed
	case "accepted":
		total = &c.Accepted
	case "reaped":
		total = &c.Reaped
	case "seen":
		total = &c.Seen
	}
	by := map[string]map[string]int64{"ended": c.Ended, "code": c.Codes, "later": c.Later}[kind]
	if total == nil && by == nil && field != "deadline" && field != "assumed" {
		c.Notes[field] = value
		return nil
	}
	n, err := strconv.ParseInt(value, 10, 64)
	if isCount := total != nil || by != nil; err != nil || isCount && (n > maxCount || n < -maxCount) {
		return &FigureError{Field{Name: field, Value: value}}
	}
	switch {
	case total != nil:
		*total = n
	case by != nil:
		by[name] = n
	case field == "deadline":
		c.Deadline = timeOf(n)
	default:
		c.Assumed = n != 0
	}
	return nil
}
