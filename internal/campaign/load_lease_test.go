package campaign_test

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"fanfare/internal/campaign"
	"fanfare/internal/keys"
	"fanfare/test/backends"
)

// refusesASecondLoader checks that a load has its campaign for itself, however it was opened, until
// it ends.
func refusesASecondLoader(t *testing.T, b *backends.Backend) {
	f := open(t, b)
	f.create("1", campaign.Running)
	first := f.loader("1", false)
	f.appendAll(first, rows(0, 20))
	for _, appending := range []bool{false, true} {
		_, err := f.Load(t.Context(), "1", appending)
		if busy, is := errors.AsType[*campaign.BusyError](err); !is || busy.ID != "1" || !busy.Until.After(busy.Since) {
			t.Errorf("appending %v: %v", appending, err)
		}
	}
	if load := f.books("1").Load; load == nil || load.IsHeld() || load.Owner == "" || load.Since.IsZero() {
		t.Errorf("the books have the load %+v", load)
	}
	f.ok(first.Close(t.Context()))
	if load := f.books("1").Load; load != nil {
		t.Errorf("after its end, the books have the load %+v", load)
	}
	second, err := f.Load(t.Context(), "1", true)
	f.ok(err)
	f.appendAll(second, rows(20, 30))
	f.ok(second.Abandon(t.Context()))
	_, err = f.Load(t.Context(), "1", true)
	f.ok(err)
}

// endsWithoutTheLeaseOfAnother: a loader that was cut off for long ends while another one loads.
func endsWithoutTheLeaseOfAnother(t *testing.T, b *backends.Backend) {
	f := open(t, b)
	f.create("1", campaign.Running)
	late := f.loader("1", false)
	f.appendAll(late, rows(0, 20))
	running := f.loader("1", true)
	f.appendAll(running, rows(20, 30))
	f.ok(late.Abandon(t.Context()))
	if load := f.books("1").Load; load == nil {
		t.Error("the end of a load took the lease of another")
	}
	if _, err := f.Load(t.Context(), "1", true); err == nil {
		t.Error("a third load may push beside the second")
	}
}

// keepsALoadThatWaits checks a loader that pushes nothing, because enough recipients are in Redis.
func keepsALoadThatWaits(t *testing.T, b *backends.Backend) {
	f := open(t, b)
	f.create("1", campaign.Running)
	l := f.loader("1", false)
	if state, err := l.Renew(t.Context(), 5); state != "" || err != nil {
		t.Errorf("before the first batch: %s, %v", state, err)
	}
	f.appendAll(l, rows(0, 20))
	wantEqual(t, "open after a batch", l.CountOpen(), 20)
	f.drain("1")
	state, err := l.Renew(t.Context(), 20)
	f.ok(err)
	wantEqual(t, "state", state, campaign.Running)
	wantEqual(t, "open when all are sent", l.CountOpen(), 0)
	wantEqual(t, "complete while the load waits", f.complete("1"), false)

	_, err = l.Renew(t.Context(), 20)
	f.ok(err)
	books := f.books("1")
	wantEqual(t, "held", books.Load.IsHeld(), true)
	wantEqual(t, "limit", books.Load.Limit, 20)
	wantEqual(t, "incomplete", books.IsIncomplete(campaign.Spec{}), false)
	wantEqual(t, "losses", len(books.Losses(campaign.Spec{ID: "1", State: campaign.Draft})), 0)
	entries := 0
	history, err := f.History(t.Context(), "1")
	f.ok(err)
	for _, e := range history {
		if e.What == "load held back" && e.N == 20 {
			entries++
		}
	}
	wantEqual(t, "entries of the history about it", entries, 1)

	f.appendAll(l, rows(20, 30))
	f.move("1", campaign.Cancelled)
	if _, err := l.Renew(t.Context(), 20); err == nil {
		t.Error("a load waits for a campaign that has ended")
	}
	f.ok(f.Delete(t.Context(), "1"))
	_, err = l.Renew(t.Context(), 20)
	f.refused("a load of a deleted campaign", err, campaign.ErrDeleted)
}

// knowsSinceWhenALoadIsHeld checks that a wait keeps its beginning while the loader renews it, and
// that a pause between two waits begins another one.
func knowsSinceWhenALoadIsHeld(t *testing.T, b *backends.Backend) {
	f := open(t, b)
	f.create("1", campaign.Running)
	l := f.loader("1", false)
	f.appendAll(l, rows(0, 20))
	_, err := l.Renew(t.Context(), 20)
	f.ok(err)
	since := f.books("1").Load.HeldSince.Add(-time.Minute)
	renewAfter := func(lastHeld time.Duration) time.Time {
		words := strings.SplitN(f.rdb.HGet(t.Context(), f.key("1", keys.SuffixCounts), "loading").Val(), " ", 5)
		words[2] = strconv.FormatInt(b.Redis.Time(t.Context()).Val().Add(-lastHeld).UnixMilli(), 10)
		words[3] = strconv.FormatInt(since.UnixMilli(), 10)
		f.hset(f.key("1", keys.SuffixCounts), "loading", strings.Join(words, " "))
		_, err := l.Renew(t.Context(), 20)
		f.ok(err)
		return f.books("1").Load.HeldSince
	}
	wantEqual(t, "held since, renewed in time", renewAfter(500*time.Millisecond), since)
	if again := renewAfter(time.Minute); !again.After(since) {
		t.Errorf("held since %s after a minute without a wait, want a new wait", again)
	}
}

// keepsALoadThatSkips checks a loader that skips what a killed one has pushed: the campaign does
// not complete meanwhile, although all of that is sent.
func keepsALoadThatSkips(t *testing.T, b *backends.Backend) {
	f := open(t, b)
	f.create("1", campaign.Running)
	killed := f.loader("1", false)
	f.appendAll(killed, rows(0, 30))
	f.ok(killed.Abandon(t.Context())) // so its mark has ended, as 30 s after a kill
	f.drain("1")
	again := f.loader("1", false)
	f.appendAll(again, rows(0, 10))
	wantEqual(t, "complete while the load skips", f.complete("1"), false)
	_, err := f.Load(t.Context(), "1", false)
	if _, busy := errors.AsType[*campaign.BusyError](err); !busy {
		t.Errorf("a second load: %v", err)
	}
	f.appendAll(again, rows(10, 50))
	f.ok(again.Close(t.Context()))
	wantEqual(t, "open", f.books("1").Waiting, 20)
}

// transactions remembers the commands of each transaction.
type transactions struct {
	mu  sync.Mutex
	all [][]redis.Cmder
}

func (l *transactions) DialHook(next redis.DialHook) redis.DialHook          { return next }
func (l *transactions) ProcessHook(next redis.ProcessHook) redis.ProcessHook { return next }

func (l *transactions) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		if cmds[0].Name() == "multi" {
			l.mu.Lock()
			l.all = append(l.all, cmds[1:len(cmds)-1])
			l.mu.Unlock()
		}
		return next(ctx, cmds)
	}
}

// ignoresABatchThatComesLate: the connection of a transaction is cut, the loader pushes the batch
// again and ends, and only then does Redis run the transaction.
func ignoresABatchThatComesLate(t *testing.T, b *backends.Backend) {
	var late transactions
	f := openOn(t, b.WithHook(t, &late), b.Redis, eager)
	for id, end := range map[string]func(*campaign.Loader) error{
		"closed":    func(l *campaign.Loader) error { return l.Close(t.Context()) },
		"abandoned": func(l *campaign.Loader) error { return l.Abandon(t.Context()) },
	} {
		f.create(id, campaign.Running)
		late.all = nil
		l := f.loader(id, false)
		f.appendAll(l, rows(0, 20))
		f.ok(end(l))
		if len(late.all) == 0 {
			t.Fatal("no batch was a transaction")
		}
		for _, cmds := range late.all {
			_, err := b.Redis.TxPipelined(t.Context(), func(tx redis.Pipeliner) error {
				for _, cmd := range cmds {
					tx.Do(t.Context(), cmd.Args()...)
				}
				return nil
			})
			f.ok(err)
		}
		books := f.books(id)
		if books.Waiting != 20 || books.Loading || books.Load != nil {
			t.Errorf("%s: books %+v, want each recipient once and no load", id, books)
		}
		_, err := f.Load(t.Context(), id, true)
		f.ok(err)
	}
}
