package campaign

import (
	"context"
	"fmt"

	"github.com/redis/go-redis/v9"

	"fanfare/internal/notification"
	"fanfare/internal/queue"
)

// Sample is a part of a campaign's list that was read without removing anyone.
type Sample struct {
	Listed     int64 // elements in the list
	Recipients []notification.Recipient
	Malformed  []error // why elements are not recipients; without quoting them
}

// Sample reads up to n elements from the head, the middle and the tail of a campaign's list,
// without a claim. It does not include recipients that came back, wait for a retry or are in
// flight.
func (c *Campaigns) Sample(ctx context.Context, id string, n int) (Sample, error) {
	s, err := c.sample(ctx, id, n)
	return s, wrap("sample", id, err)
}

func (c *Campaigns) sample(ctx context.Context, id string, n int) (Sample, error) {
	k, err := c.keys(id)
	if err != nil {
		return Sample{}, err
	}
	if n < 1 {
		return Sample{}, fmt.Errorf("%d elements", n)
	}
	list := k.list.Plain()
	length, err := c.rdb.LLen(ctx, list).Result()
	if err != nil {
		return Sample{}, c.typeError(ctx, err, list, "list")
	}
	s := Sample{Listed: length}
	err = c.readSample(ctx, list, spans(s.Listed, int64(n)), &s)
	return s, err
}

// spans returns the first and last indices of the parts to read.
func spans(length, n int64) [][2]int64 {
	if length <= n {
		return [][2]int64{{0, length - 1}}
	}
	head, tail := (n+2)/3, (n+1)/3
	middle := n - head - tail
	from := (length - middle) / 2
	return [][2]int64{{0, head - 1}, {from, from + middle - 1}, {length - tail, length - 1}}
}

func (c *Campaigns) readSample(ctx context.Context, list string, spans [][2]int64, s *Sample) error {
	pipe := c.rdb.Pipeline()
	var pieces []*redis.StringSliceCmd
	for _, span := range spans {
		if span[1] >= span[0] {
			pieces = append(pieces, pipe.LRange(ctx, list, span[0], span[1]))
		}
	}
	if len(pieces) == 0 {
		return nil
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return c.typeError(ctx, err, list, "list")
	}
	for _, piece := range pieces {
		for _, element := range piece.Val() {
			recipient, err := c.decodeSampled(element)
			if err != nil {
				s.Malformed = append(s.Malformed, err)
				continue
			}
			s.Recipients = append(s.Recipients, recipient)
		}
	}
	return nil
}

// decodeSampled applies the checks of a claim.
func (c *Campaigns) decodeSampled(element string) (notification.Recipient, error) {
	most := c.o.Queue.MaxElement
	if most == 0 {
		most = queue.DefaultMaxElement
	}
	if len(element) > most {
		return notification.Recipient{}, &MalformedError{fmt.Sprintf("it is longer than %d bytes", most)}
	}
	return DecodeRecipient([]byte(element))
}
