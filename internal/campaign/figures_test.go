package campaign

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"fanfare/internal/keys"
	"fanfare/internal/notification"
	"fanfare/internal/queue"
)

// Durations use the clock of Redis, and are never negative.
func TestTimesOfBooks(t *testing.T) {
	now := time.UnixMilli(1_000_000)
	at := func(d time.Duration) time.Time { return now.Add(d) }
	for name, c := range map[string]struct {
		counts           queue.Counts
		back, untilRetry time.Duration
		onTheWire        bool
	}{
		"nothing waits":           {queue.Counts{}, 0, 0, false},
		"retries wait":            {queue.Counts{Retrying: 1, NextRetry: at(time.Minute), RetrySince: at(-time.Hour)}, 0, time.Minute, false},
		"a retry is due":          {queue.Counts{Retrying: 1, NextRetry: at(-time.Minute)}, 0, 0, false},
		"the clock has gone back": {queue.Counts{Retrying: 1, NextRetry: at(2 * time.Hour), RetrySince: at(time.Hour)}, time.Hour, 2 * time.Hour, false},
		"a sender holds some":     {queue.Counts{InFlight: 1, LeasedUntil: at(time.Second)}, 0, 0, true},
		"a lease has run out":     {queue.Counts{InFlight: 1, LeasedUntil: now}, 0, 0, false},
	} {
		c.counts.Now = now
		b := booksOf(c.counts)
		if b.ClockBack != c.back || b.UntilRetry() != c.untilRetry || b.HasLiveLeases() != c.onTheWire {
			t.Errorf("%s: back %s, retry in %s, on the wire %t", name, b.ClockBack, b.UntilRetry(), b.HasLiveLeases())
		}
	}
	text, err := json.Marshal(Books{ClockBack: 90 * time.Second})
	if err != nil || !strings.Contains(string(text), `"clockBackSeconds":90,`) {
		t.Errorf("as JSON: %s, %v", text, err)
	}
}

// No figure is negative, whatever another program writes into the counts.
func TestNoFigureOfTheBooksIsNegative(t *testing.T) {
	hostile := map[string]int64{"sent": -5, "failed": -5, CauseAmbiguous: -5, CauseWindow: -5, "failed:X": -5, "skipped:HOLDOUT": -5}
	b := booksOf(queue.Counts{Ended: hostile, Codes: hostile, Later: hostile, Reaped: -5, Seen: -5, Accepted: -5, Claimed: -5, Recalled: -5})
	text, err := json.Marshal(b)
	if err != nil || strings.Contains(string(text), ":-") {
		t.Errorf("books: %s, %v", text, err)
	}
}

// Books of ended campaigns are remembered for five to ten seconds, each for another time.
func TestBooksAreRememberedForSeconds(t *testing.T) {
	now := time.UnixMilli(1_000_000)
	var m ListMemory
	all := make([]Summary, 50)
	for n := range all {
		all[n] = Summary{Spec: Spec{ID: strconv.Itoa(n), State: Completed}}
	}
	m.remember(all, now)
	until := make(map[time.Time]bool)
	for _, s := range all {
		_, early := m.find(s.Spec, now.Add(5*time.Second-1))
		if _, late := m.find(s.Spec, now.Add(10*time.Second)); !early || late {
			t.Errorf("campaign %s is remembered until %s", s.Spec.ID, m.ended[s.Spec.ID].until)
		}
		until[m.ended[s.Spec.ID].until] = true
	}
	if len(until) < 2 {
		t.Error("all are read again at once")
	}
}

// Recipients that are in no variant and not held out are counted apart, if there are variants.
func TestRecipientsWithoutVariant(t *testing.T) {
	variants := map[string]StatusCounts{"a": {notification.StatusSent: 3}, "b": {notification.StatusSent: 1, notification.StatusFailed: 2}}
	for name, c := range map[string]struct {
		b    Books
		want int64
	}{
		"no variants":             {Books{Sent: 9}, 0},
		"some":                    {Books{Sent: 5, Failed: 4, HeldOut: 2, Variants: variants}, 1},
		"counts from two moments": {Books{Sent: 5, Variants: variants}, 0},
	} {
		if got := countWithoutVariant(c.b); got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
}

// The checksums of a load depend on where one recipient ends and the next begins.
func TestSumsTellRecipientsApart(t *testing.T) {
	p := progress{}.plus([][]byte{[]byte("ab"), []byte("c")})
	if p.startsWith([][]byte{[]byte("a"), []byte("bc")}) || !p.startsWith([][]byte{[]byte("ab"), []byte("c")}) {
		t.Error("recipients are told apart by their bytes alone")
	}
}

func TestBoundsOfRates(t *testing.T) {
	for value, want := range map[string]float64{"1000000": 1e6, "1000000.1": 0, "0.01": 0.01, "0.009": 0, "": 0} {
		got, err := ParseRate(value)
		if got != want || (err != nil) != (want == 0 && value != "") {
			t.Errorf("%q: %v, %v, want %v", value, got, err, want)
		}
	}
}

// A moment in RFC 3339 may lie in the year 10000 by UTC, which no JSON holds.
func TestBoundsOfDeadlines(t *testing.T) {
	for text, valid := range map[string]bool{
		"": true, "9999-12-31T23:59:59Z": true, "9999-12-31T23:59:59-12:00": false, "2019-12-31T23:59:59Z": false, "0000-01-01T00:00:00Z": false,
	} {
		if at, err := ParseDeadline(text); (err == nil) != valid {
			t.Errorf("%q is read as %s, error %v", text, at, err)
		}
	}
}

// A loader counts as held back for two seconds after it was. Its limit stays.
func TestALoaderThatContinuesIsNotHeld(t *testing.T) {
	now := time.UnixMilli(1_700_000_000_000)
	for ago, held := range map[time.Duration]bool{time.Second: true, 3 * time.Second: false} {
		text := fmt.Sprintf("%d %d %d %d 1000 0 ops process 1", now.Add(time.Minute).UnixMilli(), now.UnixMilli(), now.Add(-ago).UnixMilli(), now.Add(-time.Minute).UnixMilli())
		l := parseLoading(text, now)
		if l.IsHeld() != held || l == nil || l.Limit != 1000 || l.Owner != "ops process 1" {
			t.Errorf("held back %s ago: %+v, want held %t", ago, l, held)
		}
	}
}

func TestOptionsThatAreTooShort(t *testing.T) {
	for name, o := range map[string]Options{
		"retention": {Retention: time.Second - 1}, "default TTL": {DefaultTTL: time.Second - 1},
		"scan interval": {ScanEvery: -1}, "scan budget": {ScanBudget: -1},
	} {
		if _, err := New(nil, keys.Default(), o); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := New(nil, keys.Default(), Options{Retention: time.Second, DefaultTTL: time.Second}); err != nil {
		t.Error(err)
	}
}

// A project is known for a day after one of its dispatchers looked.
func TestProjectsAreForgotten(t *testing.T) {
	c, rdb, _ := alone(t, Options{})
	for project, ago := range map[string]time.Duration{"old": 25 * time.Hour, "new": 23 * time.Hour} {
		z := redis.Z{Score: float64(time.Now().Add(-ago).UnixMilli()), Member: project}
		if err := rdb.ZAdd(t.Context(), c.names.Projects(), z).Err(); err != nil {
			t.Fatal(err)
		}
	}
	known, err := c.Projects(t.Context())
	if err != nil || len(known) != 1 || known[0].ID != "new" {
		t.Errorf("known are %v, %v", known, err)
	}
}

// Projects of the settings are known before a dispatcher of theirs was seen. A campaign that names
// none waits then.
func TestProjectsOfTheSettingsAreKnown(t *testing.T) {
	c, _, _ := alone(t, Options{Project: "p", Projects: []string{"p", "q"}})
	known, err := c.Projects(t.Context())
	if err != nil || len(known) != 2 || known[0].ID != "p" || known[1].ID != "q" {
		t.Errorf("known are %v, %v", known, err)
	}
	if _, refused := errors.AsType[*ProjectError](c.checkProject(Spec{ID: "42"}, known)); !refused {
		t.Error("a campaign without a project is sent for one of two")
	}
}

// The pause after a pass in several pieces depends on the duration of all of them.
func TestAPassTakesWhatItsPiecesTake(t *testing.T) {
	c, _, _ := alone(t, Options{})
	c.scan.begin(0)
	c.scan.took = time.Hour
	if _, err := c.scanLists(t.Context()); err != nil || c.scan.took <= time.Hour {
		t.Errorf("took %s, %v", c.scan.took, err)
	}
}

// An element of exactly the maximum size is accepted, as in a claim.
func TestASampleIsAsStrictAsAClaim(t *testing.T) {
	c, rdb, _ := alone(t, Options{Queue: queue.Options{MaxElement: 20}})
	element := `{"userId":"u1"}`
	padded := element + strings.Repeat(" ", 20-len(element))
	if err := rdb.RPush(t.Context(), "campaign:1", padded, padded+" ").Err(); err != nil {
		t.Fatal(err)
	}
	s, err := c.Sample(t.Context(), "1", 10)
	if err != nil || len(s.Recipients) != 1 || len(s.Malformed) != 1 {
		t.Errorf("%+v, %v", s, err)
	}
}

// Adopt repairs what Discover would: the registry, and the list's expiry. A listing has no
// message that will not be sent.
func TestAdoptPutsInOrder(t *testing.T) {
	c, rdb, sent := alone(t, Options{})
	ctx := t.Context()
	ok := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	ok(c.Create(ctx, Spec{ID: "1", State: Running, Message: notification.Message(`{"data":{}}`)}))
	ok(rdb.RPush(ctx, "campaign:1", `{"userId":"u1"}`).Err())
	ok(rdb.PExpire(ctx, "campaign:1", time.Hour).Err())
	ok(rdb.SRem(ctx, c.names.Registry(), "1").Err())
	if _, err := c.Adopt(ctx, "1"); err != nil {
		t.Fatal(err)
	}
	if left := rdb.PTTL(ctx, "campaign:1").Val(); left < queue.GuardTTL/2 {
		t.Errorf("the list expires in %s", left)
	}
	if !rdb.SIsMember(ctx, c.names.Registry(), "1").Val() {
		t.Error("it is not registered")
	}

	// Discover reports a producer's deadline that has passed.
	ok(rdb.HSet(ctx, "{campaign:1}:counts", "deadline", time.Now().Add(-time.Minute).UnixMilli()).Err())
	d, err := c.Discover(ctx)
	if err != nil || len(d.Running) != 1 || !d.Running[0].Overdue {
		t.Errorf("%+v, %v", d, err)
	}

	for _, state := range []State{Paused, Cancelled} {
		ok(c.Move(ctx, "1", state, ""))
		want := `{"data":{}}`
		if state.HasEnded() {
			want = ""
		}
		all, err := c.List(ctx)
		if err != nil || len(all) != 1 || string(all[0].Spec.Message) != want {
			t.Errorf("%s: %+v, %v", state, all, err)
		}
	}

	// Ended campaigns with an expiry are left as they are.
	ok(c.Create(ctx, Spec{ID: "2", State: Running, Message: notification.Message(`{"data":{}}`)}))
	ok(c.Move(ctx, "2", Completed, ""))
	sent.sent = nil
	if _, err := c.Discover(ctx); err != nil {
		t.Fatal(err)
	}
	for _, command := range sent.sent {
		if strings.Contains(command, "{campaign:2}:leases") && strings.Contains(command, "eval") && strings.Contains(command, "{campaign:2}:pace") {
			t.Errorf("written again: %.200s", command)
		}
	}
}
