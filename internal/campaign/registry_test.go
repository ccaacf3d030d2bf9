package campaign_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"fanfare/internal/campaign"
	"fanfare/internal/keys"
	"fanfare/test/backends"
)

// before is a hook that runs a function once, before a command that contains a word.
type before struct {
	word string
	do   func()
}

func (b *before) DialHook(next redis.DialHook) redis.DialHook { return next }

func (b *before) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		if do := b.do; do != nil && slices.Contains(cmd.Args(), any(b.word)) {
			b.do = nil
			do()
		}
		return next(ctx, cmd)
	}
}

func (b *before) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

// keepsWhatComesMeanwhile creates a campaign and loads another one after Discover found nothing
// of them. It does so before Discover removes their entries.
func keepsWhatComesMeanwhile(t *testing.T, b *backends.Backend) {
	f := open(t, b)
	registry := keys.Default().Registry()
	f.ok(f.rdb.SAdd(t.Context(), registry, "created", "counted", "gone").Err())
	hook := &before{word: "srem", do: func() {
		f.create("created", campaign.Running)
		f.hset(f.key("counted", keys.SuffixCounts), "loading:1", time.Now().UnixMilli())
	}}
	g := openOn(t, b.WithHook(t, hook), b.Redis, eager)
	g.discover()
	wantEqual(t, "created and loaded meanwhile", hook.do == nil, true)
	left, err := f.rdb.SMembers(t.Context(), registry).Result()
	f.ok(err)
	slices.Sort(left)
	wantList(t, "registry", left, "counted", "created")
	wantList(t, "running", idsOf(g.discover().Running), "created")
}

// createsBesideALook lets Discover find the entry of a campaign that is being created, and remove
// it.
func createsBesideALook(t *testing.T, b *backends.Backend) {
	f := open(t, b)
	hook := &before{word: f.key("42", keys.SuffixSpec), do: func() { f.discover() }}
	g := openOn(t, b.WithHook(t, hook), b.Redis, campaign.Options{ScanEvery: time.Hour})
	g.create("42", campaign.Running)
	wantEqual(t, "looked meanwhile", hook.do == nil, true)
	wantEqual(t, "registered", f.rdb.SIsMember(t.Context(), keys.Default().Registry(), "42").Val(), true)
}
