package main

import (
	"strings"
	"testing"
	"time"

	"fanfare/internal/campaign"
	"fanfare/internal/operator"
)

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
		if got := describeProgress(c.progress, 0); got != c.want {
			t.Errorf("%s: got\n%s\nwant\n%s", name, got, c.want)
		}
	}
}

// A line that wraps would leave pieces behind when it is redrawn, so the least important pieces are
// left out.
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
		if got := describeProgress(p, columns); got != want {
			t.Errorf("%d columns: got\n%s\nwant\n%s", columns, got, want)
		}
	}
}

// Without a terminal, progress is the first line, one a second, and the last.
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

// The reason above the line is printed again when it changes, and not as a pause grows older.
func TestWatchRepeatsNoPause(t *testing.T) {
	line := newProgressLine(new(strings.Builder), false)
	p := operator.Progress{Reasons: []operator.Reason{{Kind: operator.ReasonPaused, Headline: "Paused by ann", Since: time.Now()}}}
	if got := line.explainChange(p, 80); got != "Paused by ann just now\n" {
		t.Errorf("says %q", got)
	}
	p.Reasons[0].Since = time.Now().Add(-time.Hour)
	if got := line.explainChange(p, 80); got != "" {
		t.Errorf("says it again: %q", got)
	}
	p.Reasons[0].Headline = "Paused by bob"
	if got := line.explainChange(p, 80); got != "Paused by bob 1 h ago\n" {
		t.Errorf("says %q of another pause", got)
	}
}

func TestBarsFollowTheTerminal(t *testing.T) {
	for columns, want := range map[int]int{0: 20, 100: 20, 99: 10, 70: 10, 69: 5} {
		if got := barWidthFor(columns); got != want {
			t.Errorf("%d columns: %d, want %d", columns, got, want)
		}
	}
}
