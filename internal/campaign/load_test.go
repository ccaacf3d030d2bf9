package campaign_test

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"fanfare/internal/campaign"
	"fanfare/internal/keys"
	"fanfare/internal/queue"
	"fanfare/test/backends"
)

func loadsOnce(t *testing.T, b *backends.Backend) {
	f := openOn(t, b.Redis, b.Redis, campaign.Options{DefaultTTL: time.Hour})
	f.load("1", false, 10)
	wantEqual(t, "registered", f.registered("1"), true)
	if ttl := f.expiry(f.list("1").Plain()) - time.Hour - queue.DefaultLinger; ttl.Abs() > patience {
		t.Errorf("the list expires %s from an hour and a week", ttl)
	}
	_, err := f.Load(t.Context(), "1", false)
	f.refused("second load", err, campaign.ErrAudienceExists)
	f.load("1", true, 5)
	wantEqual(t, "loaded", f.books("1").Loaded, 15)

	f.create("1", campaign.Running)
	f.drain("1")
	_, err = f.Load(t.Context(), "1", false)
	f.refused("load after the audience was served", err, campaign.ErrAudienceExists)
	f.push("2", 1)
	_, err = f.Load(t.Context(), "2", false)
	f.refused("load beside an application's audience", err, campaign.ErrAudienceExists)

	l, err := f.Load(t.Context(), "3", false)
	f.ok(err)
	f.ok(l.Close(t.Context()))
	f.load("3", false, 1) // an empty load leaves nothing behind
}

func loadsOneAtATime(t *testing.T, b *backends.Backend) {
	f := open(t, b)
	const loaders = 6
	var opened, won atomic.Int32
	var ready, done sync.WaitGroup
	ready.Add(loaders)
	for range loaders {
		done.Go(func() {
			l, err := f.Load(t.Context(), "1", false)
			if err == nil {
				opened.Add(1)
			}
			ready.Done()
			ready.Wait() // all know that there is no audience
			err = l.Append(t.Context(), batch(10))
			busy, is := errors.AsType[*campaign.BusyError](err)
			switch {
			case err == nil:
				won.Add(1)
			case !is || !strings.HasSuffix(busy.Owner, fmt.Sprint(" process ", os.Getpid())) || time.Since(busy.Since) > time.Minute || time.Until(busy.Until) > time.Minute:
				t.Errorf("append: %v", err)
			}
		})
	}
	done.Wait()
	wantEqual(t, "loads that opened", opened.Load(), loaders)
	wantEqual(t, "loads that succeeded", won.Load(), 1)
	wantEqual(t, "loaded", f.books("1").Loaded, 10)
}

func completesAfterTheLoad(t *testing.T, b *backends.Backend) {
	f := open(t, b)
	f.create("1", campaign.Running)
	l, err := f.Load(t.Context(), "1", false)
	f.ok(err)
	f.ok(l.Append(t.Context(), batch(3)))
	f.drain("1")
	wantEqual(t, "complete between two batches", f.complete("1"), false)
	f.ok(l.Append(t.Context(), batch(3)))
	f.ok(l.Close(t.Context()))
	f.drain("1")
	wantEqual(t, "complete after the load", f.complete("1"), true)
	wantEqual(t, "sent", f.books("1").Sent, 6)
}

// The rest of a load that an operator has given up does not keep its campaign from completing.
func completesWithoutAWaivedLoad(t *testing.T, b *backends.Backend) {
	f := open(t, b)
	f.create("1", campaign.Running)
	f.appendAll(f.loader("1", false), rows(0, 3))
	f.drain("1")
	wantEqual(t, "complete while the load may continue", f.complete("1"), false)
	f.ok(f.Waive(t.Context(), campaign.Spec{ID: "1"}, 0))
	wantEqual(t, "complete without the rest", f.complete("1"), true)
}

func reopensOnlyTheCompleted(t *testing.T, b *backends.Backend) {
	f := open(t, b)
	for _, state := range campaign.States {
		id := string(state)
		f.into(id, state)
		l, err := f.Load(t.Context(), id, true)
		if state.IsFinal() {
			if _, ok := errors.AsType[*campaign.TransitionError](err); !ok {
				t.Errorf("load into %s: %v, want a refusal", state, err)
			}
			continue
		}
		f.ok(err)
		f.ok(l.Append(t.Context(), batch(1)))
		want := state
		if state == campaign.Completed {
			want = campaign.Running
		}
		wantEqual(t, "state after loading into "+id, f.get(id).State, want)
		wantEqual(t, "expiry of "+id, f.expiry(f.key(id, keys.SuffixCounts)), never)
		f.ok(l.Append(t.Context(), batch(1)))
		if state != campaign.Running {
			f.move(id, campaign.Running)
		}
		f.move(id, campaign.Cancelled)
		if _, ok := errors.AsType[*campaign.TransitionError](l.Append(t.Context(), batch(1))); !ok {
			t.Errorf("a load went on after the campaign was cancelled")
		}
		listed, err := f.rdb.LLen(t.Context(), f.list(id).Plain()).Result()
		f.ok(err)
		wantEqual(t, "pushed, also after the end of "+id, l.CountPushed(), listed)
	}
}

// loadsNothingIntoTheDeleted deletes a campaign between two batches. Its id is free then, and its
// list must be empty.
func loadsNothingIntoTheDeleted(t *testing.T, b *backends.Backend) {
	f := open(t, b)
	f.create("1", campaign.Draft)
	l, err := f.Load(t.Context(), "1", false)
	f.ok(err)
	f.ok(l.Append(t.Context(), batch(3)))
	f.ok(f.Delete(t.Context(), "1"))
	f.refused("append", l.Append(t.Context(), batch(3)), campaign.ErrDeleted)
	f.wantNothingOf(b, "1")

	f.create("1", campaign.Running)
	f.refused("append beside another campaign of that id", l.Append(t.Context(), batch(3)), campaign.ErrDeleted)
	f.refused("close", l.Close(t.Context()), campaign.ErrDeleted)
	f.load("1", false, 2)
	wantEqual(t, "claimed by the new campaign", len(f.claim("1", 10).Elements), 2)
}

// loadsBesideALook loads before the campaign is created. Meanwhile another process runs Discover
// before some scripts of the load, and finds an entry with nothing behind it yet.
func loadsBesideALook(t *testing.T, b *backends.Backend) {
	f := openOn(t, b.Lossy, b.Redis, eager)
	looking := openOn(t, b.Redis, b.Redis, campaign.Options{ScanEvery: time.Hour}) // no scan finds an entry that Discover dropped
	looking.discover()
	for id, when := range map[string]func(script []string) bool{
		"always": func([]string) bool { return true },
		"append": func(script []string) bool { return strings.Contains(strings.Join(script, " "), ":load:") },
	} {
		var looks, failed atomic.Int32
		beforeScripts(t, b, func(script []string) {
			if !when(script) {
				return
			}
			looks.Add(1)
			if _, err := looking.Discover(t.Context()); err != nil {
				failed.Add(1)
			}
		})
		f.load(id, false, 3)
		if looks.Load() == 0 || failed.Load() > 0 {
			t.Errorf("%s: %d looks, of which %d failed", id, looks.Load(), failed.Load())
		}
		wantEqual(t, id+" is registered", f.registered(id), true)
		wantEqual(t, id+": loaded", f.books(id).Loaded, 3)
	}
	wantList(t, "waiting", looking.discover().Waiting, "always", "append")
}

// A loader that died does not delay anyone for longer than its mark counts.
func forgetsWhatNoOneLoads(t *testing.T, b *backends.Backend) {
	f := open(t, b)
	counts := f.key("1", keys.SuffixCounts)
	f.ok(f.rdb.SAdd(t.Context(), keys.Default().Registry(), "1").Err())
	f.hset(counts, "load:x", time.Now().Add(time.Minute).UnixMilli())
	wantList(t, "waiting", f.discover().Waiting)
	wantEqual(t, "registered while it is loaded", f.registered("1"), true)
	f.hset(counts, "load:x", 1)
	f.discover()
	f.wantNothingOf(b, "1")
}

// The next load removes the fields of loads that were closed a day ago, and no others.
func forgetsLoadsThatAreOver(t *testing.T, b *backends.Backend) {
	f := open(t, b)
	counts := f.key("1", keys.SuffixCounts)
	ago := func(d time.Duration) int64 { return time.Now().Add(-d).UnixMilli() }
	const day = 24 * time.Hour
	f.create("1", campaign.Draft)
	f.load("1", false, 1)
	for field := range f.notes("1") {
		if strings.HasPrefix(field, "load:") {
			f.hset(counts, field, ago(day+time.Minute))
		}
	}
	f.hset(counts, "load:old", 0, "append:old", "0 0 0 1 old", "append:taken", "0 0 0 1 taken",
		"load:today", ago(day-time.Minute), "append:today", "0 0 0 1 today",
		"load:on", ago(-time.Minute), "load:stopped", ago(3*day), "progress:stopped", "3 3 1 1", "append:stopped", "0 0 0 1 stopped")
	_, err := f.Load(t.Context(), "1", true)
	f.ok(err)
	wantEqual(t, "fields before a load begins", len(marksIn(f.notes("1"))), 10)
	l := f.loader("1", true)
	f.ok(l.Append(t.Context(), batch(1)))
	wantList(t, "fields when it goes on", marksIn(f.notes("1")),
		"append:stopped", "append:today", "load:NEW", "load:on", "load:stopped", "load:today", "progress:NEW", "progress:stopped")
	f.ok(l.Close(t.Context()))
	f.ok(l.Close(t.Context())) // as after a lost reply
	wantList(t, "fields when it is over", marksIn(f.notes("1")),
		"append:stopped", "append:today", "load:NEW", "load:on", "load:stopped", "load:today", "progress:stopped")
}

// notes returns the fields of counts that are not figures.
func (f fixture) notes(id string) map[string]string {
	f.Helper()
	c, err := f.queue(id).Count(f.Context())
	f.ok(err)
	return c.Notes
}

// marksIn returns the fields about loads in order; generated ids become NEW.
func marksIn(notes map[string]string) (all []string) {
	for field := range notes {
		kind, load, found := strings.Cut(field, ":")
		switch {
		case found && len(load) > len("stopped"):
			all = append(all, kind+":NEW")
		case found:
			all = append(all, field)
		}
	}
	slices.Sort(all)
	return all
}
