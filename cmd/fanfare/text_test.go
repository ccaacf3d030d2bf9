package main

import (
	"io"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"

	"fanfare/internal/breaker"
	"fanfare/internal/campaign"
	"fanfare/internal/config"
	"fanfare/internal/operator"
	"fanfare/internal/pacing"
	"fanfare/internal/responses"
)

// printed returns what a function prints for a person.
func printed(write func(io.Writer)) string {
	var text strings.Builder
	write(&text)
	return text.String()
}

// says fails the test unless a text contains a part, or lacks it.
func says(t *testing.T, what, text, part string, want bool) {
	t.Helper()
	if strings.Contains(text, part) != want {
		t.Errorf("%s: %q in it %t, want %t:\n%s", what, part, !want, want, text)
	}
}

func TestTheMostFrequentOutcomeIsFirst(t *testing.T) {
	got := operator.CountOutcomes(campaign.Books{Sent: 5, Failed: 9, Codes: map[string]int64{"failed:A": 2, "failed:B": 6}})
	want := []operator.OutcomeCount{
		{Status: "failed", Code: "B", N: 6}, {Status: "sent", N: 5}, {Status: "failed", Code: "A", N: 2}, {Status: "failed", N: 1},
	}
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

// Only a running campaign must be paused before its message is replaced.
func TestHowToReplaceAMessage(t *testing.T) {
	for from, want := range map[campaign.State]bool{campaign.Running: true, campaign.Completed: false} {
		err := explainSet("42", "", transition(from))
		says(t, string(from), err.Error(), "fanfare campaign pause 42", want)
	}
}

func transition(from campaign.State) error {
	return &campaign.TransitionError{ID: "42", From: from, To: "rewritten"}
}

// The demo looks for campaigns at least as often as the settings say.
func TestTheDemoKeepsAShorterInterval(t *testing.T) {
	for interval, want := range map[time.Duration]time.Duration{10 * time.Millisecond: 10 * time.Millisecond, time.Minute: demoDiscoverInterval} {
		s := config.Defaults()
		s.Dispatcher.Discover = interval
		e, err := startEmbedded(t.Context(), &s, demoFlags{redis: "redis://x", database: "sqlite:x", fcmEndpoint: "https://x"})
		if err != nil {
			t.Fatal(err)
		}
		e.close()
		if s.Dispatcher.Discover != want || s.Names.CampaignPrefix != demoPrefix+config.Defaults().Names.CampaignPrefix {
			t.Errorf("every %s, names %+v", s.Dispatcher.Discover, s.Names)
		}
	}
}

func TestDroppedLettersAreTold(t *testing.T) {
	text := func(dropped int64) string {
		return printed(func(w io.Writer) {
			printLetters(output{w: w}, letterList{counts: responses.DeadCounts{Dropped: dropped}})
		})
	}
	says(t, "some", text(1200), "1,200 older ones were dropped by the bounds", true)
	says(t, "none", text(0), "dropped", false)
}

func TestAResumedProject(t *testing.T) {
	now := time.Now()
	halted := pacing.State{Now: now, Halts: []pacing.Halt{{Reason: "x", Since: now}}}
	gated := pacing.State{Now: now, Gate: pacing.Gate{Until: now.Add(time.Minute), Reason: "429"}}
	for want, states := range map[string][2]pacing.State{
		"project demo is resumed":                     {halted, {Now: now}},
		"project demo was not halted":                 {{Now: now}, {Now: now}},
		"no longer halted, and sends again when this": {halted, gated},
		"was not halted; it is on hold: The gate":     {gated, gated},
	} {
		says(t, want, resumedText("demo", states[0], states[1]), want, true)
	}
}

// The current pace is that of the ramp.
func TestQuotaTellsThePaceOfNow(t *testing.T) {
	v := operator.NewQuotaView("demo", pacing.State{Rate: 7, Warm: 0.1, Settings: pacing.Settings{Quota: 6000, Headroom: 0.1, Ramp: time.Minute}})
	if v.Now != 7 || v.Full != 90 || v.HeadroomPercent != 10 || v.RampSeconds != 60 || v.Warm != 0.1 {
		t.Errorf("got %+v", v)
	}
}

// A setting shows its value and its default.
func TestSettingsHaveTheirDefaults(t *testing.T) {
	s, err := config.Load("", pflag.NewFlagSet("x", pflag.ContinueOnError), []string{"FANFARE_QUEUE_LEASE=77s"})
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range listSettings(s) {
		if v.Name == "queue.lease" && (v.Value != "1m17s" && v.Value != "77s" || v.Default == v.Value || v.Default == "") {
			t.Errorf("got %+v", v)
		}
	}
}

// Every command warns about dangerous settings.
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

// The view of a campaign shows options that are not the default.
func TestOptionsOfACampaignAreShown(t *testing.T) {
	text := func(s campaign.Spec) string {
		return printed(func(w io.Writer) { printView(output{w: w}, operator.View{Spec: s}) })
	}
	all := text(campaign.Spec{ID: "42", State: campaign.Draft, Weight: 2, Priority: 1, Rate: 0.5, Name: "Spring", Project: "demo"})
	for _, part := range []string{"weight        2", "priority      1", "rate          0.5 a second", "name          Spring", "project       demo"} {
		says(t, "set", all, part, true)
	}
	says(t, "by default", text(campaign.Spec{ID: "42", State: campaign.Draft, Weight: 1}), "weight", false)
}
