package main

import (
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"

	"fanfare/internal/breaker"
	"fanfare/internal/campaign"
	"fanfare/internal/checks"
	"fanfare/internal/config"
	"fanfare/internal/daemon"
	"fanfare/internal/operator"
	"fanfare/internal/pacing"
	"fanfare/internal/responses"
	"fanfare/internal/tokens"
)

// printed is what a function writes for a person.
func printed(write func(io.Writer)) string {
	var text strings.Builder
	write(&text)
	return text.String()
}

// says fails the test unless a text has a part, or has it not.
func says(t *testing.T, what, text, part string, want bool) {
	t.Helper()
	if strings.Contains(text, part) != want {
		t.Errorf("%s: %q in it %t, want %t:\n%s", what, part, !want, want, text)
	}
}

func TestTheMostFrequentOutcomeIsFirst(t *testing.T) {
	got := outcomes(campaign.Books{Sent: 5, Failed: 9, Codes: map[string]int64{"failed:A": 2, "failed:B": 6}})
	want := []outcome{{"failed", "B", 6}, {"sent", "", 5}, {"failed", "A", 2}, {"failed", "", 1}}
	if len(got) != len(want) {
		t.Fatalf("got %v", got)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("got %v, want %v", got, want)
		}
	}
}

func TestWhatIsAmbiguous(t *testing.T) {
	text := func(a operator.Ambiguous) string { return printed(func(w io.Writer) { printAmbiguous(w, a) }) }
	says(t, "nothing", text(operator.Ambiguous{}), "ambiguous", false)
	says(t, "lost alone", text(operator.Ambiguous{Lost: 2}), "2 lost with a sender", true)
	says(t, "unanswered alone", text(operator.Ambiguous{Unanswered: 2}), "lost", false)
}

func TestCanaries(t *testing.T) {
	c := breaker.Canary{Size: 100, Answered: 40, Outstanding: 60}
	passed := c
	passed.Passed = true
	for name, got := range map[string][2]string{
		"none":                     {canaryText(breaker.Canary{}, campaign.Running), ""},
		"paused":                   {canaryText(passed, campaign.Paused), "a new one follows when the campaign is resumed"},
		"passed":                   {canaryText(passed, campaign.Running), "passed"},
		"of what does not run":     {canaryText(c, campaign.Completed), ""},
		"on the way":               {canaryText(c, campaign.Running), "40 of 100 answered, 60 on the way; the rest waits"},
		"of which some are silent": {canaryText(breaker.Canary{Size: 9, Unanswered: 3}, campaign.Running), "0 of 9 answered, 0 on the way, 3 without an answer; the rest waits"},
	} {
		if got[0] != got[1] {
			t.Errorf("%s: got %q, want %q", name, got[0], got[1])
		}
	}
}

// Only a campaign that runs is to be paused before its message is replaced.
func TestHowToReplaceAMessage(t *testing.T) {
	for from, want := range map[campaign.State]bool{campaign.Running: true, campaign.Completed: false} {
		err := notSet("42", "", transition(from))
		says(t, string(from), err.Error(), "fanfare campaign pause 42", want)
	}
}

func transition(from campaign.State) error {
	return &campaign.TransitionError{ID: "42", From: from, To: "rewritten"}
}

// Refused credentials go before wrong settings, whichever is found first; a fault behind either changes nothing.
func TestTheExitCodeOfACheck(t *testing.T) {
	failure := func(code int) checks.Finding {
		return checks.Finding{Name: "x", Grade: checks.Failure, Cause: daemon.WithExitCode(code, errors.New("x"))}
	}
	usage, credentials, fault := failure(daemon.ExitUsage), failure(daemon.ExitCredentials), checks.Finding{Name: "x", Grade: checks.Failure}
	for want, all := range map[int][][]checks.Finding{
		daemon.ExitOK:          {{}, {{Grade: checks.Warning}}},
		daemon.ExitFault:       {{fault}},
		daemon.ExitUsage:       {{usage}, {fault, usage}, {usage, fault}},
		daemon.ExitCredentials: {{credentials}, {credentials, usage}, {credentials, fault}},
	} {
		for _, findings := range all {
			if got := daemon.ExitCode(verdict(findings)); got != want {
				t.Errorf("%v: exit code %d, want %d", findings, got, want)
			}
		}
	}
}

// The demo looks for campaigns no less often than the settings say.
func TestTheDemoKeepsAShorterInterval(t *testing.T) {
	for interval, want := range map[time.Duration]time.Duration{10 * time.Millisecond: 10 * time.Millisecond, time.Minute: demoDiscover} {
		s := config.Defaults()
		s.Dispatcher.Discover = interval
		e, err := embed(t.Context(), &s, demoFlags{redis: "redis://x", database: "sqlite:x", fcmEndpoint: "https://x"})
		if err != nil {
			t.Fatal(err)
		}
		e.close()
		if s.Dispatcher.Discover != want || s.Names.CampaignPrefix != demoPrefix+config.Defaults().Names.CampaignPrefix {
			t.Errorf("every %s, names %+v", s.Dispatcher.Discover, s.Names)
		}
	}
}

// denied is an error that Redis replied.
type denied string

func (d denied) Error() string { return string(d) }

func (denied) RedisError() {}

func TestExitCodesOfErrors(t *testing.T) {
	for name, c := range map[string]struct {
		err  error
		want int
	}{
		"denied":       {denied("NOPERM User x has no permissions"), daemon.ExitCredentials},
		"no campaign":  {campaign.ErrNotFound, daemon.ExitNoCampaign},
		"wrong input":  {&campaign.SpecError{}, daemon.ExitUsage},
		"no recipient": {operator.ErrNoRecipient, daemon.ExitUsage},
		"a full Redis": {denied("OOM command not allowed"), daemon.ExitFault},
	} {
		if got := daemon.ExitCode(explain(c.err)); got != c.want {
			t.Errorf("%s: exit code %d, want %d", name, got, c.want)
		}
	}
}

func TestSeparators(t *testing.T) {
	for text, want := range map[string]rune{"tab": '\t', `\t`: '\t', ";": ';', "§": '§', ";;": 0, "": 0, "\"": 0, "\n": 0, "\xff": 0} {
		got, err := readSeparator(text)
		if got != want || (err == nil) != (want != 0) {
			t.Errorf("%q: %q, %v", text, got, err)
		}
	}
}

func TestDroppedLettersAreTold(t *testing.T) {
	text := func(dropped int64) string {
		return printed(func(w io.Writer) { printLetters(w, letterList{counts: responses.DeadCounts{Dropped: dropped}}) })
	}
	says(t, "some", text(1200), "1,200 older ones were dropped by the bounds", true)
	says(t, "none", text(0), "dropped", false)
}

// A moment may be so long ago; a negative time is none.
func TestMoments(t *testing.T) {
	var at time.Time
	m := moment{&at}
	if err := m.Set("2h"); err != nil || time.Since(at) < 2*time.Hour || time.Since(at) > 3*time.Hour {
		t.Errorf("two hours ago is %s, %v", at, err)
	}
	for _, text := range []string{"-2h", "0s", "yesterday", ""} {
		if err := m.Set(text); err == nil {
			t.Errorf("%q is taken for %s", text, at)
		}
	}
}

func TestAResumedProject(t *testing.T) {
	now := time.Now()
	halted := pacing.State{Now: now, Halts: []pacing.Halt{{Reason: "x", Since: now}}}
	gated := pacing.State{Now: now, Gate: pacing.Gate{Until: now.Add(time.Minute), Reason: "429"}}
	for want, states := range map[string][2]pacing.State{
		"project demo goes on":                       {halted, {Now: now}},
		"project demo was not halted":                {{Now: now}, {Now: now}},
		"not halted any more, and goes on when this": {halted, gated},
		"was not halted; what holds it: the gate":    {gated, gated},
	} {
		says(t, want, resumedText("demo", states[0], states[1]), want, true)
	}
}

// The pace of now is that of the ramp.
func TestQuotaTellsThePaceOfNow(t *testing.T) {
	v := quotaOf("demo", pacing.State{Rate: 7, Warm: 0.1, Settings: pacing.Settings{Quota: 6000, Headroom: 0.1, Ramp: time.Minute}})
	if v.Now != 7 || v.Full != 90 || v.HeadroomPercent != 10 || v.RampSeconds != 60 || v.Warm != 0.1 {
		t.Errorf("got %+v", v)
	}
}

// A setting shows what it is now, and what it would be by default.
func TestSettingsHaveTheirDefaults(t *testing.T) {
	s, err := config.Load("", pflag.NewFlagSet("x", pflag.ContinueOnError), []string{"FANFARE_QUEUE_LEASE=77s"})
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range settingsOf(s) {
		if v.Name == "queue.lease" && (v.Value != "1m17s" && v.Value != "77s" || v.Default == v.Value || v.Default == "") {
			t.Errorf("got %+v", v)
		}
	}
}

func TestATokenThatCannotBeOne(t *testing.T) {
	text := printed(func(w io.Writer) {
		printToken(w, userToken{UserID: "u", Token: "a b", Known: true, Problem: "holds a space"})
	})
	says(t, "problem", text, "cannot be a token, and is never sent", true)
	says(t, "none", printed(func(w io.Writer) { printToken(w, userToken{UserID: "u"}) }), "u has no token", true)
}

// Of users who were named all is shown at once, or how much of it.
func TestRemovedTokensOfUsers(t *testing.T) {
	text := func(total int64, counted bool) string {
		found := operator.RemovedTokens{Total: total, Newest: []tokens.RemovedToken{{User: "u", At: time.Now()}}}
		return printed(func(w io.Writer) { printRemoved(w, found, counted) })
	}
	says(t, "all", text(1, false), "shown", false)
	says(t, "some", text(2, false), "1 of 2 shown", true)
	says(t, "of everybody", text(1, true), "1 of 1 shown", true)
}

// Wrong combinations of flags are refused before anything is asked.
func TestFlagsThatDoNotGoTogether(t *testing.T) {
	t.Setenv("REDIS_URL", "redis://127.0.0.1:1")
	for want, line := range map[string]string{
		"--since is not before --until":     "tokens removed --since 2030-01-01 --until 2020-01-01",
		"--all restores every removed":      "tokens restore --all u1",
		"this would restore every":          "tokens restore",
		"this would send to every":          "dead replay",
		"this would delete every":           "dead purge",
		"is above pacing.max_gate":          "quota close --for 23h --fcm.project_id demo",
		"breaker.enabled is false":          "campaign pause 42 --platform ios --breaker.enabled=false",
		"there is no kind":                  "dead list --kind x",
		"--since is not before --until; se": "dead list --since 2030-01-01 --until 2020-01-01",
	} {
		root := newRoot(io.Discard, io.Discard)
		root.SetArgs(strings.Fields(line))
		err := root.ExecuteContext(t.Context())
		if daemon.ExitCode(err) != daemon.ExitUsage || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: exit %d, %v", line, daemon.ExitCode(err), err)
		}
	}
}

// A dry run needs no --all: it asks Redis.
func TestADryRunMayBeOfAll(t *testing.T) {
	t.Setenv("REDIS_URL", "redis://127.0.0.1:1")
	root := newRoot(io.Discard, io.Discard)
	root.SetArgs([]string{"dead", "replay", "--dry-run"})
	if err := root.ExecuteContext(t.Context()); daemon.ExitCode(err) == daemon.ExitUsage || err == nil {
		t.Errorf("got %v", err)
	}
}

// What is dangerous about the settings is said by every command.
func TestSettingsAreWarnedOf(t *testing.T) {
	t.Setenv("REDIS_URL", "redis://:secret@redis.example.com:6379")
	root := newRoot(io.Discard, io.Discard)
	var errs strings.Builder
	root.SetErr(&errs)
	root.SetArgs([]string{"config", "--redis.url", "redis://:secret@redis.example.com:6379"})
	if err := root.ExecuteContext(t.Context()); err != nil {
		t.Fatal(err)
	}
	says(t, "warnings", errs.String(), "fanfare: warning:", true)
}

// What is not as by default is shown of a campaign.
func TestOptionsOfACampaignAreShown(t *testing.T) {
	text := func(s campaign.Spec) string {
		return printed(func(w io.Writer) { printView(w, operator.View{Spec: s}) })
	}
	all := text(campaign.Spec{ID: "42", State: campaign.Draft, Weight: 2, Priority: 1, Rate: 0.5, Name: "Spring", Project: "demo"})
	for _, part := range []string{"weight        2", "priority      1", "rate          0.5 a second", "name          Spring", "project       demo"} {
		says(t, "set", all, part, true)
	}
	says(t, "by default", text(campaign.Spec{ID: "42", State: campaign.Draft, Weight: 1}), "weight", false)
}

func TestBarsFollowTheTerminal(t *testing.T) {
	for columns, want := range map[int]int{0: 20, 100: 20, 99: 10, 70: 10, 69: 5} {
		if got := barFor(columns); got != want {
			t.Errorf("%d columns: %d, want %d", columns, got, want)
		}
	}
}

// A reason may have 500 bytes.
func TestReasonsAsLongAsCanBe(t *testing.T) {
	if fitReason(strings.Repeat("x", 500)) != nil || fitReason(strings.Repeat("x", 501)) == nil {
		t.Error("500 bytes are the most")
	}
}
