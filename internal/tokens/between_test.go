package tokens_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/redis/go-redis/v9"

	"fanfare/internal/notification"
	"fanfare/internal/tokens"
	"fanfare/test/servers"
)

// TestARefreshBetweenAnyTwoCommands: whenever the application stores a new token while one is forgotten or restored, the
// new one stays.
func TestARefreshBetweenAnyTwoCommands(t *testing.T) {
	upstream := servers.Redis(t)
	for _, user := range []string{"u", "odd}", "{tag}"} {
		for before := range commands {
			t.Run(fmt.Sprintf("%s before %d", user, before), func(t *testing.T) {
				b := newRig(t, connect(t, upstream))
				raced := newRig(t, connect(t, upstream))
				at := &moment{act: func() { b.set(user, "new") }}
				raced.rdb.AddHook(at)
				for name, act := range map[string]func() error{
					"forget": func() error {
						b.set(user, "dead")
						at.left = before
						_, err := raced.store.Forget(t.Context(), user, notification.ParseToken("dead"), "42")
						return err
					},
					"restore": func() error {
						b.set(user, "dead")
						b.forget(user, "dead")
						at.left = before
						_, err := raced.store.Restore(t.Context(), tokens.Filter{Users: []string{user}}, tokens.RestoreOptions{})
						return err
					},
				} {
					err := act()
					if got := b.held(user); at.left < 0 && got != "new" || err != nil {
						t.Errorf("%s: Redis holds %q, %v", name, got, err)
					}
				}
			})
		}
	}
}

// TestATokenThatDiesAgainWhileItIsRestored is held, or can be restored once more: its new copy is not dropped as the old.
func TestATokenThatDiesAgainWhileItIsRestored(t *testing.T) {
	upstream := servers.Redis(t)
	for _, user := range []string{"u", "odd}", "{tag}"} {
		for before := range commands {
			t.Run(fmt.Sprintf("%s before %d", user, before), func(t *testing.T) {
				b := newRig(t, connect(t, upstream))
				raced := newRig(t, connect(t, upstream))
				b.set(user, "dead")
				b.forget(user, "dead")
				raced.rdb.AddHook(&moment{left: before, act: func() {
					if _, err := b.store.Forget(t.Context(), user, notification.ParseToken("dead"), "43"); err != nil {
						t.Error(err)
					}
				}})
				only := tokens.Filter{Users: []string{user}}
				raced.restore(only)
				if b.held(user) == "" && len(b.removed(only)) == 0 {
					t.Error("the token is gone, and no copy is kept")
				}
			})
		}
	}
}

// moment acts right before one of the commands, those of pipelines counted one by one but sent together.
type moment struct {
	left int
	act  func()
}

func (m *moment) pass(n int) {
	if m.left >= 0 && m.left < n {
		m.act()
	}
	m.left -= n
}

func (m *moment) DialHook(next redis.DialHook) redis.DialHook { return next }

func (m *moment) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		m.pass(1)
		return next(ctx, cmd)
	}
}

func (m *moment) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		m.pass(len(cmds))
		return next(ctx, cmds)
	}
}
