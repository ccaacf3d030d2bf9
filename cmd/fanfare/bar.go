package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"

	"fanfare/internal/terminal"
)

// fileBar draws on a terminal how far the reading of a file has come, and what was counted in it; elsewhere it is silent.
// Where a pipe ends nobody knows: it only counts. A bar that cannot be drawn is no reason to stop.
type fileBar struct {
	file        io.Reader
	doing, noun string
	bar         *progressbar.ProgressBar
}

// newFileBar makes a bar that reads "loading 2,000 recipients".
func newFileBar(w io.Writer, file io.Reader, doing, noun string) *fileBar {
	size := int64(-1)
	if f, ok := file.(*os.File); ok {
		if info, err := f.Stat(); err == nil && info.Mode().IsRegular() {
			size = info.Size()
		}
	}
	bar := progressbar.NewOptions64(size,
		progressbar.OptionSetWriter(terminal.Raw(w)),
		progressbar.OptionSetDescription(doing),
		progressbar.OptionSetWidth(barWidth),
		progressbar.OptionSetTheme(progressbar.Theme{Saucer: "█", SaucerPadding: "░"}),
		progressbar.OptionThrottle(100*time.Millisecond),
		progressbar.OptionClearOnFinish(),
		progressbar.OptionSetVisibility(terminal.Is(w)),
	)
	return &fileBar{file: file, doing: doing, noun: noun, bar: bar}
}

func (b *fileBar) Read(p []byte) (int, error) {
	n, err := b.file.Read(p)
	_ = b.bar.Add(n)
	return n, err
}

func (b *fileBar) count(n int64) {
	b.bar.Describe(fmt.Sprintf("%s %s", b.doing, plural(n, b.noun)))
}

func (b *fileBar) clear() { _ = b.bar.Finish() }
