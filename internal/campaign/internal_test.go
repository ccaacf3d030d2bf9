package campaign

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"fanfare/internal/queue"
	"fanfare/internal/schedule"
)

// Books are computed from counts that may be incomplete or written by an earlier version.
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
		if got != c.want || b.IsBalanced() != (b.Missing == 0 && !b.Recount) {
			t.Errorf("%s: %+v, balanced %v, want %+v", name, got, b.IsBalanced(), c.want)
		}
	}
}

// One open load keeps the campaign loading, whatever others were cut off.
func TestBooksOfSeveralLoads(t *testing.T) {
	now := time.UnixMilli(1_000_000)
	notes := map[string]string{"progress:open": "5 5 1 1", "load:open": "1000001"}
	for _, cut := range []string{"a", "b", "c", "d", "e", "f", "g", "h"} {
		notes["progress:"+cut], notes["load:"+cut] = "2 2 1 1", "1000000"
	}
	for range 20 { // in whatever order the map has them
		if b := booksOf(queue.Counts{Now: now, Seen: 21, Listed: 21, Notes: notes}); !b.Loading || b.Interrupted != 21 {
			t.Fatalf("loading %v, interrupted %d, want the open load among 21 recipients", b.Loading, b.Interrupted)
		}
	}
}

// The advice never sends to anyone twice: --append is left out only if no one has an outcome or
// waits.
func TestAdviceOnLosses(t *testing.T) {
	const again, more = "fanfare load 1 FILE", "fanfare load 1 FILE --append"
	for name, c := range map[string]struct {
		books Books
		state State
		ends  string // of the advice; "" for none
	}{
		"all are missing":           {Books{Loaded: 6, Missing: 6}, Running, again},
		"some have ended":           {Books{Loaded: 6, Missing: 2, Sent: 4}, Running, more},
		"some wait":                 {Books{Loaded: 6, Missing: 2, Waiting: 4}, Running, more},
		"it has ended for good":     {Books{Loaded: 6, Missing: 2, Sent: 4}, Cancelled, adviceRecreate},
		"recounted":                 {Books{Loaded: 6, Missing: 2, Sent: 4, Recount: true}, Running, adviceCompare},
		"a load was cut":            {Books{Loaded: 6, Waiting: 6, Interrupted: 6}, Running, again},
		"a query was cut":           {Books{Loaded: 6, Waiting: 6, Interrupted: 6, placed: true}, Running, "fanfare load 1 with its --query or --from"},
		"a load was cut, cancelled": {Books{Loaded: 6, Waiting: 6, Interrupted: 6}, Cancelled, ""},
	} {
		losses := c.books.Losses(Spec{ID: "1", State: c.state})
		if len(losses) != 1 || !strings.HasSuffix(losses[0].Advice, c.ends) || c.ends == "" && losses[0].Advice != "" {
			t.Errorf("%s: %+v, want one advice that ends in %q", name, losses, c.ends)
		}
	}
}

// With few keys the next Discover finds a list. With many, passes take at most a hundredth of the
// time.
func TestThePauseBetweenScansFollowsThePass(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ every, took, want time.Duration }{
		{0, time.Millisecond, 100 * time.Millisecond},
		{0, time.Minute, DefaultScanEvery},
		{time.Hour, time.Millisecond, time.Hour},
	} {
		if got := (Options{ScanEvery: c.every}).scanPause(c.took); got != c.want {
			t.Errorf("every %s, after a pass of %s: %s, want %s", c.every, c.took, got, c.want)
		}
	}
}

// Unsettled campaigns are searched at the same interval, however often the keyspace is scanned.
func TestTheUnsettledAreNotLookedForAtEachScan(t *testing.T) {
	t.Parallel()
	var s scanner
	s.begin(time.Hour)
	if !s.unsettled.Swap(false) {
		t.Error("the first pass looks for nothing unsettled")
	}
	s.begin(time.Hour)
	if s.unsettled.Load() {
		t.Error("the next pass looks for it again at once")
	}
}

// A change does to a spec what its fields do that are written to Redis, each member for itself.
func TestChangesApplyAsTheyAreWritten(t *testing.T) {
	at := time.UnixMilli(1_900_000_000_000).UTC()
	windows, err := schedule.ParseWindows("09:00-21:00")
	if err != nil {
		t.Fatal(err)
	}
	local, err := schedule.ParseLocal("2031-01-02T09:00")
	if err != nil {
		t.Fatal(err)
	}
	quiet, err := ParseQuietHours("22:00-07:00")
	if err != nil {
		t.Fatal(err)
	}
	all := Change{
		Message: []byte(`{"a":1}`), OnAmbiguous: new(Report), Devices: new(LatestDevice), Dedupe: new(DedupeUser), Kind: new(Transactional),
		Weight: new(7), Priority: new(3), Rate: new(2.5), Deadline: &at, DerivedDeadline: &at, StartAt: &at, Windows: &windows, LocalTime: &local,
		TimeZone: new("Asia/Tokyo"), QuietHours: &quiet, Source: &Source{Files: []string{"/a.csv"}}, Project: new("p"),
	}
	members := reflect.ValueOf(all)
	for i := range members.NumField() {
		name := members.Type().Field(i).Name
		if name == "Partial" { // says how, and not what
			continue
		}
		var one Change
		reflect.ValueOf(&one).Elem().Field(i).Set(members.Field(i))
		var applied, written Spec
		one.ApplyTo(&applied)
		for _, f := range one.fields() {
			if problem := written.set(f.name, f.value); problem != "" {
				t.Errorf("%s: %s", name, problem)
			}
		}
		if reflect.DeepEqual(applied, Spec{}) || !reflect.DeepEqual(applied, written) {
			t.Errorf("%s makes\n%+v, and writes\n%+v", name, applied, written)
		}
	}
}
