package campaign_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"fanfare/internal/campaign"
	"fanfare/internal/keys"
	"fanfare/test/backends"
)

func tellsTheUnsettled(t *testing.T, b *backends.Backend) {
	f := open(t, b)
	for _, id := range []string{"leased", "emitted", "quiet", "orphan"} {
		f.into(id, campaign.Running)
		f.push(id, 1)
	}
	f.claim("leased", 1)
	for _, id := range []string{"emitted", "orphan"} {
		f.drain(id)
		f.emit(id)
	}
	wantList(t, "unsettled while running", f.discover().Unsettled)
	f.move("leased", campaign.Cancelled)
	f.move("emitted", campaign.Paused)
	f.move("quiet", campaign.Paused)
	f.ok(f.rdb.Del(t.Context(), f.key("orphan", keys.SuffixSpec)).Err())
	wantList(t, "unsettled", f.discover().Unsettled, "emitted", "leased", "orphan")
}

// tellsTheUnsettledAfterAnError interrupts the Discover that begins a pass, before each of its
// commands in turn. The next one must list the unsettled.
func tellsTheUnsettledAfterAnError(t *testing.T, b *backends.Backend) {
	f := open(t, b)
	f.into("leased", campaign.Running)
	f.push("leased", 1)
	f.claim("leased", 1)
	f.move("leased", campaign.Paused)
	cut := &limit{}
	for commands := 0; ; commands++ {
		cut.left = commands
		g := openOn(t, cut.client(t, b), b.Redis, campaign.Options{ScanEvery: time.Hour})
		if _, err := g.Discover(t.Context()); err == nil {
			if commands == 0 {
				t.Error("a look took no command")
			}
			return
		}
		cut.left = 100
		wantList(t, fmt.Sprintf("unsettled after an error at command %d", commands), g.discover().Unsettled, "leased")
		wantList(t, "unsettled within the hour", g.discover().Unsettled)
	}
}

func dropsTheGone(t *testing.T, b *backends.Backend) {
	f := open(t, b)
	registry := keys.Default().Registry()
	f.ok(f.rdb.SAdd(t.Context(), registry, "never", "a}b", "counted", "listed").Err())
	f.hset(f.key("counted", keys.SuffixCounts), "claimed", 5, "ended:sent", 5)
	f.push("listed", 1)
	f.hset(f.key("listed", keys.SuffixCounts), "claimed", 5, "ended:sent", 5)
	f.create("kept", campaign.Draft)
	f.discover()
	left, err := f.rdb.SMembers(t.Context(), registry).Result()
	f.ok(err)
	slices.Sort(left)
	wantList(t, "registry", left, "kept", "listed")
	wantEqual(t, "books of the gone", f.expiry(f.key("counted", keys.SuffixCounts)), time.Duration(-2))
	wantEqual(t, "books of the waiting", f.expiry(f.key("listed", keys.SuffixCounts)), never)
}

// listsWhatIsLeft has a campaign whose spec is gone, with results to forward.
func listsWhatIsLeft(t *testing.T, b *backends.Backend) {
	f := open(t, b)
	f.into("orphan", campaign.Running)
	f.push("orphan", 1)
	f.drain("orphan")
	f.emit("orphan")
	f.ok(f.rdb.Del(t.Context(), f.key("orphan", keys.SuffixSpec)).Err())
	all, err := f.List(t.Context())
	f.ok(err)
	if len(all) != 1 || all[0].Spec.ID != "orphan" || all[0].Books.Outbox != 1 {
		t.Errorf("list %+v, want the one whose result is on its way", all)
	}
}
