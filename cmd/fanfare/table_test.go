package main

import (
	"io"
	"strings"
	"testing"
	"time"

	"fanfare/internal/campaign"
	"fanfare/internal/checks"
	"fanfare/internal/fleet"
	"fanfare/internal/notification"
	"fanfare/internal/operator"
	"fanfare/internal/pacing"
	"fanfare/internal/responses"
	"fanfare/internal/tokens"
)

// longText is a long text of characters that take none, one or two columns, and of a sequence that
// moves the cursor.
var longText = "start " + strings.Repeat("蘇e\u0301🎈x", 40) + "\x1b[31m" + strings.Repeat("y", 100) + " end"

// listings print each table with hostile values and large numbers.
func listings() map[string]func(o output) {
	const many = 1_234_567_890
	now := time.Now()
	books := campaign.Books{
		Loaded: 9 * many, Sent: many, Failed: many, Skipped: many, Waiting: many,
		Codes: map[string]int64{"failed:" + longText: many},
	}
	view := operator.View{Spec: campaign.Spec{ID: longText, Name: longText, State: campaign.Running, CreatedAt: now, Priority: 7}, Books: books}
	view.Reasons = []operator.Reason{{Kind: operator.ReasonGate, Headline: longText, Stops: true, Until: now, Next: longText}}
	result := notification.Result{CampaignID: longText, UserID: longText, ErrorCode: longText, Error: longText, ResultID: longText, Status: notification.StatusFailed, At: now}
	letters := letterList{
		letters: []responses.DeadLetter{responses.FailedLetter(result, now)},
		counts:  responses.DeadCounts{Total: 1, Codes: map[string]int64{"failed:" + longText: many}},
	}
	removed := operator.RemovedTokens{
		Total: 2, Newest: []tokens.RemovedToken{{User: longText, Campaign: longText, At: now, Token: notification.ParseToken(longText)}},
		Counts: []operator.RemovedCount{{Tokens: many, Hour: now, Campaign: longText}},
	}
	process := fleet.Process{Role: fleet.Dispatcher, Host: longText, Version: longText, Project: longText, PID: 1 << 22, Load: fleet.Load{Held: many, OnWire: many}, Rate: many, Memory: 1 << 50, BeatAge: time.Hour}
	halted := pacing.State{Now: now, Halts: []pacing.Halt{{By: longText, Reason: longText, Since: now}}, Gate: pacing.Gate{Until: now.Add(time.Hour), Reason: longText}}
	return map[string]func(o output){
		"campaign list":  func(o output) { printList(o, []operator.View{view}) },
		"dead list":      func(o output) { printLetters(o, letters) },
		"tokens removed": func(o output) { printRemoved(o, removed, true) },
		"ps":             func(o output) { printProcesses(o, []fleet.Process{process, process}, now) },
		"quota":          func(o output) { printQuota(o, longText, halted) },
		"check": func(o output) {
			printFindings(o, []checks.Finding{{Grade: checks.Failure, Name: "redis", Detail: longText, Advice: longText}})
		},
		"history": func(o output) {
			printHistory(o, longText, []notification.HistoryEntry{{At: now, What: longText, Who: longText}})
		},
		"project list": func(o output) { printProjects(o, []knownProject{{Project: longText, SeenAt: now}}) },
		"outcomes":     func(o output) { printOutcomes(o, books) },
		"variants": func(o output) {
			sums := operator.OutcomeSums{Recipients: many, Sent: many, Failed: many, Others: many}
			choiceTables(o, operator.Choices{Variants: []operator.VariantCount{{Name: longText, Percent: 100, OutcomeSums: sums}}, Ended: sums})[0].print()
		},
		"languages": func(o output) {
			sums := operator.OutcomeSums{Recipients: many, Sent: many, Failed: many, Others: many}
			choiceTables(o, operator.Choices{Languages: []operator.LanguageCount{{Locale: longText, OutcomeSums: sums}}, Ended: sums})[0].print()
		},
		"outcomes of one": func(o output) {
			printOutcomeRows(o, operator.UserView{User: operator.User{Outcomes: []notification.Result{result}}})
		},
	}
}

func TestTablesFitEightyColumns(t *testing.T) {
	t.Parallel()
	for name, list := range listings() {
		text := printed(func(w io.Writer) { list(output{w: w}) })
		for line := range strings.Lines(text) {
			if width := displayWidth(strings.TrimSuffix(line, "\n")); width > textColumns {
				t.Errorf("%s: a line has %d columns: %s", name, width, line)
			}
		}
		whole := printable(longText)
		wide := printed(func(w io.Writer) { list(output{w: w, wide: true}) })
		if strings.Contains(text, whole) || !strings.Contains(wide, whole) {
			t.Errorf("%s: only the wide form shows a long text whole:\n%s\n%s", name, text, wide)
		}
	}
}

// All columns are in the wide form, in the order of their importance.
func TestWideTablesShowAllColumns(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"campaign list":   "CAMPAIGN STATE LOADED SENT FAILED OTHERS LEFT RATE ETA PRIO CREATED NAME",
		"dead list":       "AT CAMPAIGN USER CODE REASON ID KIND",
		"tokens removed":  "AT USER CAMPAIGN TOKEN",
		"ps":              "PROCESS HOST PID UP HELD WIRE RATE MEMORY BEAT PROJECT VERSION",
		"variants":        "VARIANT WEIGHT RECIPIENTS SENT FAILED OTHERS SENT %",
		"languages":       "LANGUAGE RECIPIENTS SENT FAILED OTHERS SENT %",
		"outcomes of one": "AT CAMPAIGN OUTCOME CODE ATTEMPTS VARIANT LANGUAGE REASON",
	} {
		wide := printed(func(w io.Writer) { listings()[name](output{w: w, wide: true}) })
		header, _, _ := strings.Cut(wide, "\n")
		if got := strings.Join(strings.Fields(header), " "); got != want {
			t.Errorf("%s has the columns %s, want %s", name, got, want)
		}
	}
}

// What is cut out of a text is marked, and what tells texts apart stays.
func TestLongTextsAreShortened(t *testing.T) {
	t.Parallel()
	for got, want := range map[string]string{
		keepStart("a reason of some length", 10): "a reason …",
		keepEnd("dispatcher-5d9f-x2k4q", 10):     "…d9f-x2k4q",
		keepEnds("summer-2030-berlin", 10):       "summe…rlin",
		keepStart("蘇蘇蘇蘇", 6):                     "蘇蘇…",
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestFormsOfOutput(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]cli{"table": {}, "wide": {wide: true}, "json": {asJSON: true}} {
		var c cli
		if err := (format{&c}).Set(text); err != nil || c != want || (format{&c}).String() != text {
			t.Errorf("%s: got %+v, %v", text, c, err)
		}
	}
	if err := (format{&cli{}}).Set("yaml"); err == nil {
		t.Errorf("an unknown form: %v", err)
	}
}
