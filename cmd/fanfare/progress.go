package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"fanfare/internal/daemon"
	"fanfare/internal/operator"
)

// progressLine draws progress: in place on a terminal; elsewhere as lines, the first, the last, and one a second at most.
type progressLine struct {
	w       io.Writer
	asJSON  bool
	inPlace bool
	drawn   time.Time
}

func newProgressLine(w io.Writer, asJSON bool) *progressLine {
	return &progressLine{w: w, asJSON: asJSON, inPlace: !asJSON && daemon.IsTerminal(w)}
}

// draw returns false when nobody reads any more.
func (l *progressLine) draw(p operator.Progress) bool {
	if !l.inPlace && time.Since(l.drawn) < time.Second-tolerance && !p.State.Ended() {
		return true
	}
	l.drawn = time.Now()
	var err error
	switch {
	case l.asJSON:
		err = json.NewEncoder(l.w).Encode(p)
	case l.inPlace:
		_, err = fmt.Fprintf(l.w, "\r\x1b[K%s", describe(p))
	default:
		_, err = fmt.Fprintln(l.w, describe(p))
	}
	return err == nil
}

// tolerance lets a tick pass that comes a little early.
const tolerance = 50 * time.Millisecond

// end leaves the cursor on a line of its own.
func (l *progressLine) end() {
	if l.inPlace && !l.drawn.IsZero() {
		fmt.Fprintln(l.w)
	}
}

const barWidth = 20

// describe is a campaign's progress in one line.
func describe(p operator.Progress) string {
	b := p.Books
	done := 0.0
	if b.Loaded > 0 {
		done = float64(b.Ended()) / float64(b.Loaded)
	}
	filled := int(done * barWidth)
	parts := []string{
		fmt.Sprintf("%-9s %s%s %3d%%", cmp.Or(string(p.State), "waiting"), strings.Repeat("█", filled), strings.Repeat("░", barWidth-filled), int(done*100)),
		fmt.Sprintf("%s of %s", operator.Thousands(b.Ended()), operator.Thousands(b.Loaded)),
	}
	for _, part := range []struct {
		name string
		n    int64
	}{
		{"failed", b.Failed}, {"skipped", b.Skipped}, {"unknown", b.Unknown}, {"expired", b.Expired},
		{"sent again", b.Resent}, {"retrying", b.Retrying}, {"in flight", b.InFlight}, {"missing", b.Missing},
	} {
		if part.n > 0 {
			parts = append(parts, operator.Thousands(part.n)+" "+part.name)
		}
	}
	if p.Rate >= 1 {
		parts = append(parts, operator.Thousands(int64(p.Rate))+"/s")
	}
	if p.Left > 0 {
		parts = append(parts, p.Left.String()+" to go")
	}
	if held := heldText(p.Held); held != "" {
		parts = append(parts, "held: "+held)
	}
	return strings.Join(parts, "  ")
}
