package main

import (
	"strings"
	"testing"
	"time"

	"fanfare/internal/campaign"
	"fanfare/internal/operator"
	"fanfare/internal/pacing"
)

func TestTablesLineUp(t *testing.T) {
	table := newTable("NAME", ">COUNT", "NOTE")
	table.add("ünïcode", "1,000", "")
	table.add("a", "7", "with a note")
	table.rows = append(table.rows, rule)
	table.add("total", "1,007")
	var got strings.Builder
	table.print(&got)
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

// What strangers wrote cannot move the cursor, recolour the screen, or begin a line of its own.
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

func TestProgressInOneLine(t *testing.T) {
	for name, c := range map[string]struct {
		progress operator.Progress
		want     string
	}{
		"in the middle": {
			operator.Progress{
				State: campaign.Running, Rate: 1234.5, Left: 90 * time.Second,
				Books: campaign.Books{Loaded: 2000, Sent: 900, Failed: 90, Skipped: 10, Retrying: 3, InFlight: 50, Waiting: 947},
			},
			"running   ██████████░░░░░░░░░░  50%  1,000 of 2,000  90 failed  10 skipped  3 retrying  50 in flight  1,234/s  1m30s to go",
		},
		"not quite done": {
			operator.Progress{State: campaign.Running, Books: campaign.Books{Loaded: 1000, Sent: 999, InFlight: 1}},
			"running   ███████████████████░  99%  999 of 1,000  1 in flight",
		},
		"waiting for a message": {operator.Progress{Books: campaign.Books{Loaded: 1, Waiting: 1}}, "waiting   ░░░░░░░░░░░░░░░░░░░░   0%  0 of 1"},
		"of nobody":             {operator.Progress{State: campaign.Draft}, "draft     ░░░░░░░░░░░░░░░░░░░░   0%  0 of 0"},
	} {
		if got := describe(c.progress, 0); got != c.want {
			t.Errorf("%s: got\n%s\nwant\n%s", name, got, c.want)
		}
	}
}

// A line that wraps would leave its pieces behind when it is drawn again: what matters least gives way.
func TestProgressFitsTheTerminal(t *testing.T) {
	p := operator.Progress{
		State: campaign.Running, Rate: 3395, Left: time.Second,
		Books: campaign.Books{Loaded: 9996, Sent: 6542, Failed: 190, Skipped: 73, InFlight: 625, Waiting: 2566},
	}
	for columns, want := range map[int]string{
		119: "running   █████████████░░░░░░░  68%  6,805 of 9,996  190 failed  73 skipped  625 in flight  3,395/s  1s to go",
		79:  "running   ██████░░░░  68%  6,805 of 9,996  190 failed  3,395/s  1s to go",
		59:  "running   ███░░  68%  6,805 of 9,996  190 failed  1s to go",
		39:  "running   ███░░  68%  6,805 of 9,996",
		12:  "running   ██",
	} {
		if got := describe(p, columns); got != want {
			t.Errorf("%d columns: got\n%s\nwant\n%s", columns, got, want)
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

// Where nobody looks, progress is the first line, one a second, and the last.
func TestProgressIsScarceInLogs(t *testing.T) {
	var got strings.Builder
	line := newProgressLine(&got, false)
	running := operator.Progress{State: campaign.Running, Books: campaign.Books{Loaded: 10}}
	for range 100 {
		line.draw(running)
	}
	line.drawn = line.drawn.Add(-time.Second)
	line.draw(running)
	ended := running
	ended.State = campaign.Completed
	line.draw(ended)
	line.end()
	if n := strings.Count(got.String(), "\n"); n != 3 || !strings.HasSuffix(got.String(), "of 10\n") {
		t.Errorf("got %d lines:\n%s", n, got.String())
	}
}

// A pace of zero has its reason beside it.
func TestQuotaTellsUntilWhenMinutesAreAvoided(t *testing.T) {
	state := pacing.State{
		Now:      time.Date(2030, 1, 1, 12, 13, 0, 0, time.Local),
		Settings: pacing.Settings{Quota: 600, AvoidQuarterHours: true},
	}
	var got strings.Builder
	printQuota(&got, "demo", state)
	if want := "  quarter hours avoided by two minutes; nothing goes until 2030-01-01 12:17:00\n"; !strings.Contains(got.String(), want) {
		t.Errorf("got %swant %s", got.String(), want)
	}
	if v := quotaOf("demo", state); !v.AvoidedUntil.Equal(state.Now.Add(4 * time.Minute)) {
		t.Errorf("until %s", v.AvoidedUntil)
	}
	state.Now = state.Now.Add(-time.Minute)
	if v := quotaOf("demo", state); !v.AvoidedUntil.IsZero() {
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
