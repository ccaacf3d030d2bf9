package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"fanfare/cmd/internal/sending"
	"fanfare/internal/campaign"
	"fanfare/internal/operator"
	"fanfare/internal/terminal"
)

func (c *cli) watch() *cobra.Command {
	every := time.Second
	command := &cobra.Command{
		Use:   "watch [CAMPAIGN]",
		Short: "Follow a campaign live: progress, rate, time to go; without one, all campaigns on a whole screen",
		Long: `Follow a campaign live: progress, rate, time to go. It ends when the campaign does, or with Ctrl-C.

On a terminal one line is redrawn; elsewhere there is a line each time (a JSON object with --json).

Without a campaign it shows all of them on the whole terminal, what needs a person first, with the pace, the processes, and why
the selected campaign does not move. Keys pause, resume and change priorities, after a question; ? lists them, q quits.`,
		Example:           "  fanfare watch\n  fanfare watch 42",
		Args:              wantCampaignOrTerminal(c),
		ValidArgsFunction: c.completeCampaign,
		RunE: func(command *cobra.Command, args []string) error {
			if err := checkRange(command, "every", every, time.Millisecond, maxEvery); err != nil {
				return err
			}
			return c.with(command, func(ctx context.Context, rooms *sending.Rooms, op *operator.Operator) error {
				if len(args) == 0 {
					return watchAll(ctx, command, rooms, op, every)
				}
				line := newProgressLine(command.OutOrStdout(), c.asJSON)
				defer line.end()
				err := op.Watch(ctx, args[0], every, findPaces(ctx, rooms), line.draw)
				if errors.Is(err, context.Canceled) {
					return nil // Ctrl-C ends the watch
				}
				return explainCampaign(args[0], err)
			})
		},
	}
	command.Flags().DurationVar(&every, "every", every, "how often to look")
	return command
}

// progressLine draws progress. On a terminal it redraws one line. Elsewhere it prints the first
// line, the last one, and at most one a second between.
type progressLine struct {
	w          io.Writer
	asJSON     bool
	inPlace    bool
	drawn      time.Time
	lastReason string // why nothing moves, as printed above the line
}

func newProgressLine(w io.Writer, asJSON bool) *progressLine {
	return &progressLine{w: w, asJSON: asJSON, inPlace: !asJSON && terminal.Is(w)}
}

// draw returns false when the output is closed.
func (l *progressLine) draw(p operator.Progress) bool {
	if !l.inPlace && time.Since(l.drawn) < time.Second-tolerance && !p.State.HasEnded() {
		return true
	}
	l.drawn = time.Now()
	var err error
	switch {
	case l.asJSON:
		err = json.NewEncoder(l.w).Encode(p)
	case l.inPlace:
		columns := terminal.Columns(l.w)
		err = errors.Join(terminal.Redraw(l.w, l.explainChange(p, columns)), l.paintProgress(p, columns-1)) // in the last column a terminal may wrap
	default:
		_, err = fmt.Fprintln(l.w, strings.Join(append([]string{describeProgress(p, 0)}, sentences(p, time.Now())...), "  "))
	}
	return err == nil
}

// paintProgress prints one line of progress, with the state in its colour.
func (l *progressLine) paintProgress(p operator.Progress, columns int) error {
	line := describeProgress(p, columns)
	state, _, _ := strings.Cut(line, " ")
	terminal.Paint(l.w, stateColor(watchedState(p)), state)
	_, err := fmt.Fprint(l.w, strings.TrimPrefix(line, state))
	return err
}

// watchedState is the state whose colour a line of progress has.
func watchedState(p operator.Progress) string {
	if p.State == campaign.Running && isHeld(p.Reasons) {
		return string(p.State) + heldMark
	}
	return string(p.State)
}

// sentences say why nothing moves, or how the campaign ended. A zero now leaves out how long ago.
func sentences(p operator.Progress, now time.Time) []string {
	lines := reasonLines(p.Reasons, now)
	if end := p.DescribeEnd(now); end != "" {
		lines = append(lines, printable(end))
	}
	return lines
}

// explainChange says above the line why nothing moves, if the reason has changed.
func (l *progressLine) explainChange(p operator.Progress, columns int) string {
	now := strings.Join(sentences(p, time.Time{}), "\n")
	if now == l.lastReason {
		return ""
	}
	l.lastReason = now
	if now == "" {
		return ""
	}
	var text strings.Builder
	for _, sentence := range sentences(p, time.Now()) {
		for _, line := range wrap(sentence, columns) {
			text.WriteString(line + "\n")
		}
	}
	return text.String()
}

// tolerance allows for a tick that comes a little early.
const tolerance = 50 * time.Millisecond

// end moves the cursor to a new line.
func (l *progressLine) end() {
	if l.inPlace && !l.drawn.IsZero() {
		fmt.Fprintln(l.w)
	}
}

const barWidth = 20

// part is a piece of a line of progress. If not all pieces fit, those of the highest rank are left
// out first.
type part struct {
	text string
	rank int
}

// describeProgress formats a campaign's progress in one line of at most this many columns. Below 1
// there is no limit.
func describeProgress(p operator.Progress, columns int) string {
	parts := partsOf(p, barWidthFor(columns))
	for {
		line := joinParts(parts)
		if columns < 1 || utf8.RuneCountInString(line) <= columns {
			return line
		}
		least := 0
		for i, part := range parts {
			if part.rank > parts[least].rank {
				least = i
			}
		}
		if least == 0 {
			return string([]rune(line)[:columns])
		}
		parts = slices.Delete(parts, least, least+1)
	}
}

func joinParts(parts []part) string {
	texts := make([]string, len(parts))
	for i, part := range parts {
		texts[i] = part.text
	}
	return strings.Join(texts, "  ")
}

// barWidthFor depends on the terminal's width alone, so that the bar does not change its width
// while figures appear.
func barWidthFor(columns int) int {
	switch {
	case columns < 1 || columns >= 100:
		return barWidth
	case columns >= 70:
		return barWidth / 2
	}
	return barWidth / 4
}

// partsOf returns all pieces in their order. The first one, the state with its bar, always stays.
func partsOf(p operator.Progress, bar int) []part {
	b := p.Books
	done := 0.0
	if b.Loaded > 0 {
		done = float64(b.CountEnded()) / float64(b.Loaded)
	}
	filled := int(done * float64(bar))
	parts := []part{
		{fmt.Sprintf("%-9s %s%s %3d%%", cmp.Or(string(p.State), "waiting"), strings.Repeat("█", filled), strings.Repeat("░", bar-filled), int(done*100)), 0},
		{fmt.Sprintf("%s of %s", operator.Thousands(b.CountEnded()), operator.Thousands(b.Loaded)), 1},
	}
	for _, count := range []struct {
		name string
		n    int64
		rank int
	}{
		{"failed", b.Failed, 3}, {"skipped", b.Skipped, 6}, {"unknown", b.Unknown, 5}, {"expired", b.Expired, 5},
		{"sent again", b.Resent, 8}, {"retrying", b.Retrying, 7}, {"in flight", b.InFlight, 9}, {"missing", b.Missing, 3},
	} {
		if count.n > 0 {
			parts = append(parts, part{operator.Thousands(count.n) + " " + count.name, count.rank})
		}
	}
	if n := p.Written.Unwritten(); n > 0 {
		parts = append(parts, part{operator.Thousands(n) + " not in SQL", 4})
	}
	if p.Rate >= 1 {
		parts = append(parts, part{operator.Thousands(int64(p.Rate)) + "/s", 4})
	}
	switch {
	case p.Longest > 0:
		parts = append(parts, part{estimated + band(p.Shortest, p.Longest) + " to go", 2})
	case p.Left > 0:
		parts = append(parts, part{operator.Span(p.Left) + " to go", 2})
	}
	return parts
}
