package campaign

import (
	"testing"
	"time"

	"fanfare/internal/queue"
)

// Books are computed from counts of which any may be gone, or be from an earlier version.
func TestBooksOfCounts(t *testing.T) {
	now := time.UnixMilli(1_000_000)
	ended := map[string]int64{"sent": 4}
	type figures struct {
		loaded, missing, interrupted int64
		recount, loading             bool
	}
	for name, c := range map[string]struct {
		counts queue.Counts
		want   figures
	}{
		"nothing lost":         {queue.Counts{Seen: 7, Claimed: 4, Listed: 3, Ended: ended}, figures{loaded: 7}},
		"recalled by the gate": {queue.Counts{Recalled: 9, Seen: 7, Claimed: 4, Listed: 3, Ended: ended}, figures{loaded: 9, missing: 2, recount: true}},
		"recounted before":     {queue.Counts{Seen: 7, Listed: 3, Ended: ended, Notes: map[string]string{"recount": "1"}}, figures{loaded: 7, recount: true}},
		"claimed and listed":   {queue.Counts{Seen: 5, Claimed: 6, Listed: 3, Ended: ended}, figures{loaded: 9, missing: 2}},
		"an earlier version":   {queue.Counts{Accepted: 9, Claimed: 4, Listed: 3, Ended: ended}, figures{loaded: 9, missing: 2}},
	} {
		c.counts.Now = now
		b := booksOf(c.counts)
		got := figures{b.Loaded, b.Missing, b.Interrupted, b.Recount, b.Loading}
		if got != c.want || b.Balanced() != (b.Missing == 0 && !b.Recount) {
			t.Errorf("%s: %+v, balanced %v, want %+v", name, got, b.Balanced(), c.want)
		}
	}
}
