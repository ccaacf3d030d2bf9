package console

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"fanfare/internal/pacing"
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
		"/dead/replay?code=UNREGISTERED":     {[]string{"Replay 1 letter?", "Match</dt><dd>2</dd>", "No stored token, kept</dt><dd>1</dd>"}, url.Values{"rate": {"500"}}, "replay UNREGISTERED at 500"},
		"/dead/purge?code=RETRIES_EXHAUSTED": {[]string{"Purge 1 letter?", "Campaigns whose history records it"}, url.Values{"type": {"1"}}, "purge RETRIES_EXHAUSTED\nnote purge of 1 of running, code RETRIES_EXHAUSTED by ops, console"},
		"/quota/halt":                        {[]string{"Halt shop?"}, url.Values{"reason": {"rain"}}, "halt project: rain (ops, console)"},
		"/quota/set": {
			[]string{"Set the quota of shop?", "600,000 a minute", "Running campaigns that share it", `value="600000"`},
			url.Values{"per_minute": {"300000"}, "headroom": {"10"}, "ramp": {"30"}}, "set quota: 300,000, 10%, 30s",
		},
		"/campaigns/running/pace?rate=250&priority=3&weight=2": {
			[]string{"Change the pace of running?", "Change it for 270", ">none</span>", "<b>250 a second</b>", "Running campaigns that go first", `type="hidden" name="rate" value="250"`},
			url.Values{"rate": {"250"}, "priority": {"3"}, "weight": {"2"}}, "change running: 250 3 2",
		},
		"/quota/resume": {[]string{"Resume shop?"}, url.Values{}, "resume project"},
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

// A pace that cannot be is refused before the dialog, too. The dialog counts who then goes first.
func TestPaceDialogCountsTheOthers(t *testing.T) {
	t.Parallel()
	f := open(t, Options{Operate: true})
	wantStatus(t, f.get("/campaigns/low/pace?rate=fast&priority=0&weight=1"), http.StatusUnprocessableEntity)
	text := f.get("/campaigns/low/pace?rate=4&priority=5&weight=1").text
	for _, want := range []string{
		`go first</dt><dd><span class="faint">1</span> <span aria-hidden="true">→</span><span class="sr">, then</span> <b>0</b>`,
		`share with it</dt><dd><span class="faint">2</span> <span aria-hidden="true">→</span><span class="sr">, then</span> <b>1</b>`,
		`<b>100 s</b>`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the dialog does not say %s: %s", want, text)
		}
	}
}

// A toast leads back: to the dialog that undoes the action, or to its undo.
func TestAnswersLeadBack(t *testing.T) {
	t.Parallel()
	f := open(t, Options{Operate: true, Prefix: "/fanfare"})
	f.console.undoFor = time.Hour
	for path, c := range map[string]struct {
		form url.Values
		want string
	}{
		"/campaigns/running/pause": {nil, `"back":{"url":"/fanfare/campaigns/running/resume"`},
		"/campaigns/paused/resume": {nil, `"back":{"url":"/fanfare/campaigns/paused/pause"`},
		"/campaigns/high/pace":     {url.Values{"rate": {"1"}, "priority": {"0"}, "weight": {"1"}}, `"back":{"url":"/fanfare/campaigns/high/pace?priority=5\u0026rate=\u0026weight=1"`},
		"/quota/halt":              {nil, `"back":{"url":"/fanfare/quota/resume"`},
		"/dead/replay":             {url.Values{"rate": {""}}, `"undo":"/fanfare/works/`},
		"/campaigns/low/cancel":    {nil, `{"message":"Cancelled low."}`},
	} {
		reply := f.post("/fanfare"+path, c.form)
		wantStatus(t, reply, http.StatusOK)
		if !strings.Contains(reply.text, c.want) {
			t.Errorf("%s is answered %s, want %s", path, reply.text, c.want)
		}
	}
}

// A gate that a person closed can be opened; one of FCM has a button that says why it cannot.
func TestOpenGate(t *testing.T) {
	t.Parallel()
	f := open(t, Options{Operate: true})
	wantStatus(t, f.get("/quota/open"), http.StatusNotFound)
	f.change(func(s *pacing.State) { s.Gate = pacing.Gate{Until: now.Add(time.Minute), By: pacing.ByFCM} })
	if text := f.get("/quota").text; !strings.Contains(text, `disabled aria-describedby="no-open">Open the gate</button><span class="hint" id="no-open">FCM asked for it`) {
		t.Error("the gate of FCM has no button that says why it cannot be opened")
	}
	f.change(func(s *pacing.State) {
		s.Gate, s.Halts = pacing.Gate{}, []pacing.Halt{{Reason: pacing.ClosedByHand, Since: now, By: "ann"}}
	})
	if text := f.get("/quota").text; !strings.Contains(text, `data-dialog href="/quota/open">Open the gate…`) {
		t.Error("a gate that was closed by hand cannot be opened")
	}
	if text := f.get("/campaigns/running").text; !strings.Contains(text, `data-dialog href="/quota/open">Open the gate…`) {
		t.Error("a campaign behind the gate does not lead to its dialog")
	}
	if text := f.get("/quota/open").text; !strings.Contains(text, "Open it for ") {
		t.Errorf("the dialog does not count people: %s", text)
	}
	wantStatus(t, f.post("/quota/open", nil), http.StatusOK)
	if got := f.system.done(); got != "resume project from "+pacing.ClosedByHand {
		t.Errorf("done: %s", got)
	}
}

// What cannot be set is refused, with the bounds.
func TestQuotaIsSetWithinItsBounds(t *testing.T) {
	t.Parallel()
	f := open(t, Options{Operate: true})
	for _, form := range []url.Values{
		{"per_minute": {"0"}, "headroom": {"1"}, "ramp": {"60"}}, {"per_minute": {"1.5"}, "headroom": {"1"}, "ramp": {"60"}}, {"per_minute": {"many"}, "headroom": {"1"}, "ramp": {"60"}},
		{"per_minute": {"600"}, "headroom": {"100"}, "ramp": {"60"}}, {"per_minute": {"600"}, "headroom": {"NaN"}, "ramp": {"60"}}, {"per_minute": {"600"}, "headroom": {"1"}, "ramp": {"1e9"}},
	} {
		wantStatus(t, f.post("/quota/set", form), http.StatusUnprocessableEntity)
	}
	if f.system.done() != "" {
		t.Errorf("done: %s", f.system.done())
	}
}

// A button that people look for, and that cannot work now, stays with its reason.
func TestButtonsThatCannotWorkSayWhy(t *testing.T) {
	t.Parallel()
	f := open(t, Options{Operate: true})
	for page, want := range map[string]string{
		"/campaigns/running": `id="no-delete">Pause or cancel it first`, "/campaigns/completed": `href="/campaigns/completed/delete"`,
	} {
		if text := f.get(page).text; !strings.Contains(text, want) {
			t.Errorf("%s has no %s", page, want)
		}
	}
}
