package campaign_test

import (
	"testing"
	"time"

	"fanfare/internal/campaign"
	"fanfare/internal/notification"
	"fanfare/internal/queue"
	"fanfare/test/backends"
)

func booksBalance(t *testing.T, b *backends.Backend) {
	f := open(t, b)
	wantEqual(t, "books of no campaign", f.books("1").IsBalanced(), true)
	f.create("1", campaign.Running)
	f.push("1", 20)
	f.ok(f.rdb.PExpire(t.Context(), f.list("1").Plain(), time.Hour).Err())
	for _, status := range notification.Statuses {
		f.end("1", f.claim("1", 2), status)
	}
	l := f.claim("1", 5)
	f.settle("1", queue.Settlement{Claim: l.Claim, Pos: 1, Later: true, Delay: time.Hour, Cause: campaign.CauseAmbiguous},
		queue.Settlement{Claim: l.Claim, Pos: 2, Status: "sent"})
	_, err := f.queue("1").GiveBack(t.Context(), f.claim("1", 2).Claim)
	f.ok(err)
	f.emit("1")

	got := f.books("1")
	if off := time.Until(got.Deadline) - time.Hour; off.Abs() > patience {
		t.Errorf("deadline %s from the expiry", off)
	}
	wantEqual(t, "codes", got.Codes["sent:CODE"], 2)
	wantEqual(t, "ended", got.CountEnded(), 11)
	wantEqual(t, "open", got.CountOpen(), 9)
	got.Deadline, got.Codes = time.Time{}, nil
	want := campaign.Books{
		Loaded: 20, Sent: 3, Failed: 2, Skipped: 2, Expired: 2, Unknown: 2, Waiting: 5, InFlight: 3, Retrying: 1, Outbox: 1, Resent: 1,
	}
	if !sameBooks(got, want) || !got.IsBalanced() {
		t.Errorf("books: %+v, balanced %v, want %+v", got, got.IsBalanced(), want)
	}
}

func sameBooks(a, b campaign.Books) bool {
	a.Codes, b.Codes = nil, nil
	return a.Loaded == b.Loaded && a.Sent == b.Sent && a.Failed == b.Failed && a.Skipped == b.Skipped &&
		a.Expired == b.Expired && a.Unknown == b.Unknown && a.Waiting == b.Waiting && a.InFlight == b.InFlight &&
		a.Retrying == b.Retrying && a.Missing == b.Missing && a.Outbox == b.Outbox &&
		a.Resent == b.Resent && a.Lost == b.Lost
}

func missesWhatRedisLost(t *testing.T, b *backends.Backend) {
	f := open(t, b)
	f.create("1", campaign.Running)
	f.load("1", false, 10)
	f.end("1", f.claim("1", 4), notification.StatusSent)
	wantEqual(t, "balanced", f.books("1").IsBalanced(), true)
	f.ok(f.rdb.Del(t.Context(), f.list("1").Plain()).Err())
	got := f.books("1")
	wantEqual(t, "loaded", got.Loaded, 10)
	wantEqual(t, "missing", got.Missing, 6)
	wantEqual(t, "balanced", got.IsBalanced(), false)
}
