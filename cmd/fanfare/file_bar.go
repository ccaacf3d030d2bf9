package main

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"

	"fanfare/internal/terminal"
)

// fileBar draws on a terminal how much of some files was read and how many items were counted. The
// size of a pipe is unknown, so it only counts. It ignores errors of the bar.
type fileBar struct {
	w           io.Writer
	doing, noun string
	bar         *progressbar.ProgressBar
}

// newFileBar makes a bar that shows "loading 2,000 recipients". size is in bytes; -1: unknown.
func newFileBar(w io.Writer, size int64, doing, noun string) *fileBar {
	bar := progressbar.NewOptions64(size,
		progressbar.OptionSetWriter(terminal.Raw(w)),
		progressbar.OptionSetDescription(doing),
		progressbar.OptionSetWidth(barWidth),
		progressbar.OptionSetTheme(progressbar.Theme{Saucer: "█", SaucerPadding: "░"}),
		progressbar.OptionThrottle(100*time.Millisecond),
		progressbar.OptionClearOnFinish(),
		progressbar.OptionSetVisibility(terminal.Is(w)),
	)
	return &fileBar{w: w, doing: doing, noun: noun, bar: bar}
}

// sizeOf returns the size of a regular file; -1 if it is none.
func sizeOf(file io.Reader) int64 {
	if f, ok := file.(*os.File); ok {
		if info, err := f.Stat(); err == nil && info.Mode().IsRegular() {
			return info.Size()
		}
	}
	return -1
}

// observe returns a file whose reads move the bar. A regular file stays one, because Parquet needs
// it.
func (b *fileBar) observe(file io.ReadCloser) io.ReadCloser {
	observed := &observedFile{ReadCloser: file, bar: b}
	if random, ok := file.(*os.File); ok {
		return &observedRandomFile{observedFile: observed, file: random}
	}
	return observed
}

func (b *fileBar) count(n int64) {
	b.bar.Describe(fmt.Sprintf("%s %s", b.doing, plural(n, b.noun)))
}

// say prints a line above the bar.
func (b *fileBar) say(text string) {
	_ = b.bar.Clear()
	fmt.Fprintln(b.w, text)
}

func (b *fileBar) clear() { _ = b.bar.Finish() }

type observedFile struct {
	io.ReadCloser

	bar *fileBar
}

func (f *observedFile) Read(p []byte) (int, error) {
	n, err := f.ReadCloser.Read(p)
	_ = f.bar.bar.Add(n)
	return n, err
}

type observedRandomFile struct {
	*observedFile

	file *os.File
}

func (f *observedRandomFile) ReadAt(p []byte, off int64) (int, error) {
	n, err := f.file.ReadAt(p, off)
	_ = f.bar.bar.Add(n)
	return n, err
}

func (f *observedRandomFile) Stat() (fs.FileInfo, error) { return f.file.Stat() }
