package terminal

import (
	"fmt"
	"io"
	"os"

	"golang.org/x/term"
)

// findFile returns the file below a stream, or nil.
func findFile(w io.Writer) *os.File {
	if o, ok := w.(*Output); ok {
		w = o.raw
	}
	file, _ := w.(*os.File)
	return file
}

// Is reports whether w is a terminal.
func Is(w io.Writer) bool {
	file := findFile(w)
	return file != nil && term.IsTerminal(int(file.Fd()))
}

// Columns returns the width of a terminal, or 0 if w is none and has no limit.
func Columns(w io.Writer) int {
	file := findFile(w)
	if file == nil {
		return 0
	}
	columns, _, err := term.GetSize(int(file.Fd()))
	if err != nil {
		return 0
	}
	return columns
}

// Raw returns the stream below an Output. It is for a library that draws with its own sequences and
// prints no stranger's text. Its write errors are not kept.
func Raw(w io.Writer) io.Writer {
	if o, ok := w.(*Output); ok {
		return o.raw
	}
	return w
}

// Heading prints a line, in bold on a terminal unless NO_COLOR is set.
func Heading(w io.Writer, line string) {
	o, ok := w.(*Output)
	if !ok || !Is(w) || os.Getenv("NO_COLOR") != "" {
		fmt.Fprintln(w, line)
		return
	}
	_ = o.control("\x1b[1m") // the Output keeps the error
	fmt.Fprint(w, line)
	_ = o.control("\x1b[m\n")
}

// Redraw replaces a terminal's current line with text.
func Redraw(w io.Writer, text string) error {
	if o, ok := w.(*Output); ok {
		if err := o.control("\r\x1b[K"); err != nil {
			return err
		}
	}
	_, err := fmt.Fprint(w, text)
	return err
}
