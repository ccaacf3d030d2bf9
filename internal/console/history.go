package console

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"fanfare/internal/campaign"
	"fanfare/internal/history"
	"fanfare/internal/notification"
	"fanfare/internal/operator"
	"fanfare/internal/pacing"
)

// maxHistory is how many entries a page shows.
const maxHistory = 20

// historyItem is an entry of a campaign's history as its page shows it.
type historyItem struct {
	ID, ISO, At  string
	Tone         string // class of the state that the entry led to; "" for none
	What, Detail string
	By           string // who did it, and when if it was another day

	kind string // what the entry says
	unix int64
}

// historyOf returns the newest entries first. What cannot be read is not shown: the page's other
// figures say what is down.
func (c *Console) historyOf(ctx context.Context, id string, now time.Time) []historyItem {
	var entries []notification.HistoryEntry
	err := c.askShared(ctx, func(ctx context.Context) (err error) {
		entries, err = c.deps.System.RecentHistory(ctx, id)
		return err
	})
	if err != nil {
		return nil
	}
	return historyItems(entries, now)
}

// historyItems returns the newest of the entries, the newest first.
func historyItems(entries []notification.HistoryEntry, now time.Time) []historyItem {
	items := make([]historyItem, 0, min(len(entries), maxHistory))
	for _, e := range slices.Backward(entries) {
		if len(items) == maxHistory {
			break
		}
		items = append(items, historyItemOf(e, now))
	}
	return items
}

func historyItemOf(e notification.HistoryEntry, now time.Time) historyItem {
	at := e.At.UTC()
	item := historyItem{ID: e.ID, ISO: at.Format(time.RFC3339), At: at.Format("15:04:05"), Tone: historyTone(e), By: e.Who, Detail: e.Detail, kind: e.What, unix: at.Unix()}
	if at.Format(time.DateOnly) != now.UTC().Format(time.DateOnly) {
		item.At = at.Format("2 Jan")
		item.By = strings.TrimSuffix(at.Format("15:04:05")+" UTC, "+e.Who, ", ")
	}
	e.Detail = ""
	what := operator.DescribeEntry(e)
	first, size := utf8.DecodeRuneInString(what)
	item.What = string(unicode.ToUpper(first)) + what[size:]
	return item
}

// marksOf are the events that explain a step in a chart, the oldest first.
func marksOf(items []historyItem) string {
	var marks []string
	for _, item := range slices.Backward(items) {
		if word := markWords[item.kind]; word != "" {
			marks = append(marks, fmt.Sprintf("%d %s", item.unix, word))
		}
	}
	return strings.Join(marks, "|")
}

// markWords name the entries that are marked.
var markWords = map[string]string{
	string(campaign.Paused): "paused", "resumed": "resumed", campaign.NoteHeld: "on hold", campaign.NoteReleased: "released",
	string(campaign.Cancelled): "cancelled", string(campaign.Expired): "expired",
}

// historyTone is the colour of an entry. What a breaker paused is broken, as in all lists.
func historyTone(e notification.HistoryEntry) string {
	switch e.What {
	case "started", "resumed", campaign.NoteReleased:
		return "is-running"
	case "paused":
		if history.IsBreaker(e.Who) {
			return "is-broken"
		}
		return "is-paused"
	case campaign.NoteRefused:
		return "is-paused"
	case campaign.NoteHeld:
		return "is-held"
	case pacing.NoteHalted:
		return "is-broken"
	case "completed", "cancelled", "expired":
		return "is-" + e.What
	}
	return ""
}

// actorOf names a viewer in histories.
func actorOf(v viewer) string {
	if v.Name == "" {
		return "console"
	}
	return v.Name + ", console"
}

// asActor has the histories name the viewer.
func asActor(r *http.Request, v viewer) context.Context {
	return history.WithActor(r.Context(), actorOf(v))
}
