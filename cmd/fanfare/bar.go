package main

import (
	"io"
	"time"

	"github.com/schollz/progressbar/v3"
)

// countBar counts on a terminal, without a total, for a file may come from a pipe. Elsewhere it is silent.
type countBar struct{ bar *progressbar.ProgressBar }

func newCountBar(w io.Writer, verb, noun string) countBar {
	return countBar{progressbar.NewOptions64(-1,
		progressbar.OptionSetWriter(w),
		progressbar.OptionSetDescription(verb),
		progressbar.OptionShowCount(), progressbar.OptionShowIts(), progressbar.OptionSetItsString(noun),
		progressbar.OptionThrottle(100*time.Millisecond),
		progressbar.OptionClearOnFinish(),
		progressbar.OptionSetVisibility(isTerminal(w)),
	)}
}

// A bar that cannot be drawn is no reason to stop.

func (b countBar) set(n int64) { _ = b.bar.Set64(n) }

func (b countBar) clear() { _ = b.bar.Finish() }
