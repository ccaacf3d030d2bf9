package terminal

import (
	"fmt"
	"io"
	"os"

	"golang.org/x/term"
)

// fileOf is the file below a stream; nil where there is none.
func fileOf(w io.Writer) *os.File {
	if o, ok := w.(*Output); ok {
		w = o.raw
	}
	file, _ := w.(*os.File)
	return file
}

// Is reports whether a person is looking.
func Is(w io.Writer) bool {
	file := fileOf(w)
	return file != nil && term.IsTerminal(int(file.Fd()))
}

// Columns is how wide a terminal is; 0 where w is none, and nothing has to fit.
func Columns(w io.Writer) int {
	file := fileOf(w)
	if file == nil {
		return 0
	}
	columns, _, err := term.GetSize(int(file.Fd()))
	if err != nil {
		return 0
	}
	return columns
}

// Raw is the stream below an Output, for a library that draws with sequences of its own and prints nothing of strangers. What it
// cannot draw is not remembered.
func Raw(w io.Writer) io.Writer {
	if o, ok := w.(*Output); ok {
		return o.raw
	}
	return w
}

// Heading prints a line; on terminals in bold, unless NO_COLOR is set.
func Heading(w io.Writer, line string) {
	o, ok := w.(*Output)
	if !ok || !Is(w) || os.Getenv("NO_COLOR") != "" {
		fmt.Fprintln(w, line)
		return
	}
	_ = o.control("\x1b[1m") // the Output remembers
	fmt.Fprint(w, line)
	_ = o.control("\x1b[m\n")
}

// Redraw prints text in the place of a terminal's present line.
func Redraw(w io.Writer, text string) error {
	if o, ok := w.(*Output); ok {
		if err := o.control("\r\x1b[K"); err != nil {
			return err
		}
	}
	_, err := fmt.Fprint(w, text)
	return err
}
