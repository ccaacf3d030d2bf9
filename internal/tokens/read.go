package tokens

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
	"golang.org/x/time/rate"

	"fanfare/internal/keys"
	"fanfare/internal/notification"
	"fanfare/internal/readthrough"
)

// reader reads users' tokens and devices with one round trip.
//
// Most applications store tokens only. So a claim asks with one EXISTS whether any of its users has
// devices, and reads them if one does. From then on each claim reads all hashes at once, until one
// finds none.
type reader struct {
	rdb          redis.UniversalClient
	names        keys.Names
	log          *slog.Logger
	logSometimes rate.Sometimes
	seen         atomic.Bool // the last claim had users with devices
}

func newReader(rdb redis.UniversalClient, names keys.Names, log *slog.Logger) *reader {
	return &reader{rdb: rdb, names: names, log: log, logSometimes: rate.Sometimes{First: 1, Interval: 10 * time.Second}}
}

// read returns a record for each user that has something in Redis.
func (r *reader) read(ctx context.Context, users []string) []readthrough.Reply {
	_, sharded := r.rdb.(*redis.ClusterClient)
	pipe := r.rdb.Pipeline()
	tokens := r.queueTokens(ctx, pipe, users, sharded)
	var (
		hashes []*redis.MapStringStringCmd
		exists *redis.IntCmd
	)
	if sharded || r.seen.Load() {
		hashes = r.queueDevices(ctx, pipe, users)
	} else {
		exists = redis.NewIntCmd(ctx, r.commandArgs("exists", users, r.names.DevicesSuffix)...)
		_ = pipe.Process(ctx, exists)
	}
	_, _ = pipe.Exec(ctx) // each command carries its own error
	if exists != nil && (exists.Val() > 0 || exists.Err() != nil) {
		pipe := r.rdb.Pipeline()
		hashes = r.queueDevices(ctx, pipe, users)
		_, _ = pipe.Exec(ctx)
	}
	return r.combine(users, tokens, hashes)
}

// queueTokens reads the tokens: with one MGET, or in a Cluster with a GET each, which go-redis
// splits by slot. The result returns the one of a position.
func (r *reader) queueTokens(ctx context.Context, pipe redis.Pipeliner, users []string, sharded bool) func(int) readthrough.Reply {
	if sharded {
		gets := make([]*redis.StringCmd, len(users))
		for i, user := range users {
			gets[i] = pipe.Get(ctx, r.names.Token(user))
		}
		return func(i int) readthrough.Reply { return parseGet(gets[i]) }
	}
	all := redis.NewSliceCmd(ctx, r.commandArgs("mget", users, r.names.UserSuffix)...)
	_ = pipe.Process(ctx, all)
	return func(i int) readthrough.Reply {
		if err := all.Err(); err != nil {
			return readthrough.Reply{Err: err}
		}
		if i >= len(all.Val()) {
			return readthrough.Reply{Err: fmt.Errorf("MGET of %d keys returned %d values", len(users), len(all.Val()))}
		}
		text, exists := all.Val()[i].(string)
		return readthrough.Reply{Text: text, Exists: exists}
	}
}

// typicalID is the length of a UUID.
const typicalID = 36

// commandArgs returns a command with one key of each user. All keys are parts of one string, and
// are passed as pointers: so a key needs no allocation (BenchmarkLookup).
func (r *reader) commandArgs(command string, users []string, suffix string) []any {
	var all strings.Builder
	all.Grow(len(users) * (len(r.names.UserPrefix) + typicalID + len(suffix)))
	for _, user := range users {
		all.WriteString(r.names.UserPrefix)
		all.WriteString(user)
		all.WriteString(suffix)
	}
	rest, names, args := all.String(), make([]string, len(users)), make([]any, 1, len(users)+1)
	args[0] = command
	for i, user := range users {
		end := len(r.names.UserPrefix) + len(user) + len(suffix)
		names[i], rest = rest[:end], rest[end:]
		args = append(args, &names[i])
	}
	return args
}

func parseGet(get *redis.StringCmd) readthrough.Reply {
	text, err := get.Result()
	switch {
	case err == nil:
		return readthrough.Reply{Text: text, Exists: true}
	case errors.Is(err, redis.Nil), redis.HasErrorPrefix(err, "WRONGTYPE"):
		return readthrough.Reply{}
	}
	return readthrough.Reply{Err: err}
}

func (r *reader) queueDevices(ctx context.Context, pipe redis.Pipeliner, users []string) []*redis.MapStringStringCmd {
	hashes := make([]*redis.MapStringStringCmd, len(users))
	for i, user := range users {
		hashes[i] = pipe.HGetAll(ctx, r.names.Devices(user))
	}
	return hashes
}

// combine makes one record of a user's token and devices. Without devices the token is the record.
func (r *reader) combine(users []string, tokens func(int) readthrough.Reply, hashes []*redis.MapStringStringCmd) []readthrough.Reply {
	replies := make([]readthrough.Reply, len(users))
	seen := false
	for i := range users {
		replies[i] = tokens(i)
		if hashes == nil || replies[i].Err != nil {
			continue
		}
		fields, err := hashes[i].Result()
		switch {
		case redis.HasErrorPrefix(err, "WRONGTYPE"):
			r.logMistyped(users[i])
		case err != nil:
			replies[i] = readthrough.Reply{Err: err}
		case len(fields) > 0:
			seen = true
			replies[i] = addDevices(replies[i], fields)
		}
	}
	r.seen.Store(seen)
	return replies
}

func (r *reader) logMistyped(user string) {
	r.logSometimes.Do(func() {
		r.log.Warn("keys of another type than hash ignored; rename or delete them", "example", r.names.Devices(user))
	})
}

// addDevices adds the devices in a hash to a user's token.
func addDevices(token readthrough.Reply, fields map[string]string) readthrough.Reply {
	addresses := make([]string, 0, len(fields))
	for address := range fields {
		addresses = append(addresses, address)
	}
	slices.Sort(addresses)
	var rec record
	if t := notification.ParseAddress(token.Text, ""); t.IsSendable() && !slices.Contains(addresses, token.Text) {
		rec = append(rec, entry{address: token.Text, value: valueOf(notification.Device{Target: t})})
	}
	usable := false
	for _, address := range addresses {
		if notification.ParseToken(address).IsSendable() { // as an installation ID, too
			rec, usable = append(rec, entry{address, fields[address]}), true
		}
	}
	if !usable {
		return token
	}
	return readthrough.Reply{Text: rec.encode(), Exists: true}
}
