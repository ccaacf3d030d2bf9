package idempotency

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"
)

// hook is called in place of each command of Redis, with what performs it.
type hook func(cmd redis.Cmder, perform func() error) error

func (hook) DialHook(next redis.DialHook) redis.DialHook { return next }
func (hook) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}
func (h hook) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		return h(cmd, func() error { return next(ctx, cmd) })
	}
}

// A command whose reply was lost is sent again. The claim that it made before is the caller's.
func TestLostReplyKeepsTheClaim(t *testing.T) {
	t.Parallel()
	s, _ := newStore(t)
	s.rdb.AddHook(hook(func(cmd redis.Cmder, perform func() error) error {
		if cmd.Name() == "set" {
			_ = perform()
		}
		return perform()
	}))
	if err := begin(t, s, "k", "POST /a").Release(t.Context()); err != nil {
		t.Fatal(err)
	}
	begin(t, s, "k", "POST /b")
}

// An entry that expires before it is read leaves room for the claim. One that does so twice
// does not.
func TestEntryExpiresBeforeItIsRead(t *testing.T) {
	t.Parallel()
	for times, want := range map[int]error{1: nil, 2: ErrRunning} {
		s, server := newStore(t)
		key := begin(t, s, "k", "POST /a").key
		held, err := server.Get(key)
		if err != nil {
			t.Fatal(err)
		}
		left := times
		s.rdb.AddHook(hook(func(cmd redis.Cmder, perform func() error) error {
			if cmd.Name() == "get" {
				server.Del(key)
				err := perform()
				if left--; left > 0 {
					_ = server.Set(key, held)
				}
				return err
			}
			return perform()
		}))
		if _, claim, err := s.Begin(t.Context(), "k", "POST /b"); !errors.Is(err, want) || (claim == nil) != (want != nil) {
			t.Errorf("expired %d times: %v, %v, want %v", times, claim, err, want)
		}
	}
}

// No request runs while Redis fails or holds what cannot be read. No failure is taken for success.
func TestFailuresAreReported(t *testing.T) {
	t.Parallel()
	s, server := newStore(t)
	claim := begin(t, s, "k", "POST /a")
	fail := ""
	s.rdb.AddHook(hook(func(cmd redis.Cmder, perform func() error) error {
		if cmd.Name() == fail {
			cmd.SetErr(errors.New("no room"))
			return cmd.Err()
		}
		return perform()
	}))
	for name, c := range map[string]struct {
		fail, want string
		call       func() error
	}{
		"begin":             {"set", "write idempotency key", func() error { _, _, err := s.Begin(t.Context(), "k", "POST /a"); return err }},
		"begin, unread":     {"get", "read idempotency key", func() error { _, _, err := s.Begin(t.Context(), "k", "POST /a"); return err }},
		"answer":            {"set", "write idempotency key", func() error { return claim.Answer(t.Context(), Answer{}) }},
		"release":           {"del", "release idempotency key", func() error { return (&Claim{s, claim.key, entry{Owner: claim.entry.Owner}}).Release(t.Context()) }},
		"release, unread":   {"get", "read idempotency key", func() error { return claim.Release(t.Context()) }},
		"extension":         {"pexpire", "extend idempotency key", func() error { return (&Claim{s, claim.key, entry{Owner: claim.entry.Owner}}).extend(t.Context()) }},
		"extension, unread": {"get", "read idempotency key", func() error { return claim.extend(t.Context()) }},
	} {
		fail = c.fail
		if err := c.call(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
	fail = ""
	if err := server.Set(claim.key, "{"); err != nil {
		t.Fatal(err)
	}
	if _, again, err := s.Begin(t.Context(), "k", "POST /a"); again != nil || err == nil || !strings.Contains(err.Error(), "read idempotency key") {
		t.Errorf("an entry that cannot be read: %v, %v", again, err)
	}
}
