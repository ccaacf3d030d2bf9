package console

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// Each action states its effect in numbers, does it once, and records who did it.
func TestActions(t *testing.T) {
	for path, each := range map[string]struct {
		asks []string
		form url.Values
		done string
	}{
		"/campaigns/running/pause":           {[]string{"Pause running?", "<dd>220</dd>", "<dd>50</dd>", "<dd>730</dd>"}, url.Values{"reason": {"typo"}}, "pause running by ops, console: typo"},
		"/campaigns/paused/resume":           {[]string{"Resume paused?", "<dd>5</dd>"}, url.Values{}, "start paused by ops, console: "},
		"/campaigns/draft/start":             {[]string{"Start for 8"}, url.Values{}, "start draft by ops, console: "},
		"/campaigns/running/cancel":          {[]string{"Cancel for 270"}, url.Values{"reason": {"old"}}, "cancel running by ops, console: old"},
		"/campaigns/draft/delete":            {[]string{`data-must="draft"`, "no SQL keeps their outcomes"}, url.Values{"type": {"draft"}}, "delete draft"},
		"/dead/replay?code=UNREGISTERED":     {[]string{"Replay 2 letters?", "No stored token, kept"}, url.Values{"rate": {"500"}}, "replay UNREGISTERED at 500"},
		"/dead/purge?code=RETRIES_EXHAUSTED": {[]string{"Purge 3"}, url.Values{"type": {"3"}}, "purge RETRIES_EXHAUSTED"},
		"/quota/halt":                        {[]string{"Halt shop?"}, url.Values{"reason": {"rain"}}, "halt project: rain (ops, console)"},
		"/quota/resume":                      {[]string{"Resume shop?"}, url.Values{}, "resume project"},
	} {
		t.Run(path, func(t *testing.T) {
			f := open(t, Options{Operate: true, Actor: "ops"})
			question := f.get(path)
			wantStatus(t, question, http.StatusOK)
			for _, want := range each.asks {
				if !strings.Contains(question.text, want) {
					t.Errorf("the dialog does not say %s: %s", want, question.text)
				}
			}
			wantStatus(t, f.post(path, each.form), http.StatusOK)
			if strings.HasPrefix(path, "/dead/replay") {
				f.eventually("/dead", "on the way again")
			}
			if got := f.system.done(); got != each.done {
				t.Errorf("done: %q, want %q", got, each.done)
			}
		})
	}
}

func TestDangerousActionsWantTheirNumberTyped(t *testing.T) {
	f := open(t, Options{Operate: true})
	wantStatus(t, f.post("/campaigns/draft/delete", url.Values{"type": {"drat"}}), http.StatusUnprocessableEntity)
	wantStatus(t, f.post("/dead/purge", url.Values{"type": {"2"}}), http.StatusUnprocessableEntity)
	if f.system.done() != "" {
		t.Errorf("done: %s", f.system.done())
	}
}

func TestPaceIsChangedWithinItsBounds(t *testing.T) {
	f := open(t, Options{Operate: true})
	for _, form := range []url.Values{
		{"rate": {"fast"}, "priority": {"1"}, "weight": {"1"}}, {"rate": {""}, "priority": {"10"}, "weight": {"1"}}, {"rate": {""}, "priority": {"1"}, "weight": {"0"}},
	} {
		wantStatus(t, f.post("/campaigns/running/pace", form), http.StatusUnprocessableEntity)
	}
	wantStatus(t, f.post("/campaigns/running/pace", url.Values{"rate": {"250"}, "priority": {"3"}, "weight": {"2"}}), http.StatusOK)
	if got, want := f.system.done(), "change running: 250 3 2"; got != want {
		t.Errorf("done: %q, want %q", got, want)
	}
}
