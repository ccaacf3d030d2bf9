package operator

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"fanfare/internal/campaign"
	"fanfare/internal/notification"
	"fanfare/internal/queue"
	"fanfare/internal/store"
)

// History is what happened to a campaign.
type History struct {
	Entries []notification.HistoryEntry // the newest last
	Problem error                       // why entries in SQL are not among them
}

// History reads a campaign's history from Redis and from SQL, which has entries that Redis no
// longer has. It returns campaign.ErrNotFound if neither knows the campaign.
func (o *Operator) History(ctx context.Context, id string) (History, error) {
	var h History
	found, err := o.deps.Campaigns.History(ctx, id)
	if err != nil {
		return h, err
	}
	h.Entries = found
	if o.deps.Records != nil {
		var written []notification.HistoryEntry
		h.Problem = o.askTogether(ctx, func(ctx context.Context) (err error) {
			written, err = o.deps.Records.History(ctx, id)
			return err
		})[0]
		if h.Problem == nil {
			h.Entries = mergeHistories(found, written)
		}
	}
	if len(h.Entries) > 0 {
		return h, nil
	}
	if _, err = o.deps.Campaigns.Get(ctx, id); errors.Is(err, campaign.ErrNotFound) {
		return h, cmp.Or(h.Problem, err)
	}
	return h, nil
}

// RecentHistory returns the history in Redis, and that in SQL if Redis has none. It is for pages
// that are read each second.
func (o *Operator) RecentHistory(ctx context.Context, id string) ([]notification.HistoryEntry, error) {
	found, err := o.deps.Campaigns.History(ctx, id)
	if err != nil || len(found) > 0 || o.deps.Records == nil {
		return found, err
	}
	return o.deps.Records.History(ctx, id)
}

// mergeHistories returns the entries of both in order, each once.
func mergeHistories(a, b []notification.HistoryEntry) []notification.HistoryEntry {
	all := slices.Concat(a, b)
	slices.SortStableFunc(all, func(a, b notification.HistoryEntry) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(len(a.ID), len(b.ID)), cmp.Compare(a.ID, b.ID))
	})
	return slices.CompactFunc(all, func(a, b notification.HistoryEntry) bool { return a.ID == b.ID })
}

// countedThings are what the number of an entry counts.
var countedThings = map[string]string{
	"loaded": "recipients", "load interrupted": "recipients", "started without the missing": "recipients",
	campaign.NoteReplayed: "dead letters", campaign.NoteExported: "outcomes", campaign.NotePurged: "dead letters", campaign.NoteLettersExported: "dead letters",
}

// DescribeEntry says in words what an entry is about, without who and when: "loaded 3 recipients".
func DescribeEntry(e notification.HistoryEntry) string {
	text := e.What
	if e.N > 0 {
		text += " " + Thousands(e.N)
		if things := countedThings[e.What]; things != "" {
			text += " " + things
			if e.N == 1 {
				text = strings.TrimSuffix(text, "s")
			}
		}
	}
	if e.Detail != "" {
		text += ": " + e.Detail
	}
	return text
}

// NoteExport records that outcomes of a campaign were exported.
func (o *Operator) NoteExport(ctx context.Context, id string, f store.Filter, rows int64) error {
	var selected []string
	if f.Status != "" {
		selected = append(selected, "status "+string(f.Status))
	}
	if f.Code != "" {
		selected = append(selected, "code "+f.Code)
	}
	return o.note(ctx, id, notification.HistoryEntry{What: campaign.NoteExported, N: rows, Detail: strings.Join(selected, ", ")})
}

// NotePurge records that dead letters of a campaign were purged, and which.
func (o *Operator) NotePurge(ctx context.Context, id, which string, letters int64) error {
	return o.note(ctx, id, notification.HistoryEntry{What: campaign.NotePurged, N: letters, Detail: which})
}

// NoteLettersExport records that dead letters of a campaign were exported, and which.
func (o *Operator) NoteLettersExport(ctx context.Context, id, which string, letters int64) error {
	return o.note(ctx, id, notification.HistoryEntry{What: campaign.NoteLettersExported, N: letters, Detail: which})
}

func (o *Operator) note(ctx context.Context, id string, e notification.HistoryEntry) error {
	if err := o.deps.Campaigns.Note(ctx, id, queue.NewID(), e); err != nil {
		return fmt.Errorf("record in the history: %w", err)
	}
	return nil
}
