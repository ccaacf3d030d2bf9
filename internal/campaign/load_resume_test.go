package campaign_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"fanfare/internal/campaign"
	"fanfare/internal/keys"
	"fanfare/internal/notification"
	"fanfare/test/backends"
)

// rows returns the recipients from one number up to another.
func rows(from, to int) [][]byte {
	var all [][]byte
	for i := from; i < to; i++ {
		all = append(all, campaign.EncodeRecipient(nil, notification.Recipient{UserID: fmt.Sprint("u", i)}))
	}
	return all
}

// loader opens a load. The lease of a loader that was killed has ended.
func (f fixture) loader(id string, appending bool) *campaign.Loader {
	f.Helper()
	f.ok(f.rdb.HDel(f.Context(), f.key(id, keys.SuffixCounts), "loading").Err())
	l, err := f.Load(f.Context(), id, appending)
	f.ok(err)
	return l
}

// appendAll loads recipients in batches of ten.
func (f fixture) appendAll(l *campaign.Loader, all [][]byte) {
	f.Helper()
	for some := range slices.Chunk(all, 10) {
		f.ok(l.Append(f.Context(), some))
	}
}

// wantRows checks that the list holds recipients 0 to n, each once and in order.
func (f fixture) wantRows(what, id string, n int) {
	f.Helper()
	got, err := f.rdb.LRange(f.Context(), f.list(id).Plain(), 0, -1).Result()
	f.ok(err)
	var want []string
	for _, row := range rows(0, n) {
		want = append(want, string(row))
	}
	wantList(f, what, got, want...)
}

// A killed load shows in the books, and the same load continues it, whether it appends or not.
func goesOnWithALoad(t *testing.T, b *backends.Backend) {
	f := open(t, b)
	for _, appending := range []bool{false, true} {
		for _, abandoned := range []bool{false, true} {
			id := fmt.Sprintf("appending %v abandoned %v", appending, abandoned)
			killed := f.loader(id, appending)
			f.appendAll(killed, rows(0, 35))
			if abandoned {
				f.ok(killed.Abandon(t.Context()))
			}
			books := f.books(id)
			wantEqual(t, id+": interrupted", books.Interrupted, 35)
			wantEqual(t, id+": may go on still", books.Loading, !abandoned)
			wantEqual(t, id+": losses", len(books.Losses(campaign.Spec{ID: id, State: campaign.Draft})), 1)

			again := f.loader(id, appending)
			f.appendAll(again, rows(0, 100))
			wantEqual(t, id+": passed over", again.CountSkipped(), 35)
			f.ok(again.Close(t.Context()))
			f.wantRows(id, id, 100)
			marks, err := f.rdb.Keys(t.Context(), "{campaign:"+id+"}:load:*").Result()
			f.ok(err)
			if _, cluster := f.rdb.(*redis.ClusterClient); !cluster { // KEYS asks one node
				wantEqual(t, id+": loads whose batches are remembered", len(marks), 1)
			}
			books = f.books(id)
			wantEqual(t, id+": interrupted after that", books.Interrupted, 0)
			wantEqual(t, id+": loaded", books.Loaded, 100)
		}
	}
}

// Another load continues while the first still runs. No recipient is doubled, and the first
// pushes nothing more.
func takesALoadOver(t *testing.T, b *backends.Backend) {
	f := open(t, b)
	first := f.loader("1", false)
	f.appendAll(first, rows(0, 20))
	second := f.loader("1", false)
	f.appendAll(second, rows(0, 10)) // it has read up to here when the first continues
	// The first was stopped beyond its lease. One batch gets in before it learns of the second.
	if _, busy := errors.AsType[*campaign.BusyError](first.Append(t.Context(), rows(20, 30))); !busy {
		t.Error("the first loader keeps on beside the second")
	}
	f.appendAll(second, rows(10, 50))
	f.refused("the first", first.Append(t.Context(), rows(30, 40)), campaign.ErrDeleted)
	f.appendAll(second, rows(50, 60))
	f.ok(second.Close(t.Context()))
	f.wantRows("list", "1", 60)
}

// A load whose caller knows where to continue closes the interrupted ones when it is done. If it
// then ends in a campaign that is over, that is no error, because all of it was loaded.
func endsLoads(t *testing.T, b *backends.Backend) {
	f := open(t, b)
	f.create("1", campaign.Running)
	f.appendAll(f.loader("1", false), rows(0, 20))
	l := f.loader("1", true)
	f.ok(l.DisableResume())
	f.appendAll(l, rows(20, 30))
	wantEqual(t, "interrupted before its end", f.books("1").Interrupted, 30)
	f.ok(l.Close(t.Context()))
	wantEqual(t, "interrupted after its end", f.books("1").Interrupted, 0)

	last := f.loader("1", true)
	f.appendAll(last, rows(30, 40))
	f.move("1", campaign.Cancelled)
	f.ok(last.Close(t.Context()))
}

// Invalid progress of an interrupted load, written by a stranger, never skips or doubles a
// recipient.
func goesOnWithNoStrangersProgress(t *testing.T, b *backends.Backend) {
	f := open(t, b)
	for id, progress := range map[string]string{"less": "5 5 1 1", "none": "x"} {
		f.appendAll(f.loader(id, false), rows(0, 20))
		again := f.loader(id, false)
		f.appendAll(again, rows(0, 10)) // it has read the progress of the first
		fields, err := f.rdb.HKeys(t.Context(), f.key(id, keys.SuffixCounts)).Result()
		f.ok(err)
		for _, field := range fields {
			if strings.HasPrefix(field, "progress:") {
				f.hset(f.key(id, keys.SuffixCounts), field, progress)
			}
		}
		if err := again.Append(t.Context(), rows(10, 30)); err == nil || !strings.Contains(err.Error(), "its progress cannot be read") {
			t.Errorf("%s: %v", id, err)
		}
		f.wantRows(id, id, 20)
	}
}

func refusesAnotherAudience(t *testing.T, b *backends.Backend) {
	f := open(t, b)
	f.appendAll(f.loader("1", false), rows(0, 30))

	other := f.loader("1", false)
	f.refused("one that begins otherwise", other.Append(t.Context(), rows(5, 15)), campaign.ErrAudienceExists)
	differs := f.loader("1", false)
	f.appendAll(differs, rows(0, 10))
	f.appendAll(differs, rows(0, 10))
	f.refused("one that differs later", differs.Append(t.Context(), rows(20, 30)), campaign.ErrOtherAudience)
	short := f.loader("1", false)
	f.appendAll(short, rows(0, 20))
	f.refused("one that ends sooner", short.Close(t.Context()), campaign.ErrOtherAudience)
	f.wantRows("list", "1", 30)

	// A load that appends another audience adds to it, and the interrupted load remains.
	more := f.loader("1", true)
	f.appendAll(more, rows(30, 40))
	f.ok(more.Close(t.Context()))
	wantEqual(t, "interrupted", f.books("1").Interrupted, 30)
	// Until an operator gives up the rest.
	f.ok(f.Waive(t.Context(), campaign.Spec{ID: "1"}, 0))
	wantEqual(t, "interrupted", f.books("1").Interrupted, 0)
}

// Missing recipients may be loaded again, as the campaign's reason says, and then the books
// balance.
func loadsAgainWhatIsMissing(t *testing.T, b *backends.Backend) {
	f := open(t, b)
	lose := func(id string) { f.ok(f.rdb.Del(context.Background(), f.list(id).Plain()).Err()) }

	f.create("all", campaign.Draft)
	f.load("all", false, 10)
	lose("all")
	wantEqual(t, "missing", f.books("all").Missing, 10)
	f.load("all", false, 10)
	books := f.books("all")
	wantEqual(t, "loaded again", books.Loaded, 10)
	wantEqual(t, "balanced", books.IsBalanced(), true)

	f.create("rest", campaign.Running)
	f.push("rest", 10)
	f.discover()
	f.end("rest", f.claim("rest", 4), notification.StatusSent)
	lose("rest")
	wantEqual(t, "complete", f.complete("rest"), true)
	_, err := f.Load(t.Context(), "rest", false)
	f.refused("all of it", err, campaign.ErrAudienceExists) // four would be sent to twice
	f.load("rest", true, 2)
	wantEqual(t, "state", f.get("rest").State, campaign.Running)
	wantEqual(t, "missing still", f.books("rest").Missing, 4)
	f.load("rest", true, 4)
	f.drain("rest")
	_, how, err := f.Complete(t.Context(), "rest")
	f.ok(err)
	wantEqual(t, "the end", how, campaign.Ending{})
	wantEqual(t, "balanced at the end", f.books("rest").IsBalanced(), true)

	// Recipients of a list that vanishes during a load are missing, whatever that load adds.
	l := f.loader("during", false)
	f.appendAll(l, rows(0, 20))
	lose("during")
	f.appendAll(l, rows(20, 50))
	f.ok(l.Close(t.Context()))
	wantEqual(t, "missing during a load", f.books("during").Missing, 20)
	wantEqual(t, "registered", slices.Contains(f.discover().Waiting, "during"), true)
}
