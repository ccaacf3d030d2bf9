package cuts

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/redis/go-redis/v9"
)

// cutError is how a script fails that the knife has cut.
const cutError = "NOPERM cut before write "

// knife is a hook of a Redis client. It has every script sent as a text, and one of them fail
// before one of its writes.
type knife struct {
	mu     sync.Mutex
	script string // the text that must be cut; "" for none
	at     int    // before which write, from 1
	cuts   int    // made since it was armed
	met    bool   // the script was called since then

	discards bool // every transaction is discarded, as by a full Redis
}

// arm has the next call of a script fail before its n-th write.
func (k *knife) arm(name string, n int) {
	text, ok := scripts()[name]
	if !ok {
		panic("no script " + name)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.script, k.at, k.cuts, k.met = text, n, 0, false
}

// sheathe lets all scripts pass, and returns how many were cut.
func (k *knife) sheathe() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.script = ""
	return k.cuts
}

// edge is what stands before a script that must be cut. Redis protects its own table, so scripts
// get a copy.
const edge = `local redis = (function(own)
  local writes, at = {%s}, %d
  local function cut(call)
    return function(command, ...)
      if writes[string.upper(command)] then
        at = at - 1
        if at == 0 then
          error({err = '%s' .. string.lower(command)})
        end
      end
      return call(command, ...)
    end
  end
  return setmetatable({call = cut(own.call), pcall = cut(own.pcall)}, {__index = own})
end)(redis)
`

// writing are the commands that count as writes.
var writing = strings.Fields(`APPEND DEL EXPIRE HDEL HINCRBY HSET HSETNX INCR INCRBY LMOVE LPOP LPUSH LREM LSET LTRIM PERSIST PEXPIRE
	PEXPIREAT PUBLISH RENAME RPOP RPUSH SADD SET SETBIT SREM UNLINK XADD XTRIM ZADD ZREM ZREMRANGEBYRANK ZREMRANGEBYSCORE`)

// before is the text of a script with the knife in it.
func (k *knife) before(text string) string {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.script == "" || !strings.HasSuffix(text, k.script) {
		return text
	}
	k.script, k.met = "", true
	set := make([]string, len(writing))
	for i, command := range writing {
		set[i] = command + "=true"
	}
	return fmt.Sprintf(edge, strings.Join(set, ","), k.at, cutError) + text
}

func (k *knife) see(err error) {
	if err != nil && strings.Contains(err.Error(), cutError) {
		k.mu.Lock()
		defer k.mu.Unlock()
		k.cuts++
	}
}

// discardAll has every transaction discarded until the test ends.
func (k *knife) discardAll(t *testing.T) {
	set := func(discards bool) {
		k.mu.Lock()
		defer k.mu.Unlock()
		k.discards = discards
	}
	set(true)
	t.Cleanup(func() { set(false) })
}

func (k *knife) discard() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.discards
}

const (
	noScript  = redisError("NOSCRIPT No matching script")
	execAbort = redisError("EXECABORT Transaction discarded because of previous errors.")
)

type redisError string

func (e redisError) Error() string { return string(e) }
func (redisError) RedisError()     {}

func (k *knife) DialHook(next redis.DialHook) redis.DialHook { return next }

func (k *knife) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		switch strings.ToLower(cmd.Name()) {
		case "evalsha":
			cmd.SetErr(noScript)
			return noScript
		case "eval":
			cmd.Args()[1] = k.before(cmd.Args()[1].(string))
		}
		err := next(ctx, cmd)
		k.see(err)
		return err
	}
}

func (k *knife) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		if cmds[0].Name() == "multi" && k.discard() {
			for _, cmd := range cmds {
				cmd.SetErr(execAbort)
			}
			return execAbort
		}
		var sent []redis.Cmder
		for _, cmd := range cmds {
			switch strings.ToLower(cmd.Name()) {
			case "evalsha":
				cmd.SetErr(noScript)
				continue
			case "eval":
				cmd.Args()[1] = k.before(cmd.Args()[1].(string))
			}
			sent = append(sent, cmd)
		}
		if len(sent) == 0 {
			return noScript
		}
		err := next(ctx, sent)
		for _, cmd := range sent {
			k.see(cmd.Err())
		}
		return err
	}
}

// mostWrites is more than any script makes of what the tests give it.
const mostWrites = 100

// each cuts a script before each of its writes, every time in a world that prepare has just made.
// What prepare returns makes the call. Then check is called, with how the call failed; its world is
// that of the call.
func each[W any](t *testing.T, k *knife, script string, prepare func(t *testing.T) W, act func(t *testing.T, w W) error, check func(t *testing.T, w W)) {
	t.Helper()
	for n := 1; ; n++ {
		if n > mostWrites {
			t.Fatalf("%s makes more than %d writes", script, mostWrites)
		}
		cut := false
		ok := t.Run(fmt.Sprintf("%s/%d", script, n), func(t *testing.T) {
			w := prepare(t)
			k.arm(script, n)
			err := act(t, w)
			cut = k.sheathe() > 0
			if cut == (err == nil) {
				t.Fatalf("cut %t, and the error is %v", cut, err)
			}
			check(t, w)
		})
		if !ok {
			return
		}
		if !cut && !k.met {
			t.Fatalf("%s was not called", script)
		}
		if !cut {
			covered.Store(script, true)
			return
		}
	}
}
