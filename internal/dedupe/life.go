package dedupe

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"fanfare/internal/keys"
)

// removeAtOnce limits the buckets of one command or pipeline.
const removeAtOnce = 500

// Delete removes the record of a campaign, some buckets at a time, so that Redis is never blocked.
// It can be interrupted anywhere and repeated.
func Delete(ctx context.Context, rdb redis.UniversalClient, list keys.List) error {
	index := list.Key(keys.SuffixAddresses)
	err := eachChunk(ctx, rdb, list, func(buckets []string) error { return rdb.Unlink(ctx, buckets...).Err() })
	if err == nil {
		err = rdb.Unlink(ctx, index).Err() // last: without it, the buckets are unknown
	}
	if err != nil {
		return fmt.Errorf("delete the record of addresses of %s: %w", list.Plain(), err)
	}
	return nil
}

// Retain gives all keys of the record an expiry, because the campaign has ended. Keys that are
// written later keep TTL. A call after an interrupted one continues it.
func Retain(ctx context.Context, rdb redis.UniversalClient, list keys.List, ttl time.Duration) error {
	expire := func(names []string) error {
		left, err := rdb.PTTL(ctx, names[len(names)-1]).Result()
		if err != nil || left > 0 && left <= ttl {
			return err // an earlier call came as far
		}
		pipe := rdb.Pipeline()
		for _, name := range names {
			pipe.PExpire(ctx, name, ttl)
		}
		_, err = pipe.Exec(ctx)
		return err
	}
	// The buckets get less than half of TTL, so from now on take.lua looks at each expiry.
	err := rdb.HDel(ctx, list.Key(keys.SuffixAddresses), "renew_at").Err()
	if redis.HasErrorPrefix(err, "WRONGTYPE") {
		err = nil // see eachChunk
	}
	if err == nil {
		err = eachChunk(ctx, rdb, list, expire)
	}
	if err == nil {
		err = expire([]string{list.Key(keys.SuffixAddresses)}) // last: the caller sees there whether this is done
	}
	if err != nil {
		return fmt.Errorf("retain the record of addresses of %s: %w", list.Plain(), err)
	}
	return nil
}

// eachChunk visits the names of all buckets that the record may have, some at a time.
func eachChunk(ctx context.Context, rdb redis.UniversalClient, list keys.List, visit func(buckets []string) error) error {
	text, err := rdb.HGet(ctx, list.Key(keys.SuffixAddresses), "levels").Result()
	if errors.Is(err, redis.Nil) || redis.HasErrorPrefix(err, "WRONGTYPE") {
		return nil
	}
	if err != nil {
		return err
	}
	known, _ := parseLevels(text) // the buckets of a text that is not ours expire by themselves
	names := make([]string, 0, removeAtOnce)
	for _, bits := range known.bits {
		for number := range uint32(1) << bits {
			if names = append(names, list.Addresses(bits, number)); len(names) == removeAtOnce {
				if err := visit(names); err != nil {
					return err
				}
				names = names[:0]
			}
		}
	}
	if len(names) == 0 {
		return nil
	}
	return visit(names)
}
