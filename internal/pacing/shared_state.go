package pacing

import (
	"context"
	"embed"
	"fmt"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"fanfare/internal/bounds"
	"fanfare/internal/history"
	"fanfare/internal/keys"
	"fanfare/internal/redisx"
)

// scripts runs scripts, receives the signals they send, and reads the entries they add.
type scripts interface {
	run(ctx context.Context, script *redis.Script, keys []string, args ...any) (any, error)
	// listen calls receive with each message until the context ends. It passes "" whenever it may
	// have missed some.
	listen(ctx context.Context, channel string, receive func(message string))
	entries(ctx context.Context, stream string) ([]redis.XMessage, error)
}

// sharedState is the state in Redis that all replicas share. Its instants are µs of the server's
// clock.
type sharedState struct {
	scripts
	pace, halts, signal string
	history             string // stream of who changed them
}

func newSharedState(s scripts, project keys.ProjectKeys) *sharedState {
	return &sharedState{
		scripts: s,
		pace:    project.Key(keys.SuffixPace), halts: project.Key(keys.SuffixHalt), signal: project.Key(keys.SuffixSignal),
		history: project.Key(keys.SuffixHistory),
	}
}

// numbers runs a script that replies with a fixed count of numbers.
func (b *sharedState) numbers(ctx context.Context, want int, script *redis.Script, keys []string, args ...any) ([]int64, error) {
	reply, err := b.run(ctx, script, keys, args...)
	if err != nil {
		return nil, err
	}
	list, ok := reply.([]any)
	if !ok || len(list) != want {
		return nil, redisx.ErrReply
	}
	found := make([]int64, want)
	for i, value := range list {
		if found[i], ok = value.(int64); !ok {
			return nil, redisx.ErrReply
		}
	}
	return found, nil
}

// closeGate closes the gate for a time that begins when Redis runs the script. It returns the era
// and how long the gate is closed now.
func (b *sharedState) closeGate(ctx context.Context, wait, longest time.Duration, reason, by string) (era int64, left time.Duration, err error) {
	reply, err := b.numbers(ctx, 3, closeScript, []string{b.pace}, b.signal, wait.Microseconds(), longest.Microseconds(), reason, by)
	if err != nil {
		return 0, 0, err
	}
	return reply[1], micros(reply[2] - reply[0]), nil
}

func (b *sharedState) halt(ctx context.Context, reason, by string) (era int64, err error) {
	reply, err := b.numbers(ctx, 2, haltScript, []string{b.pace, b.halts, b.history}, b.signal, reason, by)
	if err != nil {
		return 0, err
	}
	return reply[1], nil
}

// resume ends one halt, or all for "". free reports whether none is left.
func (b *sharedState) resume(ctx context.Context, reason, by string) (era int64, free bool, err error) {
	reply, err := b.numbers(ctx, 3, resumeScript, []string{b.pace, b.halts, b.history}, b.signal, reason, by)
	if err != nil {
		return 0, false, err
	}
	return reply[1], reply[2] == 1, nil
}

// set writes settings. With keep false it deletes them, so each replica's own settings hold again.
// own is this replica's interval.
func (b *sharedState) set(ctx context.Context, own float64, s Settings, keep bool, by string) (era int64, err error) {
	args := []any{b.signal, number(own), number(s.interval()), by, ""}
	if keep {
		args[len(args)-1] = s.describe()
		args = append(args, s.Quota, number(s.Headroom), s.Ramp.Microseconds(), flag(s.AvoidQuarterHours))
	}
	reply, err := b.numbers(ctx, 2, setScript, []string{b.pace, b.history}, args...)
	if err != nil {
		return 0, err
	}
	return reply[1], nil
}

func (b *sharedState) note(ctx context.Context, what, by, detail string) error {
	_, err := b.numbers(ctx, 1, noteScript, []string{b.history}, what, by, detail)
	return err
}

// read returns the pace and the halts as of one moment.
func (b *sharedState) read(ctx context.Context) (now int64, pace, halts map[string]string, err error) {
	reply, err := b.run(ctx, stateScript, []string{b.pace, b.halts})
	if err != nil {
		return 0, nil, nil, err
	}
	parts, ok := reply.([]any)
	if !ok || len(parts) != 3 {
		return 0, nil, nil, redisx.ErrReply
	}
	now, ok1 := parts[0].(int64)
	pace, ok2 := pairs(parts[1])
	halts, ok3 := pairs(parts[2])
	if !ok1 || !ok2 || !ok3 {
		return 0, nil, nil, redisx.ErrReply
	}
	return now, pace, halts, nil
}

func pairs(reply any) (map[string]string, bool) {
	list, ok := reply.([]any)
	if !ok || len(list)%2 != 0 {
		return nil, false
	}
	found := make(map[string]string, len(list)/2)
	for i := 0; i < len(list); i += 2 {
		found[fmt.Sprint(list[i])] = fmt.Sprint(list[i+1])
	}
	return found, true
}

//go:embed lua
var files embed.FS

var (
	lua = redisx.NewLua(files)

	leaseScript  = lua.Script("prelude", "lease")
	closeScript  = lua.Script("prelude", "close")
	haltScript   = newRecordedScript("halt")
	resumeScript = newRecordedScript("resume")
	setScript    = newRecordedScript("set")
	noteScript   = newRecordedScript("note")
	stateScript  = lua.Script("prelude", "state")
)

// newRecordedScript builds a script that adds to the project's history.
func newRecordedScript(piece string) *redis.Script { return redis.NewScript(recordedText(piece)) }

func recordedText(piece string) string {
	return redisx.Join(lua.Piece("prelude"), history.Lua(), lua.Piece("record_prelude"), lua.Piece(piece))
}

// server runs scripts on Redis.
type server struct{ rdb redis.UniversalClient }

func (s server) run(ctx context.Context, script *redis.Script, keys []string, args ...any) (any, error) {
	reply, err := script.Run(ctx, s.rdb, keys, args...).Result()
	if err != nil {
		return nil, redisx.AsTypeError(err)
	}
	return reply, nil
}

// listen survives a lost connection. The client subscribes again and reports it.
func (s server) listen(ctx context.Context, channel string, receive func(message string)) {
	sub := s.rdb.Subscribe(ctx, channel)
	defer func() { _ = sub.Close() }() // Close fails where there was no connection
	events := sub.ChannelWithSubscriptions()
	for {
		select {
		case <-ctx.Done():
			return
		case event := <-events:
			switch event := event.(type) {
			case *redis.Subscription:
				receive("")
			case *redis.Message:
				receive(event.Payload)
			}
		}
	}
}

func micros(n int64) time.Duration { return time.Duration(n) * time.Microsecond }

// toTime converts µs of the server's clock, within bounds.
func toTime(us int64) time.Time { return bounds.Micro(us) }

// number formats all digits of a float.
func number(f float64) string { return strconv.FormatFloat(f, 'g', 17, 64) }

// parseWhole parses a number that a script wrote. A missing one is 0.
func parseWhole(text string) int64 {
	n, _ := strconv.ParseInt(text, 10, 64)
	return n
}

func flag(on bool) string {
	if on {
		return "1"
	}
	return "0"
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
