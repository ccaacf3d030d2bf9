package campaign_test

import (
	"strings"
	"testing"
	"time"

	"fanfare/internal/campaign"
	"fanfare/internal/keys"
	"fanfare/internal/notification"
	"fanfare/internal/queue"
	"fanfare/test/backends"
)

// A campaign whose recipients vanish must end, and must not look as if it had served them.
func endsWithoutTheMissing(t *testing.T, b *backends.Backend) {
	f := open(t, b)
	for _, c := range []struct {
		id     string
		vanish func(id string)
		want   int64
	}{
		{"the list", func(id string) { f.ok(f.rdb.Del(t.Context(), f.list(id).Plain()).Err()) }, 6},
		{"who came back", func(id string) {
			_, err := f.queue(id).GiveBack(t.Context(), f.claim(id, 2).Claim)
			f.ok(err)
			f.ok(f.rdb.Del(t.Context(), f.key(id, keys.SuffixBack)).Err())
		}, 2},
		{"nobody", func(string) {}, 0},
	} {
		f.create(c.id, campaign.Running)
		f.load(c.id, false, 10)
		f.end(c.id, f.claim(c.id, 4), notification.StatusSent)
		c.vanish(c.id)
		f.drain(c.id)
		ended, how, err := f.Complete(t.Context(), c.id)
		f.ok(err)
		s, books := f.get(c.id), f.books(c.id)
		if !ended || how.Missing != c.want || books.Missing != c.want || books.IsBalanced() != (c.want == 0) || s.State != campaign.Completed {
			t.Errorf("%s: ended %v with %d missing, %s with books %+v, want %d missing", c.id, ended, how.Missing, s.State, books, c.want)
		}
		wantEqual(t, c.id+" has a reason", strings.Contains(s.Reason, " of 10 recipients went missing in Redis"), c.want > 0)
		_, again, err := f.Complete(t.Context(), c.id)
		f.ok(err)
		wantEqual(t, c.id+": told again", again.Missing, 0)
	}
}

// The counts are deleted while the campaign runs. No figure is negative, the books never balance
// again, and the reason says why.
func countsAreDeleted(t *testing.T, b *backends.Backend) {
	for name, look := range map[string]func(f fixture){"before a look": func(fixture) {}, "after a look": func(f fixture) { f.discover() }} {
		f := open(t, b)
		id := name
		f.create(id, campaign.Running)
		f.load(id, false, 10)
		f.end(id, f.claim(id, 3), notification.StatusSent)
		l := f.claim(id, 4)
		f.ok(f.rdb.Del(t.Context(), f.key(id, keys.SuffixCounts)).Err())
		f.end(id, l, notification.StatusSent)
		look(f)
		got := f.books(id)
		want := campaign.Books{Loaded: 10, Sent: 4, Waiting: 3, Missing: 3}
		if !sameBooks(got, want) || got.IsBalanced() || !got.Recount {
			t.Errorf("%s: books %+v, balanced %v, want %+v and no balance", name, got, got.IsBalanced(), want)
		}
		text, err := got.MarshalJSON()
		f.ok(err)
		wantEqual(t, name+": JSON says so", strings.Contains(string(text), `"balanced":false`), true)
		f.drain(id)
		ended, how, err := f.Complete(t.Context(), id)
		f.ok(err)
		if s := f.get(id); !ended || how.Missing != 3 || s.Reason != how.Reason || !strings.Contains(s.Reason, "check the results in SQL") {
			t.Errorf("%s: ended %v with %+v, the spec says %q", name, ended, how, s.Reason)
		}
	}
}

// The counts are deleted after all recipients ended. The campaign must still complete, unlike one
// that never had a recipient.
func countsAreDeletedAtTheEnd(t *testing.T, b *backends.Backend) {
	f := open(t, b)
	f.create("1", campaign.Running)
	f.load("1", false, 10)
	f.drain("1")
	f.ok(f.rdb.Del(t.Context(), f.key("1", keys.SuffixCounts)).Err())
	ended, how, err := f.Complete(t.Context(), "1")
	f.ok(err)
	wantEqual(t, "ended", ended, true)
	wantEqual(t, "missing", how.Missing, 10)
	f.ok(f.rdb.Del(t.Context(), f.key("1", keys.SuffixCounts)).Err())
	wantEqual(t, "balanced when deleted after the end", f.books("1").IsBalanced(), false)
}

// A key is deleted while the campaign runs. The books show it at once, and so does the reason at
// the end.
func keysAreDeleted(t *testing.T, b *backends.Backend) {
	f := open(t, b)
	lease := ""
	for name, c := range map[string]struct {
		key  func(id string) string
		want int64
	}{
		"list":   {func(id string) string { return f.list(id).Plain() }, 3},
		"back":   {func(id string) string { return f.key(id, keys.SuffixBack) }, 2},
		"retry":  {func(id string) string { return f.key(id, keys.SuffixRetry) }, 1},
		"lease":  {func(id string) string { return f.list(id).Lease(lease) }, 4},
		"leases": {func(id string) string { return f.key(id, keys.SuffixLeases) }, 4},
	} {
		id := name
		f.create(id, campaign.Running)
		f.push(id, 10)
		f.discover()
		put := f.claim(id, 1)
		f.settle(id, queue.Settlement{Claim: put.Claim, Pos: 1, Later: true, Delay: time.Hour})
		_, err := f.queue(id).GiveBack(t.Context(), f.claim(id, 2).Claim)
		f.ok(err)
		back := f.claim(id, 2)
		l := f.claim(id, 4)
		_, err = f.queue(id).GiveBack(t.Context(), back.Claim)
		f.ok(err)
		lease = l.Claim
		wantEqual(t, name+": balanced", f.books(id).IsBalanced(), true)
		f.ok(f.rdb.Del(t.Context(), c.key(id)).Err())
		got := f.books(id)
		if got.Missing != c.want || got.Loaded != 10 || got.IsBalanced() {
			t.Errorf("%s: books %+v, want %d missing of 10", name, got, c.want)
		}
	}
}
