package cuts

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/redis/go-redis/v9"

	"fanfare/test/servers"
)

// refusal is how a command fails that the refuser refuses.
const refusal = redisError("NOPERM refused by the test")

// refuser is a hook of a Redis client that refuses one command, as a Redis does whose ACL lacks it.
type refuser struct {
	mu      sync.Mutex
	left    int    // commands until the refused one, which is the last; 0 for none
	refused string // the command that was refused, or ""
}

// arm has the n-th command from now refused, from 1.
func (r *refuser) arm(n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.left, r.refused = n, ""
}

// disarm lets all commands pass, and returns the one that was refused, or "".
func (r *refuser) disarm() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.left = 0
	return r.refused
}

func (r *refuser) refuses(cmd redis.Cmder) bool {
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

func (r *refuser) DialHook(next redis.DialHook) redis.DialHook { return next }

func (r *refuser) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
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
func (r *refuser) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
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

// openRefusing starts a Redis. One of its clients is reliable, the other one refuses what the
// refuser is armed for.
func openRefusing(t *testing.T) (sound, refusing *redis.Client, r *refuser) {
	addr := servers.Redis(t)
	sound, refusing, r = redis.NewClient(&redis.Options{Addr: addr}), redis.NewClient(&redis.Options{Addr: addr}), new(refuser)
	refusing.AddHook(r)
	t.Cleanup(func() { _ = sound.Close(); _ = refusing.Close() })
	return sound, refusing, r
}

// mostCommands is more than any call sends in these tests.
const mostCommands = 60

// refuseEach makes a call again and again, each time with another of its commands refused, until
// none is left to refuse. A call whose command was refused must fail, and must say why. Commands
// that are spared may be missing.
func refuseEach(t *testing.T, r *refuser, prepare func(t *testing.T), call func(t *testing.T) error, spared ...string) {
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
