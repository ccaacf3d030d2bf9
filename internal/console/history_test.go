package console

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"fanfare/internal/notification"
)

// The page of a campaign shows who did what, the newest first.
func TestHistoryOfACampaign(t *testing.T) {
	f := open(t, Options{})
	r := f.get("/campaigns/running")
	wantStatus(t, r, http.StatusOK)
	last := -1
	for _, want := range []string{
		`<time datetime="2026-11-29T13:59:59Z">13:59:59</time><span class="dot is-broken"></span><div><div class="what"><b>Paused</b>: 5 of 5 answers are 400</div><div class="by">dispatcher ops-2, breaker bad_message</div>`,
		`13:59:00</time><span class="dot is-running"></span><div><div class="what"><b>Started</b></div><div class="by">ops, console</div>`,
		`<b>Loaded 20,000,000 recipients</b></div></div>`,
		`28 Nov</time><span class="dot "></span><div><div class="what"><b>Created</b></div><div class="by">08:00:00 UTC, &lt;script&gt;alert(2)`,
	} {
		at := strings.Index(r.text, want)
		if at <= last {
			t.Errorf("the page has no %q in its place", want)
		}
		last = at
	}
}

// The charts mark what explains a step, in the order in which it happened.
func TestChartsMarkEvents(t *testing.T) {
	t.Parallel()
	at := func(minute int) time.Time { return now.Add(time.Duration(minute) * time.Minute) }
	var newestFirst []historyItem
	for _, e := range []notification.HistoryEntry{
		{What: "resumed", At: at(2)}, {What: "changed", At: at(1)}, {What: "paused", At: at(0)}, {What: "started", At: at(-1)},
	} {
		newestFirst = append(newestFirst, historyItemOf(e, now))
	}
	if got, want := marksOf(newestFirst), fmt.Sprintf("%d paused|%d resumed", at(0).Unix(), at(2).Unix()); got != want {
		t.Errorf("marks %q, want %q", got, want)
	}
}
