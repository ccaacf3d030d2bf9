package console

import (
	"context"
	"errors"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"fanfare/internal/fleet"
	"fanfare/internal/notification"
	"fanfare/internal/store"
)

// fakeRecords is SQL. Without an answer, it waits for the end of the question.
type fakeRecords struct {
	sent  int64
	err   error
	hangs bool

	minutes []store.Minute
}

func (f *fakeRecords) Summary(ctx context.Context, _ string) (store.Summary, error) {
	if f.hangs {
		<-ctx.Done()
		return store.Summary{}, ctx.Err()
	}
	return store.Summary{Counts: map[notification.Status]int64{notification.StatusSent: f.sent, notification.StatusFailed: 20, notification.StatusSkipped: 10}}, f.err
}

func (f *fakeRecords) Minutes(context.Context, string) ([]store.Minute, error) {
	return slices.Clone(f.minutes), f.err
}

// The funnel ends in SQL. While SQL does not answer, its stage stays and says so, with a reason.
func TestFunnelSaysThatSQLIsAway(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		records *fakeRecords
		stage   string
		reason  string
	}{
		"all written": {&fakeRecords{sent: 700}, `700<small>70%</small>`, ""},
		"some wait":   {&fakeRecords{sent: 600}, "−100", ""},
		"away":        {&fakeRecords{err: errors.New("dial postgres://app:hunter2@db: refused")}, "SQL does not answer", "<h2>SQL does not answer</h2>"},
	} {
		f := open(t, Options{})
		f.console.deps.Records = c.records
		text := f.get("/campaigns/running").text
		_, stage, found := strings.Cut(text, "<dt>Written to SQL</dt>")
		if stage, _, _ = strings.Cut(stage, "</dl>"); !found || !strings.Contains(stage, c.stage) {
			t.Errorf("%s: the last stage is %q, want %s", name, stage, c.stage)
		}
		if strings.Contains(text, "hunter2") || strings.Contains(text, "<h2>SQL") != (c.reason != "") || !strings.Contains(text, c.reason) {
			t.Errorf("%s: want the reason %q, without the password", name, c.reason)
		}
	}
}

// Results that wait without a responder are named on the list and on the campaign, in red.
func TestListsSayWhyResultsWait(t *testing.T) {
	t.Parallel()
	f := open(t, Options{})
	f.console.deps.Records = &fakeRecords{sent: 600}
	f.system.fleet = []fleet.Process{{Role: fleet.Dispatcher, Host: "ops-1", Phase: fleet.Serving}}
	f.refresh()
	for _, page := range []string{"/campaigns", "/campaigns/running", "/quota"} {
		text := f.get(page).text
		if !strings.Contains(text, "No responder is running") || !strings.Contains(text, "<code>responder</code>") {
			t.Errorf("%s does not say that no responder runs, and what to do", page)
		}
	}
	if !regexp.MustCompile(`class="why is-broken"[^§]*<h2>No responder is running`).MatchString(f.get("/campaigns").text) {
		t.Error("a responder that is missing is not red")
	}
	if sub := tilesOf(f.console.sampler.peek())[4].Sub; sub != "No responder is running" {
		t.Errorf("the tile says %q", sub)
	}
	f.system.fleet = []fleet.Process{{Role: fleet.Responder, Host: "ops-1", Phase: fleet.Serving}}
	f.refresh()
	down := f.console.sampler.peek().find("low")
	if got := stateOf(down); got != stateDown {
		t.Errorf("without a dispatcher a campaign is %+v", got)
	}
	if text := f.get("/campaigns?state=held").text; !strings.Contains(text, "/campaigns/low") || !strings.Contains(text, `tone is-broken">No dispatcher is running`) {
		t.Error("the list of the held does not have it, or not in red")
	}
}

// A database that hangs delays one page by two seconds, and the next ones by a fifth of one.
func TestSQLThatHangsIsAskedBriefly(t *testing.T) {
	t.Parallel()
	var w sqlWatch
	want := func(what string, got, want time.Duration) {
		t.Helper()
		if got != want {
			t.Errorf("%s, a question may take %s, want %s", what, got, want)
		}
	}
	want("at first", w.limit(now), sqlTimeout)
	w.note(errors.New("away"))
	want("while SQL is away", w.limit(now.Add(sqlPatience-1)), sqlTimeoutAway)
	want("while SQL is away, and Redis may answer", w.limitShared(), sqlTimeoutAway)
	want("now and then", w.limit(now.Add(sqlPatience)), sqlTimeout)
	want("after that", w.limit(now.Add(sqlPatience+1)), sqlTimeoutAway)
	w.note(nil)
	want("once it answers", w.limit(now.Add(sqlPatience+1)), sqlTimeout)
	want("once it answers, and Redis may answer", w.limitShared(), sqlTimeout)

	f := open(t, Options{})
	f.console.deps.Records = &fakeRecords{hangs: true}
	f.console.sql.limit(now)
	f.console.sql.note(errors.New("away"))
	if text := f.get("/campaigns/running").text; !strings.Contains(text, "<h2>SQL does not answer</h2>") {
		t.Error("a page does not end the wait for SQL")
	}
}
