package campaign_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"fanfare/internal/campaign"
	"fanfare/internal/keys"
	"fanfare/internal/queue"
	"fanfare/test/backends"
)

// busy creates a campaign with every possible key, and returns a lease on it.
func (f fixture) busy(id string) queue.Lease {
	f.Helper()
	f.create(id, campaign.Running)
	f.load(id, false, 20)
	l := f.claim(id, 8)
	f.settle(id, queue.Settlement{Claim: l.Claim, Pos: 1, Later: true},
		queue.Settlement{Claim: l.Claim, Pos: 2, Status: "sent", Emit: []byte("result")})
	_, err := f.queue(id).GiveBack(f.Context(), f.claim(id, 3).Claim)
	f.ok(err)
	names := keys.Default()
	f.ok(f.rdb.RPush(f.Context(), names.CampaignResponses(id), "theirs").Err())
	f.hset(f.key(id, keys.SuffixPace), "cursor", 1)
	f.hset(f.key(id, keys.SuffixBreaker), "round", 1)
	f.take(id, "e1", "phone")
	return l
}

// wantNothingOf checks that nothing is left but the history, which expires.
func (f fixture) wantNothingOf(b *backends.Backend, id string) {
	f.Helper()
	for _, key := range f.everyKey(b) {
		expires := strings.HasSuffix(key, ":"+keys.SuffixHistory) && f.expiry(key) > 0
		if strings.Contains(key, id) && !expires {
			f.Errorf("%s is left", key)
		}
	}
	wantEqual(f, "registered", f.registered(id), false)
}

func deletesEverything(t *testing.T, b *backends.Backend) {
	f := open(t, b)
	f.busy("bystander")
	for _, id := range []string{"gone", "{own}gone"} {
		l := f.busy(id)
		f.move(id, campaign.Paused)
		f.ok(f.Delete(t.Context(), id))
		f.wantNothingOf(b, id)

		// The outcome in flight comes too late, and leaves no key.
		q, ctx := f.queue(id), t.Context()
		applied, err := q.Settle(ctx, []queue.Settlement{
			{Claim: l.Claim, Pos: 3, Status: "sent", Emit: []byte("result")}, {Claim: l.Claim, Pos: 4, Later: true},
		})
		f.ok(err)
		wantEqual(t, "applied", applied, 0)
		_, err = q.Extend(ctx, l.Claim)
		f.ok(err)
		_, err = q.GiveBack(ctx, l.Claim)
		f.ok(err)
		_, err = q.Reap(ctx)
		f.ok(err)
		_, err = q.Claim(ctx, l.Claim, 5)
		if _, closed := errors.AsType[*queue.GateClosedError](err); !closed {
			t.Errorf("claim: %v, want that the gate is closed", err)
		}
		f.wantNothingOf(b, id)
		f.ok(f.Delete(ctx, id))
	}
	wantEqual(t, "bystander", f.books("bystander").CountOpen(), 19)
	wantEqual(t, "bystander is registered", f.registered("bystander"), true)
	f.push("mute", 3)
	f.ok(f.Delete(t.Context(), "mute"))
	f.wantNothingOf(b, "mute")
}

func deleteRefusesTheRunning(t *testing.T, b *backends.Backend) {
	f := open(t, b)
	for _, state := range campaign.States {
		id := string(state)
		f.into(id, state)
		f.push(id, 1)
		err := f.Delete(t.Context(), id)
		if state != campaign.Running {
			f.ok(err)
			f.wantNothingOf(b, id)
			continue
		}
		if wrong, ok := errors.AsType[*campaign.TransitionError](err); !ok || wrong.Error() != "campaign running is running: pause or cancel it before it is deleted" {
			t.Errorf("delete the running: %v, want a refusal", err)
		}
		wantEqual(t, "state", f.get(id).State, campaign.Running)
		wantEqual(t, "waiting", f.books(id).Waiting, 1)
	}
}

// deleteGoesOn interrupts a deletion before each of its commands in turn, and repeats it.
func deleteGoesOn(t *testing.T, b *backends.Backend) {
	f := open(t, b)
	cut := &limit{}
	for commands := 0; ; commands++ {
		id := fmt.Sprintf("cut%d-", commands)
		f.busy(id)
		f.move(id, campaign.Cancelled)
		cut.left = commands
		err := openOn(t, cut.client(t, b), b.Redis, eager).Delete(t.Context(), id)
		f.discover() // another process may do so at any moment
		f.ok(f.Delete(t.Context(), id))
		f.wantNothingOf(b, id)
		if err == nil {
			if commands < 6 {
				t.Errorf("a deletion took %d commands", commands)
			}
			return
		}
		f.refused("delete", err, errCut)
	}
}

var errCut = errors.New("cut off")

// limit is a hook that lets a number of commands pass; a pipeline counts as one.
type limit struct{ left int }

func (l *limit) client(t *testing.T, b *backends.Backend) redis.UniversalClient {
	return b.WithHook(t, l)
}

func (l *limit) DialHook(next redis.DialHook) redis.DialHook { return next }

func (l *limit) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		if l.left == 0 {
			cmd.SetErr(errCut)
			return errCut
		}
		l.left--
		return next(ctx, cmd)
	}
}

func (l *limit) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		if l.left == 0 {
			for _, cmd := range cmds {
				cmd.SetErr(errCut)
			}
			return errCut
		}
		l.left--
		return next(ctx, cmds)
	}
}
