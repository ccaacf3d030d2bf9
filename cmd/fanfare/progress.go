package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"fanfare/internal/operator"
	"fanfare/internal/terminal"
)

// progressLine draws progress: in place on a terminal; elsewhere as lines, the first, the last, and one a second at most.
type progressLine struct {
	w       io.Writer
	asJSON  bool
	inPlace bool
	drawn   time.Time
	told    string // why nothing moves, as it stands above the line
}

func newProgressLine(w io.Writer, asJSON bool) *progressLine {
	return &progressLine{w: w, asJSON: asJSON, inPlace: !asJSON && terminal.Is(w)}
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
		columns := terminal.Columns(l.w)
		err = terminal.Redraw(l.w, l.news(p, columns)+describe(p, columns-1)) // in the last column a terminal may wrap
	default:
		_, err = fmt.Fprintln(l.w, strings.Join(append([]string{describe(p, 0)}, standstill(p)...), "  "))
	}
	return err == nil
}

// news tells above the line why nothing moves, whenever that is something else than before.
func (l *progressLine) news(p operator.Progress, columns int) string {
	now := strings.Join(standstill(p), "; ")
	if now == l.told {
		return ""
	}
	l.told = now
	if now == "" {
		return ""
	}
	var text strings.Builder
	for sentence := range strings.SplitSeq(now, "; ") {
		for _, line := range wrap(sentence, columns) {
			text.WriteString(line + "\n")
		}
	}
	return text.String()
}

// tolerance lets a tick pass that comes a little early.
const tolerance = 50 * time.Millisecond

// end leaves the cursor on a line of its own.
func (l *progressLine) end() {
	if l.inPlace && !l.drawn.IsZero() {
		fmt.Fprintln(l.w)
	}
}
