package tokens_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/redis/go-redis/v9"
	"pgregory.net/rapid"

	"fanfare/internal/notification"
	"fanfare/internal/tokens"
	"fanfare/test/servers"
)

// TestARefreshedTokenIsNeverDeleted: the application stores a new token while one or more stale UNREGISTERED arrive,
// others look the user up, and an operator restores; any reply of Redis to us may be lost. The new token stays, and
// once it is removed itself, a restore gives it back.
func TestARefreshedTokenIsNeverDeleted(t *testing.T) {
	upstream := servers.Redis(t)
	proxy := servers.NewProxy(t, upstream)
	direct := connect(t, upstream)
	hasty := redis.NewClient(&redis.Options{Addr: proxy.Addr(), MinRetryBackoff: -1, MaxRetryBackoff: -1})
	t.Cleanup(func() { _ = hasty.Close() })
	ours := newRig(t, hasty)
	round, lost := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		round++
		user := fmt.Sprint(rapid.SampledFrom([]string{"u", "odd}", "{tag}"}).Draw(t, "user"), round)
		key := ours.names.Token(user)
		ctx := context.WithoutCancel(ours.Context())
		if rapid.Bool().Draw(t, "in Redis") {
			direct.Set(ctx, key, "old", 0)
		}
		ours.sql.set(user, rapid.SampledFrom([]string{"", "old"}).Draw(t, "in SQL"))
		acts := []func(){func() { direct.Set(ctx, key, "new", 0) }}
		for range rapid.IntRange(1, 3).Draw(t, "stale answers") {
			acts = append(acts, func() { _, _ = ours.store.Forget(ctx, user, notification.ParseToken("old"), "42") })
		}
		only := tokens.Filter{Users: []string{user}}
		acts = append(acts,
			func() { _, _ = ours.store.Get(ctx, user) },
			func() { _, _ = ours.store.Restore(ctx, only, tokens.RestoreOptions{}) },
		)
		proxy.Lose(nil, servers.EveryNth(rapid.IntRange(2, 9).Draw(t, "every n-th reply is lost")))
		together(acts...)
		_, n := proxy.Seen()
		lost += n
		proxy.Lose(nil, nil)

		if got := direct.Get(ctx, key).Val(); got != "new" {
			t.Fatalf("%s: Redis holds %q, want the new token", user, got)
		}
		ours.sql.set(user, "")
		if found, err := ours.store.Forget(ctx, user, notification.ParseToken("new"), "43"); !found.Removed || err != nil {
			t.Fatalf("%s: the new token dies: %+v, %v", user, found, err)
		}
		if sum, err := ours.store.Restore(ctx, only, tokens.RestoreOptions{}); sum.Restored != 1 || err != nil {
			t.Fatalf("%s: restored %+v, %v", user, sum, err)
		}
		if got, ttl := direct.Get(ctx, key).Val(), direct.PTTL(ctx, key).Val(); got != "new" || ttl > 0 {
			t.Fatalf("%s: got %q back for %v", user, got, ttl)
		}
	})
	if lost == 0 {
		t.Error("no reply was lost")
	}
}

// commands are more than any removal or restore sends, the greeting of a new connection included.
const commands = 14

// TestBeingCutOffLosesNoToken: wherever a removal breaks off, the token is still there or can be restored; and wherever
// a restore does, the next one ends it.
func TestBeingCutOffLosesNoToken(t *testing.T) {
	upstream := servers.Redis(t)
	for _, user := range []string{"u", "odd}", "{tag}"} {
		for after := range commands {
			t.Run(fmt.Sprintf("%s after %d", user, after), func(t *testing.T) {
				b := newRig(t, connect(t, upstream))
				b.set(user, "dead")
				cutting := newRig(t, connect(t, upstream))
				cut := &cut{left: after}
				cutting.rdb.AddHook(cut)
				_, _ = cutting.store.Forget(t.Context(), user, notification.ParseToken("dead"), "42")
				if b.held(user) == "" && len(b.removed(tokens.Filter{Users: []string{user}})) == 0 {
					t.Fatal("the token is gone, and no copy is kept")
				}

				b.forget(user, "dead")
				cut.left = after
				_, _ = cutting.store.Restore(t.Context(), tokens.Filter{}, tokens.RestoreOptions{})
				b.restore(tokens.Filter{})
				if b.held(user) != "dead" || b.rdb.Exists(t.Context(), b.names.NoToken(user)).Val() != 0 {
					t.Errorf("Redis holds %q, and the mark may stay", b.held(user))
				}
			})
		}
	}
}

// cut lets some commands pass, those of pipelines one by one, and fails all others before they are sent.
type cut struct{ left int }

var errCut = errors.New("cut off")

func (c *cut) DialHook(next redis.DialHook) redis.DialHook { return next }

func (c *cut) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		if c.left--; c.left < 0 {
			cmd.SetErr(errCut)
			return errCut
		}
		return next(ctx, cmd)
	}
}

func (c *cut) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		n := min(len(cmds), max(0, c.left))
		c.left -= len(cmds)
		var err error
		if n > 0 {
			err = next(ctx, cmds[:n])
		}
		for _, cmd := range cmds[n:] {
			cmd.SetErr(errCut)
			err = errCut
		}
		return err
	}
}
