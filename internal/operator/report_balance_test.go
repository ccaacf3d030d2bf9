package operator

import (
	"strings"
	"testing"
	"time"

	"fanfare/internal/campaign"
	"fanfare/internal/notification"
	"fanfare/internal/store"
)

// written is what SQL has of a campaign.
func written(sent int64) *store.Summary {
	return &store.Summary{Counts: map[notification.Status]int64{notification.StatusSent: sent}}
}

// The balance names the first thing that is wrong, and says that all is well only if nothing is.
func TestBalanceOfAReport(t *testing.T) {
	t.Parallel()
	books := func(missing, waiting, sent int64, recount bool) *View {
		return &View{Books: campaign.Books{Loaded: missing + waiting + sent, Missing: missing, Waiting: waiting, Sent: sent, Recount: recount}}
	}
	loaded := []notification.HistoryEntry{{What: "loaded", N: 4}, {What: "started", N: 9}, {What: "loaded", N: 2}}
	for name, c := range map[string]struct {
		r    Report
		want string
		ok   bool
	}{
		"all ended":             {Report{View: books(0, 0, 3, false), Written: written(3)}, "every recipient has an outcome", true},
		"missing":               {Report{View: books(1, 1, 1, true)}, "1 recipient went missing", false},
		"counts deleted":        {Report{View: books(0, 1, 1, true)}, "counts were deleted or changed", false},
		"nothing":               {Report{View: books(0, 0, 0, false)}, "Nothing was loaded", true},
		"open":                  {Report{View: books(0, 2, 1, false), Written: written(0)}, "2 recipients without an outcome", true},
		"not in SQL":            {Report{View: books(0, 0, 3, false), Written: written(1)}, "2 outcomes not in SQL", true},
		"without SQL":           {Report{View: books(0, 0, 3, false)}, "every recipient has an outcome", true},
		"records alone":         {Report{Written: written(6), History: loaded}, "every recipient that was loaded", true},
		"records lack some":     {Report{Written: written(5), History: loaded}, "1 of 6 loaded have no outcome", false},
		"records, no history":   {Report{Written: written(5)}, "SQL has 5 outcomes", true},
		"neither has anything":  {Report{History: loaded}, "is not known", false},
		"more than were loaded": {Report{Written: written(7), History: loaded}, "every recipient that was loaded", true},
	} {
		if text, ok := c.r.Balance(); ok != c.ok || !strings.Contains(text, c.want) {
			t.Errorf("%s: %q, balanced %t; want %q, %t", name, text, ok, c.want, c.ok)
		}
	}
}

// The span is the campaign's own, or what the history and SQL know of it.
func TestSpanOfAReport(t *testing.T) {
	t.Parallel()
	at := func(minute int) time.Time { return time.Date(2031, 1, 2, 10, minute, 0, 0, time.UTC) }
	history := []notification.HistoryEntry{{What: "created", At: at(0)}, {What: "started", At: at(1)}, {What: "paused", At: at(2)}, {What: "started", At: at(3)}, {What: "completed", At: at(5)}}
	minutes := []store.Minute{{Start: at(2)}, {Start: at(7)}}
	for name, c := range map[string]struct {
		r          Report
		start, end time.Time
	}{
		"the campaign's own":  {Report{View: &View{Spec: campaign.Spec{StartedAt: at(1), FinishedAt: at(4)}}, History: history}, at(1), at(4)},
		"while it runs":       {Report{View: &View{Spec: campaign.Spec{StartedAt: at(1)}}, History: history}, at(1), time.Time{}},
		"its history's":       {Report{History: history, Minutes: minutes}, at(1), at(5)},
		"that of its minutes": {Report{Minutes: minutes}, at(2), at(8)},
		"unknown":             {Report{}, time.Time{}, time.Time{}},
	} {
		if start, end := c.r.Span(); !start.Equal(c.start) || !end.Equal(c.end) {
			t.Errorf("%s: from %s to %s, want %s to %s", name, start, end, c.start, c.end)
		}
	}
}

// Steps for outcomes name a command only where there is SQL to read, and only one that helps.
func TestStepsForOutcomes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		status       notification.Status
		code         string
		command, why string
	}{
		{notification.StatusFailed, "UNAVAILABLE", "fanfare load NEW --from 42 --status failed --code UNAVAILABLE", "FCM was unavailable"},
		{notification.StatusFailed, "INVALID_ARGUMENT", "fanfare campaign export 42 --status failed --code INVALID_ARGUMENT", "FCM refused the message"},
		{notification.StatusFailed, "UNREGISTERED", "", "their apps are gone"},
		{notification.StatusUnknown, "UNAVAILABLE", "fanfare load NEW --from 42 --status unknown --code UNAVAILABLE", "they may have got it"},
		{notification.StatusSent, "UNAVAILABLE", "", ""},
		{notification.StatusFailed, "NEW_CODE", "", ""},
	} {
		for _, sql := range []*store.Summary{written(0), nil} {
			r := &Report{ID: "42", Written: sql}
			step, ok := r.stepFor(OutcomeCount{c.status, c.code, 3})
			want := c.command
			if sql == nil {
				want = ""
			}
			if ok != (c.why != "") || step.Command != want || !strings.Contains(step.Why, c.why) {
				t.Errorf("%s %s: %+v, %t; want %q because of %q", c.status, c.code, step, ok, want, c.why)
			}
		}
	}
}
