package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"fanfare/cmd/internal/wire"
	"fanfare/internal/operator"
)

func (c *cli) watch() *cobra.Command {
	every := time.Second
	command := &cobra.Command{
		Use:   "watch CAMPAIGN",
		Short: "Follow a campaign live: progress, rate, time to go; ends when the campaign does",
		Args:  cobra.ExactArgs(1),
		RunE: func(command *cobra.Command, args []string) error {
			return c.with(command, func(ctx context.Context, _ *wire.Rooms, op *operator.Operator) error {
				line := newProgressLine(command.OutOrStdout(), c.asJSON)
				defer line.end()
				return noCampaign(op.Watch(ctx, args[0], every, line.draw))
			})
		},
	}
	command.Flags().DurationVar(&every, "every", every, "how often to look")
	return command
}

// progressLine draws progress: in place on a terminal, a line each time elsewhere.
type progressLine struct {
	w      io.Writer
	asJSON bool
	inLine bool
	drawn  bool
}

func newProgressLine(w io.Writer, asJSON bool) *progressLine {
	file, ok := w.(*os.File)
	return &progressLine{w: w, asJSON: asJSON, inLine: !asJSON && ok && term.IsTerminal(int(file.Fd()))}
}

func (l *progressLine) draw(p operator.Progress) bool {
	switch {
	case l.asJSON:
		return json.NewEncoder(l.w).Encode(p) == nil // whoever read has left
	case l.inLine:
		fmt.Fprintf(l.w, "\r\x1b[K%s", describe(p))
		l.drawn = true
	default:
		fmt.Fprintln(l.w, describe(p))
	}
	return true
}

// end leaves the cursor on a line of its own.
func (l *progressLine) end() {
	if l.drawn {
		fmt.Fprintln(l.w)
	}
}

const barWidth = 24

// describe is a campaign's progress in one line.
func describe(p operator.Progress) string {
	b := p.Books
	done := 0.0
	if b.Loaded > 0 {
		done = float64(b.Ended()) / float64(b.Loaded)
	}
	filled := int(done * barWidth)
	text := fmt.Sprintf("%-9s %s%s %3.0f%%  %s of %s", p.State, strings.Repeat("█", filled), strings.Repeat("░", barWidth-filled),
		done*100, thousands(b.Ended()), thousands(b.Loaded))
	for _, part := range []struct {
		name string
		n    int64
	}{{"failed", b.Failed}, {"skipped", b.Skipped}, {"unknown", b.Unknown}, {"expired", b.Expired}, {"retrying", b.Retrying}, {"in flight", b.InFlight}} {
		if part.n > 0 {
			text += fmt.Sprintf("  %s %s", part.name, thousands(part.n))
		}
	}
	if p.Rate >= 1 {
		text += fmt.Sprintf("  %s/s", thousands(int64(p.Rate)))
	}
	if p.Left > 0 {
		text += fmt.Sprintf("  %s to go", p.Left)
	}
	return text
}
