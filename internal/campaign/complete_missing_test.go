package campaign_test

import (
	"strings"
	"testing"

	"fanfare/internal/campaign"
	"fanfare/internal/notification"
	"fanfare/internal/queue"
)

// A campaign whose recipients vanish must end, and must not look as if it had served them.
func endsWithoutTheMissing(t *testing.T, b *backend) {
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
			f.ok(f.rdb.Del(t.Context(), f.key(id, queue.SuffixBack)).Err())
		}, 2},
		{"nobody", func(string) {}, 0},
	} {
		f.create(c.id, campaign.Running)
		f.load(c.id, false, 10)
		f.end(c.id, f.claim(c.id, 4), notification.StatusSent)
		c.vanish(c.id)
		f.drain(c.id)
		ended, missing, err := f.Complete(t.Context(), c.id)
		f.ok(err)
		s, books := f.get(c.id), f.books(c.id)
		if !ended || missing != c.want || books.Missing != c.want || books.Balanced() != (c.want == 0) || s.State != campaign.Completed {
			t.Errorf("%s: ended %v with %d missing, %s with books %+v, want %d missing", c.id, ended, missing, s.State, books, c.want)
		}
		wantEqual(t, c.id+" has a reason", strings.Contains(s.Reason, " of 10 recipients went missing in Redis"), c.want > 0)
		_, again, err := f.Complete(t.Context(), c.id)
		f.ok(err)
		wantEqual(t, c.id+": told again", again, 0)
	}
}

// The sum is right, and still the counts are not.
func unbalancedBelowZero(t *testing.T, b *backend) {
	f := open(t, b)
	f.create("1", campaign.Running)
	f.load("1", false, 10)
	l := f.claim("1", 4)
	f.ok(f.rdb.Del(t.Context(), f.key("1", queue.SuffixCounts)).Err())
	f.end("1", l, notification.StatusSent)
	got := f.books("1")
	if got.InFlight != -4 || got.Missing != 0 || got.Balanced() {
		t.Errorf("books %+v, balanced %v, want 4 below zero in flight, and no balance", got, got.Balanced())
	}
	text, err := got.MarshalJSON()
	f.ok(err)
	if !strings.Contains(string(text), `"balanced":false`) || !strings.Contains(string(text), `"inFlight":-4`) {
		t.Errorf("JSON %s", text)
	}
}
