package main

import (
	"context"
	"fmt"
	"iter"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// chunk is how many recipients one command appends. A long command blocks Redis for others.
const chunk = 1000

func listOf(id string) string { return "campaign:" + id }
func specOf(id string) string { return "{campaign:" + id + "}:spec" }

// schedule is when a campaign starts, and when its recipients are sent to: docs/schedule.md.
// Without a start it starts at once.
type schedule struct {
	StartAt   time.Time // zero: at once
	Windows   []string  // by the recipient's own clock, such as "mon-fri 09:00-21:00"
	LocalTime string    // wherever the recipient is, such as "2031-01-31T18:00±10m"
	TimeZone  string    // of recipients whose own is unknown, such as "Asia/Saigon"
	Deadline  time.Time // nothing is sent after it; zero: a day after the start
}

// fields returns those of the spec that say when recipients are sent to. An empty one is none.
func (s schedule) fields() []any {
	deadline := ""
	if !s.Deadline.IsZero() {
		deadline = s.Deadline.Format(time.RFC3339)
	}
	return []any{
		"windows", strings.Join(s.Windows, "; "), "local_time", s.LocalTime, "time_zone", s.TimeZone, "deadline", deadline,
	}
}

// expiresAt is when the list expires. It must come after the start, because nothing is sent after
// it.
func (s schedule) expiresAt() time.Time {
	switch {
	case !s.Deadline.IsZero():
		return s.Deadline
	case !s.StartAt.IsZero():
		return s.StartAt.Add(24 * time.Hour)
	}
	return time.Now().Add(24 * time.Hour)
}

// create writes a draft: recipients can be loaded, and nothing is sent.
func create(ctx context.Context, rdb *redis.Client, id, message string, times schedule) error {
	fields := append([]any{"message", message, "state", "draft", "name", "Doors"}, times.fields()...)
	if err := rdb.HSet(ctx, specOf(id), fields...).Err(); err != nil {
		return fmt.Errorf("create campaign %s: %w", id, err)
	}
	return nil
}

// load appends recipients to the audience, and returns their number.
func load(ctx context.Context, rdb *redis.Client, id string, all iter.Seq[recipient], expiresAt time.Time) (loaded int, err error) {
	var elements []any
	push := func() error {
		if len(elements) == 0 {
			return nil
		}
		// The expiry goes with each chunk: should this process die, Redis removes what it has
		// loaded. The error is that of the first command that failed: EXEC itself succeeds.
		_, err := rdb.TxPipelined(ctx, func(p redis.Pipeliner) error {
			p.RPush(ctx, listOf(id), elements...)
			p.PExpireAt(ctx, listOf(id), expiresAt)
			return nil
		})
		if err != nil {
			return fmt.Errorf("load campaign %s: %w", id, err)
		}
		loaded += len(elements)
		elements = elements[:0]
		return nil
	}
	for r := range all {
		if elements = append(elements, r); len(elements) == chunk {
			if err := push(); err != nil {
				return loaded, err
			}
		}
	}
	return loaded, push()
}

// start starts a draft at once, or lets it start by itself. The audience is complete by then:
// Fanfare cannot know how many recipients the application still wants to append.
func start(ctx context.Context, rdb *redis.Client, id string, at time.Time) error {
	field, value := "state", "running"
	if !at.IsZero() {
		field, value = "start_at", at.Format(time.RFC3339Nano)
	}
	if err := rdb.HSet(ctx, specOf(id), field, value).Err(); err != nil {
		return fmt.Errorf("start campaign %s: %w", id, err)
	}
	return nil
}
