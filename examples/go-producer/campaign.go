package main

import (
	"context"
	"fmt"
	"iter"
	"time"

	"github.com/redis/go-redis/v9"
)

// chunk is how many recipients one command appends. A long command blocks Redis for others.
const chunk = 1000

func listOf(id string) string { return "campaign:" + id }
func specOf(id string) string { return "{campaign:" + id + "}:spec" }

// create writes a draft: recipients can be loaded, and nothing is sent.
func create(ctx context.Context, rdb *redis.Client, id, message string) error {
	if err := rdb.HSet(ctx, specOf(id), "message", message, "state", "draft", "name", "Doors").Err(); err != nil {
		return fmt.Errorf("create campaign %s: %w", id, err)
	}
	return nil
}

// load appends recipients to the audience, and returns their number.
func load(ctx context.Context, rdb *redis.Client, id string, all iter.Seq[recipient]) (loaded int, err error) {
	var elements []any
	push := func() error {
		if len(elements) == 0 {
			return nil
		}
		// The expiry goes with each chunk: should this process die, Redis removes what it has
		// loaded.
		_, err := rdb.TxPipelined(ctx, func(p redis.Pipeliner) error {
			p.RPush(ctx, listOf(id), elements...)
			p.Expire(ctx, listOf(id), 24*time.Hour)
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

// start starts a draft.
func start(ctx context.Context, rdb *redis.Client, id string) error {
	if err := rdb.HSet(ctx, specOf(id), "state", "running").Err(); err != nil {
		return fmt.Errorf("start campaign %s: %w", id, err)
	}
	return nil
}
