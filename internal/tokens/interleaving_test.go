package tokens_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/redis/go-redis/v9"
	"pgregory.net/rapid"

	"fanfare/internal/notification"
	"fanfare/internal/tokens"
	"fanfare/test/backends"
	"fanfare/test/servers"
)

// The application may store a new token between any two commands of a removal or restore. The new
// token stays.
func TestRefreshBetweenAnyTwoCommands(t *testing.T) {
	upstream := servers.Redis(t)
	for _, user := range []string{"u", "odd}", "{tag}"} {
		for before := range commands {
			t.Run(fmt.Sprintf("%s before %d", user, before), func(t *testing.T) {
				b := newRig(t, backends.Connect(t, upstream))
				raced := newRig(t, backends.Connect(t, upstream))
				at := &hookAt{act: func() { b.set(user, "new") }}
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
					if got := b.stored(user); at.left < 0 && got != "new" || err != nil {
						t.Errorf("%s: Redis holds %q, %v", name, got, err)
					}
				}
			})
		}
	}
}

// A token that dies again during its restore stays or can be restored again. Its new copy is not
// deleted as the old one.
func TestTokenDiesAgainDuringRestore(t *testing.T) {
	upstream := servers.Redis(t)
	for _, user := range []string{"u", "odd}", "{tag}"} {
		for before := range commands {
			t.Run(fmt.Sprintf("%s before %d", user, before), func(t *testing.T) {
				b := newRig(t, backends.Connect(t, upstream))
				raced := newRig(t, backends.Connect(t, upstream))
				b.set(user, "dead")
				b.forget(user, "dead")
				raced.rdb.AddHook(&hookAt{left: before, act: func() {
					if _, err := b.store.Forget(t.Context(), user, notification.ParseToken("dead"), "43"); err != nil {
						t.Error(err)
					}
				}})
				only := tokens.Filter{Users: []string{user}}
				raced.restore(only)
				if b.stored(user) == "" && len(b.removed(only)) == 0 {
					t.Error("the token is gone, and no copy is kept")
				}
			})
		}
	}
}

// A device's address that dies again during its restore keeps its new copy likewise.
func TestDeviceDiesAgainDuringRestore(t *testing.T) {
	upstream := servers.Redis(t)
	dead := notification.ParseFID(fidA)
	for before := range commands {
		t.Run(fmt.Sprintf("before %d", before), func(t *testing.T) {
			b := newRig(t, backends.Connect(t, upstream))
			raced := newRig(t, backends.Connect(t, upstream))
			b.setDevices("u", fidA, `{"kind":"fid"}`)
			b.forgetDevice("u", dead)
			raced.rdb.AddHook(&hookAt{left: before, act: func() { b.forgetDevice("u", dead) }})
			only := tokens.Filter{Users: []string{"u"}}
			raced.restore(only)
			if len(b.fields("u")) == 0 && len(b.removed(only)) == 0 {
				t.Error("the address is gone, and no copy is kept")
			}
		})
	}
}

// hookAt runs act right before one command. It counts the commands of a pipeline one by one, but a
// pipeline is sent as a whole.
type hookAt struct {
	left int
	act  func()
}

func (m *hookAt) pass(n int) {
	if m.left >= 0 && m.left < n {
		m.act()
	}
	m.left -= n
}

func (m *hookAt) DialHook(next redis.DialHook) redis.DialHook { return next }

func (m *hookAt) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		m.pass(1)
		return next(ctx, cmd)
	}
}

func (m *hookAt) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		m.pass(len(cmds))
		return next(ctx, cmds)
	}
}

const rounds = 300

// refreshedTokenSurvives stores a new token while the answer to the old one arrives. Others look
// the user up in an SQL table that still has the old one.
func refreshedTokenSurvives(b *rig) {
	lost := 0
	for round := range rounds {
		user, dead, fresh := fmt.Sprint("u", round), fmt.Sprint("old", round), fmt.Sprint("new", round)
		b.sql.rows[user] = dead
		if round%3 > 0 { // else only SQL has it
			b.set(user, dead)
		}
		together(
			func() { b.set(user, fresh) },
			func() { b.forget(user, dead) },
			func() { b.forget(user, dead) },
			func() { b.get(user) },
		)
		if b.stored(user) != fresh || b.get(user) != fresh {
			lost++
		}
	}
	if lost > 0 {
		b.Errorf("%d of %d new tokens were lost", lost, rounds)
	}
}

// deadTokenStaysAway expects that no reader of SQL writes a dead token back after the proof.
func deadTokenStaysAway(b *rig) {
	back := 0
	for round := range rounds {
		user, dead := fmt.Sprint("u", round), fmt.Sprint("old", round)
		b.sql.rows[user] = dead
		together(
			func() { b.get(user) },
			func() { b.forget(user, dead) },
			func() { b.get(user) },
		)
		if b.stored(user) != "" || b.get(user) != "" {
			back++
		}
	}
	if back > 0 {
		b.Errorf("%d of %d dead tokens came back", back, rounds)
	}
}

// together starts all functions at once and waits for all.
func together(acts ...func()) {
	var wg sync.WaitGroup
	start := make(chan struct{})
	for _, act := range acts {
		wg.Go(func() {
			<-start
			act()
		})
	}
	close(start)
	wg.Wait()
}

// The application stores a new token during stale UNREGISTERED answers, lookups and a restore. Any
// reply of Redis may be lost. The new token stays, and after its own removal a restore writes it
// back.
func TestRefreshedTokenIsNeverDeleted(t *testing.T) {
	upstream := servers.Redis(t)
	proxy := servers.NewProxy(t, upstream)
	direct := backends.Connect(t, upstream)
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
		_, n := proxy.CountMatches()
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

// commands is more than any removal or restore sends, including the greeting of a connection.
const commands = 14

// An interrupted removal leaves the token stored or restorable. The next restore completes an
// interrupted one.
func TestInterruptionLosesNoToken(t *testing.T) {
	upstream := servers.Redis(t)
	for _, user := range []string{"u", "odd}", "{tag}"} {
		for after := range commands {
			t.Run(fmt.Sprintf("%s after %d", user, after), func(t *testing.T) {
				b := newRig(t, backends.Connect(t, upstream))
				b.set(user, "dead")
				cutting := newRig(t, backends.Connect(t, upstream))
				cut := &cut{left: after}
				cutting.rdb.AddHook(cut)
				_, _ = cutting.store.Forget(t.Context(), user, notification.ParseToken("dead"), "42")
				if b.stored(user) == "" && len(b.removed(tokens.Filter{Users: []string{user}})) == 0 {
					t.Fatal("the token is gone, and no copy is kept")
				}

				b.forget(user, "dead")
				cut.left = after
				_, _ = cutting.store.Restore(t.Context(), tokens.Filter{}, tokens.RestoreOptions{})
				b.restore(tokens.Filter{})
				if b.stored(user) != "dead" || b.rdb.Exists(t.Context(), b.names.NoToken(user)).Val() != 0 {
					t.Errorf("Redis holds %q, and the mark may stay", b.stored(user))
				}
			})
		}
	}
}

// cut lets some commands pass, those of pipelines one by one, and fails all others before they are
// sent.
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
