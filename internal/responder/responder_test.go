package responder_test

import (
	"context"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"fanfare/internal/notification"
	"fanfare/internal/queue"
	"fanfare/internal/responder"
	"fanfare/internal/responses"
	"fanfare/test/servers"
)

func TestResultsAreWrittenAndRemoved(t *testing.T) {
	db := &database{}
	w := newWorld(t, db)
	w.deps.Registerer = w.metrics
	elements, ids := sent(2500)
	w.push(elements...)
	w.drain()
	db.wantRows(t, ids)
	if n := w.rdb.Exists(t.Context(), w.names.Responses).Val(); n != 0 {
		t.Error("the list is still there")
	}
	c := w.counts()
	if c.Ended["applied"] != 2500 || c.Codes["applied:sent"] != 2500 {
		t.Errorf("books: %+v", c)
	}
	if got := w.metric("results_total"); got != 2500 {
		t.Errorf("%v results counted, want 2500", got)
	}
	if db.attempts() < 3 {
		t.Errorf("%d transactions for 2,500 results", db.attempts())
	}
}

// Failed recipients become dead letters. They are written to SQL like all others.
func TestFailedRecipientsBecomeDeadLetters(t *testing.T) {
	db := &database{}
	w := newWorld(t, db)
	w.deps.Registerer = w.metrics
	failed, malformed := result(1, notification.StatusFailed), result(2, notification.StatusFailed)
	failed.ErrorCode, failed.Error, failed.TokenRemoved, failed.Token = "UNREGISTERED", "gone", true, "secret"
	malformed.ErrorCode, malformed.Raw = notification.CodeMalformed, []byte("{\xff]")
	skipped, empty := result(3, notification.StatusSkipped), result(4, notification.StatusFailed)
	empty.UserID, empty.ErrorCode = "", notification.CodeMalformed
	w.push(encoded(result(0, notification.StatusSent)), encoded(failed), encoded(malformed), encoded(skipped), encoded(empty))
	w.drain()
	db.wantRows(t, []string{id(0), id(1), id(2), id(3), id(4)})

	letters := w.letters()
	if len(letters) != 3 {
		t.Fatalf("letters %+v, want 3", letters)
	}
	if l := letters[0]; l.ID != id(1) || l.Kind != responses.KindRecipient || l.Reason != "gone" || l.Code() != "UNREGISTERED" ||
		l.Result.UserID != "u1" || !l.At.Equal(at) || l.Result.Token != "" {
		t.Errorf("recipient: %+v", l)
	}
	if l := letters[1]; l.ID != id(2) || l.Kind != responses.KindElement || string(l.Raw) != "{\xff]" {
		t.Errorf("element: %+v", l)
	}
	if l := letters[2]; l.ID != id(4) || l.Kind != responses.KindElement || len(l.Raw) != 0 {
		t.Errorf("an empty element: %+v", l)
	}
	if got := w.metricBy("dead_letters_total"); !maps.Equal(got, map[string]float64{"recipient": 1, "element": 2}) {
		t.Errorf("counted %v, want the kinds of the letters", got)
	}
}

// An element that is no result becomes a dead letter with its bytes. Size alone is no fault.
func TestUnreadableElementsBecomeDeadLetters(t *testing.T) {
	db := &database{}
	w := newWorld(t, db)
	long := result(1, notification.StatusSent)
	long.Error = strings.Repeat("x", 2<<20)
	w.push("", "garbage", encoded(result(0, notification.StatusSent)), "garbage", `{"campaignId":"42"}`, "\xff", encoded(long))
	w.drain()
	db.wantRows(t, []string{id(0), id(1)})
	var raws []string
	ids := map[string]bool{}
	for _, l := range w.letters() {
		raws = append(raws, string(l.Raw))
		ids[l.ID] = true
		if l.Kind != responses.KindResult || l.Reason == "" || l.Code() != responses.CodeUnreadable || time.Since(l.At) > patience {
			t.Errorf("letter %+v", l)
		}
	}
	if want := []string{"", "garbage", "garbage", `{"campaignId":"42"}`, "\xff"}; !slices.Equal(raws, want) {
		t.Errorf("raw bytes %q, want %q", raws, want)
	}
	if len(ids) != len(raws) {
		t.Errorf("%d letters share %d ids", len(raws), len(ids))
	}
	if c := w.counts(); c.Ended["refused"] != 5 || c.Codes["refused:"+responses.CodeUnreadable] != 5 {
		t.Errorf("books: %+v", c)
	}
}

// Only the poison rows are refused, with the database's error and their own bytes. The rest of the
// batch is written.
func TestPoisonIsIsolated(t *testing.T) {
	for _, poisoned := range [][]int{{0}, {99}, {50}, {0, 1, 98, 99}, {7, 31, 32, 33, 64}} {
		t.Run(fmt.Sprint(poisoned), func(t *testing.T) {
			poison := func(r notification.Result) bool {
				return slices.ContainsFunc(poisoned, func(i int) bool { return r.ResultID == id(i) })
			}
			db := &database{fails: func(_ context.Context, _ int, results []notification.Result) error {
				if slices.ContainsFunc(results, poison) {
					return errData
				}
				return nil
			}}
			w := newWorld(t, db)
			elements, ids := sent(100)
			w.push(elements...)
			w.drain()

			var want []string
			for i, id := range ids {
				if !slices.Contains(poisoned, i) {
					want = append(want, id)
				}
			}
			db.wantRows(t, want)
			var refused []int
			for _, l := range w.letters() {
				i := slices.Index(elements, string(l.Raw))
				refused = append(refused, i)
				if l.Kind != responses.KindResult || l.Code() != responses.CodeRefused ||
					l.Reason != errData.Error() || l.ID != l.Result.ResultID || l.ID != id(i) {
					t.Errorf("letter %+v", l)
				}
			}
			if !reflect.DeepEqual(refused, poisoned) {
				t.Errorf("refused %v, want %v", refused, poisoned)
			}
			if c := w.counts(); c.Ended["applied"] != int64(len(want)) || c.Ended["refused"] != int64(len(poisoned)) {
				t.Errorf("books: %+v", c)
			}
		})
	}
}

// go-redis repeats commands whose reply was lost. Nothing is lost or counted twice.
func TestLostRepliesLoseNothing(t *testing.T) {
	addr := servers.Redis(t)
	proxy := servers.NewProxy(t, addr)
	lossy := redis.NewClient(&redis.Options{Addr: proxy.Addr(), MinRetryBackoff: -1})
	t.Cleanup(func() { _ = lossy.Close() })
	for every := 2; every <= 4; every++ {
		db := &database{}
		w := newWorldOn(t, addr, db)
		w.names.Responses = fmt.Sprint("responses", every)
		w.options.Batch = 20
		elements, ids := sent(500)
		w.push(elements...)
		proxy.Lose(servers.IsScript, servers.EveryNth(every))
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		if err := w.responder(lossy).RunUntilDrained(ctx, ctx); err != nil {
			t.Fatal(err)
		}
		cancel()
		proxy.Lose(nil, nil)
		db.wantRows(t, ids)
		if c := w.counts(); c.Ended["applied"] != 500 || c.Claimed != 500 {
			t.Errorf("books: %+v", c)
		}
	}
}

func TestSeveralRespondersShareAList(t *testing.T) {
	db := &database{}
	w := newWorldOn(t, servers.Redis(t), db)
	w.options.Batch = 10
	elements, ids := sent(2000)
	for range 3 {
		w.start(w.rdb)
	}
	w.push(elements...)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := w.responder(w.rdb).AwaitDrained(ctx); err != nil {
		t.Fatal(err)
	}
	db.wantRows(t, ids)
	for id, n := range db.rows {
		if n != 1 {
			t.Errorf("%s was written %d times", id, n)
		}
	}
}

func TestDeadLettersStayWithinTheirBounds(t *testing.T) {
	w := newWorld(t, &database{})
	w.deps.Registerer = w.metrics
	old := result(1, notification.StatusFailed)
	old.At = time.Now().AddDate(-1, 0, 0)
	young := result(2, notification.StatusFailed)
	w.push(encoded(old), encoded(young))
	w.start(w.rdb)
	w.await("the old letter to go", func() bool { return w.metric("dead_letters_dropped_total") == 1 })
	w.await("the young one to be measured", func() bool { return w.metric("dead_letters") == 1 })
	if l := w.letters(); len(l) != 1 || l[0].ID != id(2) {
		t.Errorf("letters %+v", l)
	}
}

func TestTheListIsMeasured(t *testing.T) {
	db := &database{fails: func(ctx context.Context, _ int, _ []notification.Result) error {
		<-ctx.Done()
		return ctx.Err()
	}}
	w := newWorld(t, db)
	w.deps.Registerer = w.metrics
	w.options.Batch, w.options.Workers = 10, 2
	elements, _ := sent(50)
	w.push(elements...)
	w.start(w.rdb)
	w.await("two batches in flight", func() bool {
		return w.metric("in_flight_results") == 20 && w.metric("waiting_results") == 30
	})
	w.await("the minute since the results were made", func() bool {
		lag := w.metric("lag_seconds")
		return lag >= 60 && lag <= 60+patience.Seconds()
	})
}

// The lag is the age of the oldest result that waits, also while SQL takes none.
func TestLagWhileSQLIsDown(t *testing.T) {
	w := newWorld(t, &database{fails: func(context.Context, int, []notification.Result) error { return errTransient }})
	w.deps.Registerer = w.metrics
	w.options.Batch, w.options.Workers = 1, 1
	old, young := result(1, notification.StatusSent), result(2, notification.StatusSent)
	old.At, young.At = time.Now().Add(-time.Hour), time.Now()
	w.push(encoded(young), encoded(old))
	w.start(w.rdb)
	w.await("the age of the oldest result, which no worker holds", func() bool {
		lag := w.metric("lag_seconds")
		return lag >= 3600 && lag <= 3600+patience.Seconds()
	})
}

// Claims of a dead responder are taken back and counted. Once nothing waits, the lag is 0.
func TestWhatIsTakenBackIsMeasured(t *testing.T) {
	w := newWorld(t, &database{})
	w.deps.Registerer = w.metrics
	elements, _ := sent(3)
	w.push(elements...)
	if _, err := w.queue().Claim(t.Context(), queue.NewID(), 10); err != nil {
		t.Fatal(err)
	}
	w.expireLeases()
	w.start(w.rdb)
	w.await("the rows", func() bool { return w.counts().Ended["applied"] == 3 })
	w.await("the end of all lag", func() bool { return w.metric("lag_seconds") == 0 })
	if got := w.metric("reaped_total"); got != 3 {
		t.Errorf("%v results were taken back, want 3", got)
	}
}

func TestNewRefusesOptions(t *testing.T) {
	for name, spoil := range map[string]func(*responder.Options){
		"batch":           func(o *responder.Options) { o.Batch = 0 },
		"workers":         func(o *responder.Options) { o.Workers = -1 },
		"poll":            func(o *responder.Options) { o.PollInterval = 0 },
		"max poll":        func(o *responder.Options) { o.MaxPollInterval = o.PollInterval - 1 },
		"retry delay":     func(o *responder.Options) { o.RetryDelay = 0 },
		"max retry delay": func(o *responder.Options) { o.MaxRetryDelay = o.RetryDelay - 1 },
		"halt delay":      func(o *responder.Options) { o.HaltDelay = 0 },
		"grace timeout":   func(o *responder.Options) { o.GraceTimeout = 0 },
	} {
		o := responder.DefaultOptions()
		spoil(&o)
		if _, err := responder.New(responder.Deps{}, o); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: error %v, want one that names it", name, err)
		}
	}
}

// A single written result ends a halt. A batch of which nothing is written does not.
func TestHaltEndsWithOneWrittenResult(t *testing.T) {
	for name, c := range map[string]struct {
		answer error
		halted bool
	}{"written": {nil, false}, "refused": {errData, true}} {
		t.Run(name, func(t *testing.T) {
			db := &database{fails: func(_ context.Context, call int, _ []notification.Result) error {
				if call == 1 {
					return errHalt
				}
				return c.answer
			}}
			w := newWorld(t, db)
			elements, _ := sent(1)
			w.push(elements...)
			r := w.start(w.rdb)
			w.await("the end of the result", func() bool { c := w.counts(); return c.Ended["applied"]+c.Ended["refused"] == 1 })
			r.stopFetching()
			r.ends()
			if halted := r.Ready(t.Context()) != nil; halted != c.halted {
				t.Errorf("halted: %v, want %v", halted, c.halted)
			}
		})
	}
}

// The dead letter of a refused result does not show the removed token.
func TestRefusedResultKeepsItsTokenToItself(t *testing.T) {
	w := newWorld(t, &database{fails: func(context.Context, int, []notification.Result) error { return errData }})
	r := result(1, notification.StatusFailed)
	r.TokenRemoved, r.Token, r.Raw = true, "secret", []byte("what the producer wrote")
	r.Devices = []notification.DeviceResult{{Status: r.Status, TokenRemoved: true, Token: "secret"}}
	w.push(encoded(r))
	w.drain()
	letters := w.letters()
	if len(letters) != 1 || letters[0].Result.UserID != r.UserID || letters[0].Result.Token != "" || letters[0].Result.Raw != nil || strings.Contains(fmt.Sprint(letters), "secret") {
		t.Errorf("letters %+v, want one, whose result has neither the token nor the element", letters)
	}
}
