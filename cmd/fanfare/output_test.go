package main

import (
	"os/exec"
	"strings"
	"testing"
	"time"

	"fanfare/internal/campaign"
	"fanfare/internal/operator"
	"fanfare/internal/pacing"
)

func TestTablesLineUp(t *testing.T) {
	var got strings.Builder
	table := output{w: &got}.newTable(textColumn("NAME"), numberColumn("COUNT"), textColumn("NOTE"))
	table.add("ünïcode", "1,000", "")
	table.add("a", "7", "with a note")
	table.rows = append(table.rows, rule)
	table.add("total", "1,007")
	table.print()
	const want = `NAME     COUNT  NOTE
ünïcode  1,000
a            7  with a note
───────────────────────────
total    1,007
`
	if got.String() != want {
		t.Errorf("got\n%s\nwant\n%s", got.String(), want)
	}
}

// A text from outside cannot move the cursor, recolour the screen, or begin a line of its own.
func TestStrangersPlayNoTricks(t *testing.T) {
	for text, want := range map[string]string{
		"Malmö, 100%": "Malmö, 100%",
		"a\x1b[31mb":  `"a\x1b[31mb"`,
		"a\nb":        `"a\nb"`,
		"a\u202eb":    `"a\u202eb"`,
		"a\xffb":      `"a\xffb"`,
	} {
		if got := printable(text); got != want {
			t.Errorf("%q: got %s, want %s", text, got, want)
		}
	}
}

func TestTextBreaksBetweenWords(t *testing.T) {
	for columns, want := range map[int]string{
		0: "the tokens belong to nobody", 27: "the tokens belong to nobody", 26: "the tokens belong to|nobody", 10: "the tokens|belong to|nobody", 3: "the|tokens|belong|to|nobody",
	} {
		if got := strings.Join(wrap("the tokens belong to nobody", columns), "|"); got != want {
			t.Errorf("%d columns: got %s, want %s", columns, got, want)
		}
	}
}

// A pace of zero has its reason beside it.
func TestQuotaTellsUntilWhenMinutesAreAvoided(t *testing.T) {
	state := pacing.State{
		Now:      time.Date(2030, 1, 1, 12, 13, 0, 0, time.Local),
		Settings: pacing.Settings{Quota: 600, AvoidQuarterHours: true},
	}
	var got strings.Builder
	printQuota(output{w: &got, wide: true}, "demo", state)
	if want := "  quarter hours avoided by two minutes; nothing is sent until " + localTime(state.Now.Add(4*time.Minute)) + "\n"; !strings.Contains(got.String(), want) {
		t.Errorf("got %swant %s", got.String(), want)
	}
	if v := operator.NewQuotaView("demo", state); !v.AvoidedUntil.Equal(state.Now.Add(4 * time.Minute)) {
		t.Errorf("until %s", v.AvoidedUntil)
	}
	state.Now = state.Now.Add(-time.Minute)
	if v := operator.NewQuotaView("demo", state); !v.AvoidedUntil.IsZero() {
		t.Errorf("outside of them until %s", v.AvoidedUntil)
	}
}

func TestBooksThatDoNotBalance(t *testing.T) {
	var got strings.Builder
	printBooks(&got, campaign.Books{Loaded: 1010, Sent: 5, Waiting: 3, InFlight: 1, Retrying: 1, Missing: 1000})
	const want = "books: 1,010 loaded = 5 sent + 3 waiting + 1 in flight + 1 retrying: NOT BALANCED: 1,000 recipients went missing in Redis\n"
	if got.String() != want {
		t.Errorf("got %swant %s", got.String(), want)
	}
	got.Reset()
	printBooks(&got, campaign.Books{Loaded: 2200, Sent: 2000, Waiting: 200, Recount: true})
	const recount = "books: 2,200 loaded = 2,000 sent + 200 waiting: NOT BALANCED: the campaign's counts were deleted or changed in Redis\n"
	if got.String() != recount {
		t.Errorf("got %swant %s", got.String(), recount)
	}
}

// A real shell reads the words that hints print.
func TestWordIsReadByAShell(t *testing.T) {
	for _, id := range []string{"42", "a b", "it's", "$HOME", "a\tb", "a\x01'b", `back\slash`, `"quoted"`, "\"\x02\"", "ngày", "{x}", "*", "-"} {
		out, err := exec.CommandContext(t.Context(), "bash", "-c", "printf %s "+shellWord(id)).Output()
		if err != nil || string(out) != id {
			t.Errorf("%q is written %s, and read as %q (%v)", id, shellWord(id), out, err)
		}
	}
	if got := shellWord("summer-2030:a"); got != "summer-2030:a" {
		t.Errorf("a plain id is written %s", got)
	}
}
