package queue

import (
	"context"
	"strconv"
	"strings"
)

// Count reads the books, all at one moment.
func (q *Queue) Count(ctx context.Context) (Counts, error) {
	keys := []string{q.list.plain, q.back, q.retry, q.counts}
	if q.o.Emit != "" {
		keys = append(keys, q.o.Emit)
	}
	reply, err := q.run(ctx, countScript, keys).Slice()
	if err != nil {
		return Counts{}, q.wrap("count", err)
	}
	c, err := decodeCounts(reply)
	return c, q.wrap("count", err)
}

func decodeCounts(reply []any) (Counts, error) {
	if len(reply) != 5 {
		return Counts{}, ErrReply
	}
	c := Counts{Ended: map[string]int64{}, Codes: map[string]int64{}, Later: map[string]int64{}}
	for i, length := range []*int64{&c.Listed, &c.Back, &c.Retrying, &c.Outbox} {
		n, ok := reply[i].(int64)
		if !ok {
			return Counts{}, ErrReply
		}
		*length = n
	}
	fields, ok := reply[4].([]any)
	if !ok {
		return Counts{}, ErrReply
	}
	for i := 0; i+1 < len(fields); i += 2 {
		field, ok1 := fields[i].(string)
		value, ok2 := fields[i+1].(string)
		if !ok1 || !ok2 {
			return Counts{}, ErrReply
		}
		if err := c.set(field, value); err != nil {
			return Counts{}, err
		}
	}
	return c, nil
}

// set takes one field of the counts hash; another room may keep fields of its own there.
func (c *Counts) set(field, value string) error {
	n, err := strconv.ParseInt(value, 10, 64)
	status, ended := strings.CutPrefix(field, "ended:")
	code, coded := strings.CutPrefix(field, "code:")
	cause, later := strings.CutPrefix(field, "later:")
	switch {
	case field == "claimed":
		c.Claimed = n
	case field == "accepted":
		c.Accepted = n
	case field == "inflight":
		c.InFlight = n
	case field == "reaped":
		c.Reaped = n
	case field == "deadline":
		c.Deadline = unixMilli(n)
	case ended:
		c.Ended[status] = n
	case coded:
		c.Codes[code] = n
	case later:
		c.Later[cause] = n
	default:
		return nil
	}
	return err
}
