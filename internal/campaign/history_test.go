package campaign_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"fanfare/internal/campaign"
	"fanfare/internal/history"
	"fanfare/internal/keys"
	"fanfare/internal/notification"
	"fanfare/test/backends"
)

// history returns the entries of a campaign as lines: what, who, detail and number.
func (f fixture) history(id string) []string {
	f.Helper()
	entries, err := f.History(f.Context(), id)
	f.ok(err)
	return lines(entries)
}

func lines(entries []notification.HistoryEntry) []string {
	var all []string
	for _, e := range entries {
		line := e.What
		for _, text := range []string{e.Who, e.Detail} {
			line += "|" + text
		}
		if e.N > 0 {
			line += fmt.Sprint("|", e.N)
		}
		all = append(all, line)
	}
	return all
}

func recordsWhoDidWhat(t *testing.T, b *backends.Backend) {
	f := openOn(t, b.Redis, b.Redis, campaign.Options{Actor: "ann@host", ScanEvery: time.Nanosecond})
	before, err := f.rdb.Time(t.Context()).Result()
	f.ok(err)
	f.create("1", campaign.Draft)
	f.load("1", false, 3)
	f.ok(f.Move(t.Context(), "1", campaign.Running, "spring sale"))
	f.discover() // it adopts nothing
	breaker := history.WithActor(t.Context(), "breaker")
	f.ok(f.Move(breaker, "1", campaign.Paused, "too many 404"))
	f.ok(f.Move(t.Context(), "1", campaign.Paused, "said twice"))
	wantEqual(t, "paused by", f.get("1").PausedBy, "breaker")
	rate, weight := 200.0, 1
	f.ok(f.Change(t.Context(), "1", campaign.Change{Rate: &rate, Weight: &weight}))
	deadline := time.Date(2100, 1, 2, 3, 4, 5, 0, time.UTC)
	f.ok(f.Change(t.Context(), "1", campaign.Change{Message: message, Deadline: &deadline}))
	f.ok(f.Move(t.Context(), "1", campaign.Running, ""))
	wantEqual(t, "paused by, when running again", f.get("1").PausedBy, "")
	wantEqual(t, "cancelled by, when running", f.get("1").CancelledBy, "")
	f.ok(f.Move(history.WithActor(t.Context(), "ann"), "1", campaign.Cancelled, "wrong day"))
	wantEqual(t, "cancelled by", f.get("1").CancelledBy, "ann")
	f.ok(f.Note(t.Context(), "1", "x", notification.HistoryEntry{What: campaign.NoteExported, N: 7}))
	wantList(t, "history", f.history("1"),
		"created|ann@host|", "loaded|ann@host||3", "started|ann@host|spring sale", "paused|breaker|too many 404",
		"changed|ann@host|rate none → 200", "changed|ann@host|message edition 0 → edition 1, deadline none → 2100-01-02T03:04:05Z",
		"resumed|ann@host|", "cancelled|ann|wrong day", "exported|ann@host||7")
	entries, err := f.History(t.Context(), "1")
	f.ok(err)
	for i, e := range entries {
		if e.At.Before(before.Truncate(time.Millisecond)) || i > 0 && e.At.Before(entries[i-1].At) {
			t.Errorf("entry %d is of %s, after %s", i, e.At, before)
		}
	}
	wantList(t, "history of no one", f.history("none"))
}

func recordsWhatEndsByItself(t *testing.T, b *backends.Backend) {
	f := openOn(t, b.Redis, b.Redis, campaign.Options{Actor: "dispatcher a", ScanEvery: time.Nanosecond})
	f.hset(f.key("1", keys.SuffixSpec), "message", "{}", "state", "running")
	f.push("1", 1)
	f.discover()
	f.discover()
	f.drain("1")
	wantEqual(t, "complete", f.complete("1"), true)
	wantEqual(t, "complete again", f.complete("1"), true)
	f.push("1", 1)
	f.discover()
	wantList(t, "history", f.history("1"),
		"started|dispatcher a|an application wrote the state", "completed|dispatcher a|", "resumed|dispatcher a|recipients came after the end")
}

// boundsTheHistory keeps 200 entries of bounded texts.
func boundsTheHistory(t *testing.T, b *backends.Backend) {
	f := open(t, b)
	f.create("1", campaign.Draft)
	for i := range 210 {
		f.ok(f.Note(t.Context(), "1", fmt.Sprint(i), notification.HistoryEntry{What: "n", N: int64(i + 1), Detail: strings.Repeat("ü", 1000)}))
	}
	entries, err := f.History(t.Context(), "1")
	f.ok(err)
	wantEqual(t, "entries", len(entries), 200)
	wantEqual(t, "newest", entries[199].N, 210)
	wantEqual(t, "length", len(entries[199].Detail), 1000)
	f.ok(f.Note(t.Context(), "1", "209", entries[199]))
	wantEqual(t, "said again", len(f.history("1")), 200)
	wantEqual(t, "newest is the same", f.history("1")[199], lines(entries)[199])
}

// keepsTheHistory follows the expiry of a history, which outlives a deletion for a week.
func keepsTheHistory(t *testing.T, b *backends.Backend) {
	f := openOn(t, b.Redis, b.Redis, campaign.Options{Retention: time.Hour, ScanEvery: time.Nanosecond})
	key := f.key("1", keys.SuffixHistory)
	until := func(what string, want time.Duration) {
		t.Helper()
		if left := f.expiry(key); left > want || left < want-time.Minute {
			t.Errorf("%s, the history expires in %s, want %s", what, left, want)
		}
	}
	f.load("1", false, 1)
	until("before the campaign", 7*24*time.Hour)
	f.create("1", campaign.Running)
	wantEqual(t, "expiry of a running one", f.expiry(key), never)
	f.move("1", campaign.Completed)
	until("after the end", time.Hour)
	f.ok(f.Note(t.Context(), "1", "", notification.HistoryEntry{What: "seen"}))
	until("after a note", time.Hour)
	f.ok(f.Delete(t.Context(), "1"))
	until("after the deletion", 7*24*time.Hour)
	f.ok(f.Delete(t.Context(), "1"))
	wantList(t, "history", f.history("1"), "loaded|||1", "created||", "started||", "completed||", "seen||", "deleted||")
	f.create("1", campaign.Draft)
	wantEqual(t, "expiry of the next one", f.expiry(key), never)
}

// readsNewHistory reads each entry once, also of campaigns that are gone or never were.
func readsNewHistory(t *testing.T, b *backends.Backend) {
	f := open(t, b)
	after := make(map[string]string)
	read := func() map[string][]string {
		t.Helper()
		found := make(map[string][]string)
		f.ok(f.VisitNewHistory(t.Context(), after, func(id string, entries []notification.HistoryEntry) error {
			found[id], after[id] = lines(entries), entries[len(entries)-1].ID
			return nil
		}))
		return found
	}
	f.create("1", campaign.Draft)
	f.create("2", campaign.Draft)
	wantEqual(t, "at first", fmt.Sprint(read()), "map[1:[created||] 2:[created||]]")
	f.move("2", campaign.Running)
	f.ok(f.Delete(t.Context(), "1"))
	f.ok(f.Note(t.Context(), "gone", "", notification.HistoryEntry{What: campaign.NoteExported}))
	f.ok(f.rdb.Set(t.Context(), f.key("3", keys.SuffixHistory), "text", 0).Err())
	f.create("3", campaign.Draft)
	wantEqual(t, "then", fmt.Sprint(read()), "map[1:[deleted||] 2:[started||] gone:[exported||]]")
	wantEqual(t, "at last", fmt.Sprint(read()), "map[]")
	_, err := f.History(context.Background(), "3")
	if err == nil || !strings.Contains(err.Error(), "holds a string") {
		t.Errorf("history of another type: %v", err)
	}
}
