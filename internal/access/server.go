package access

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"fanfare/internal/keys"
	"fanfare/internal/redisx"

	"github.com/redis/go-redis/v9"
)

// Server returns the commands without keys that a program needs. A program that looks for campaigns
// also scans the keyspace.
func Server(scans bool) Keys {
	a := Keys{commands: []string{"EVALSHA", "INFO", "PING", "TIME"}}
	if scans {
		a.commands = append(a.commands, "SCAN")
	}
	return a
}

// Transactions returns the commands that a load needs for each of its batches, MULTI and EXEC.
func Transactions() Keys { return Keys{commands: []string{"MULTI"}} }

// tryCommand runs a command without a key that changes nothing.
func tryCommand(ctx context.Context, rdb redis.UniversalClient, command string) error {
	switch command {
	case "EVALSHA":
		return rdb.EvalSha(ctx, strings.Repeat("0", 40), nil).Err()
	case "MULTI":
		_, err := rdb.TxPipelined(ctx, func(tx redis.Pipeliner) error { return tx.Ping(ctx).Err() })
		return err
	case "INFO":
		return rdb.Info(ctx, "server").Err()
	case "SCAN":
		return rdb.Scan(ctx, 0, "", 1).Err()
	default:
		return rdb.Do(ctx, command).Err()
	}
}

// deniedServerCommands returns the commands without a key that are denied.
func (a Keys) deniedServerCommands(ctx context.Context, rdb redis.UniversalClient) (denied []string, err error) {
	for _, command := range a.commands {
		err := tryCommand(ctx, rdb, command)
		_, answered := errors.AsType[redis.Error](err)
		switch {
		case err == nil:
		case !answered:
			return nil, err
		case redisx.IsDenied(err) && commandOf(err) == "":
			return nil, err
		case redisx.IsDenied(err):
			denied = append(denied, commandOf(err)) // may be a command of the connection's handshake
		}
	}
	return denied, nil
}

// CheckChannel subscribes to the channel that tells dispatchers about a gate, a halt or another
// quota. An *Error says that Redis denies it. Dispatchers then notice changes up to a second later.
func CheckChannel(ctx context.Context, rdb redis.UniversalClient, k keys.ProjectKeys) error {
	channel := k.Key(keys.SuffixSignal)
	sub := rdb.Subscribe(ctx, channel)
	_, err := sub.Receive(ctx)
	_ = sub.Close()
	if err == nil {
		err = rdb.Publish(ctx, channel, "").Err()
	}
	switch {
	case err == nil:
		return nil
	case !redisx.IsDenied(err):
		return fmt.Errorf("ask Redis for the channel %s: %w", channel, err)
	}
	denied := &Error{User: currentUser(ctx, rdb), Err: err}
	if command := commandOf(err); command != "" {
		denied.Keyless = []string{command}
	} else {
		denied.Channel = keys.GlobLiteral(channel)
	}
	return denied
}

// currentUser returns our user name in Redis, for the rule that grants something.
func currentUser(ctx context.Context, rdb redis.UniversalClient) string {
	if name, err := rdb.Do(ctx, "ACL", "WHOAMI").Text(); err == nil {
		return name
	}
	return "USER"
}
