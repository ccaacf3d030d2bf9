// Package refusals has a Redis refuse each command of a call in turn, and checks that the call
// reports it. An error that is swallowed becomes a system that looks well and is not.
package refusals

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/redis/go-redis/v9"

	"fanfare/test/servers"
)

// refusal is how a command fails that a Refuser refuses.
const refusal = redisError("NOPERM refused by the test")

type redisError string

func (e redisError) Error() string { return string(e) }
func (redisError) RedisError()     {}

// Refuser is a hook of a Redis client that refuses one command, as a Redis does whose ACL lacks it.
type Refuser struct {
	mu      sync.Mutex
	left    int    // commands until the refused one, which is the last; 0 for none
	refused string // the command that was refused, or ""
}

// arm has the n-th command from now refused, from 1.
func (r *Refuser) arm(n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.left, r.refused = n, ""
}

// disarm lets all commands pass, and returns the one that was refused, or "".
func (r *Refuser) disarm() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.left = 0
	return r.refused
}

func (r *Refuser) refuses(cmd redis.Cmder) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if opens := cmd.Name() == "hello" || cmd.Name() == "client"; r.left == 0 || opens { // a connection
		return false
	}
	r.left--
	if r.left > 0 {
		return false
	}
	r.refused = cmd.Name()
	return true
}

// DialHook leaves connections alone.
func (r *Refuser) DialHook(next redis.DialHook) redis.DialHook { return next }

// ProcessHook refuses a command that is sent alone.
func (r *Refuser) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		if r.refuses(cmd) {
			cmd.SetErr(refusal)
			return refusal
		}
		return next(ctx, cmd)
	}
}

// ProcessPipelineHook refuses one command of a pipeline and lets the others run. Redis discards a
// transaction that holds a refused command.
func (r *Refuser) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		sent := make([]redis.Cmder, 0, len(cmds))
		for _, cmd := range cmds {
			if isFrame := cmd.Name() == "multi" || cmd.Name() == "exec"; !isFrame && r.refuses(cmd) {
				cmd.SetErr(refusal)
				continue
			}
			sent = append(sent, cmd)
		}
		if len(sent) == len(cmds) {
			return next(ctx, cmds)
		}
		if cmds[0].Name() == "multi" {
			for _, cmd := range cmds {
				cmd.SetErr(refusal)
			}
			return refusal
		}
		if len(sent) > 0 {
			if err := next(ctx, sent); err != nil {
				return err
			}
		}
		return refusal
	}
}

// Open starts a Redis. One of its clients is reliable, the other one refuses what the Refuser is
// armed for.
func Open(t *testing.T) (sound, refusing *redis.Client, r *Refuser) {
	t.Helper()
	addr := servers.Redis(t)
	sound, refusing, r = redis.NewClient(&redis.Options{Addr: addr}), redis.NewClient(&redis.Options{Addr: addr}), new(Refuser)
	refusing.AddHook(r)
	t.Cleanup(func() { _ = sound.Close(); _ = refusing.Close() })
	return sound, refusing, r
}

// mostCommands is more than any call sends in these tests.
const mostCommands = 60

// Each makes a call again and again, each time with another of its commands refused, until
// none is left to refuse. A call whose command was refused must fail, and must say why. Commands
// that are spared may be missing.
func (r *Refuser) Each(t *testing.T, prepare func(t *testing.T), call func(t *testing.T) error, spared ...string) {
	t.Helper()
	for n := 1; n <= mostCommands; n++ {
		prepare(t)
		r.arm(n)
		err := call(t)
		refused := r.disarm()
		switch {
		case refused == "" && err != nil:
			t.Fatalf("with all commands allowed: %v", err)
		case refused == "" && n == 1:
			t.Fatal("the call sent nothing")
		case refused == "":
			return
		case err == nil && slices.Contains(spared, refused):
		case err == nil:
			t.Errorf("command %d (%s) was refused, and the call says it succeeded", n, refused)
		case !strings.Contains(err.Error(), refusal.Error()):
			t.Errorf("command %d (%s) was refused, and the error is %q", n, refused, err)
		}
	}
	t.Fatalf("the call sends more than %d commands", mostCommands)
}
