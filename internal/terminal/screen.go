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

// IsInput reports whether r is a terminal.
func IsInput(r io.Reader) bool {
	file, ok := r.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}

// HasColors reports whether w is a terminal that may show colors and bold text: see
// https://no-color.org.
func HasColors(w io.Writer) bool {
	return Is(w) && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
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

// Color is how a text is shown on a terminal: the parameters of an SGR sequence (ECMA-48).
type Color string

// The colours of a terminal's own palette, and bold text. Plain is none.
const (
	Plain   Color = ""
	Bold    Color = "1"
	Red     Color = "31"
	Green   Color = "32"
	Yellow  Color = "33"
	Blue    Color = "34"
	Magenta Color = "35"
	DimRed  Color = "2;31"
	Grey    Color = "90"
)

// Paint prints a text in a colour where HasColors.
func Paint(w io.Writer, color Color, text string) {
	o, ok := w.(*Output)
	if !ok || color == Plain || !HasColors(w) {
		fmt.Fprint(w, text)
		return
	}
	_ = o.control("\x1b[" + string(color) + "m") // the Output keeps the error
	fmt.Fprint(w, text)
	_ = o.control("\x1b[m")
}

// Heading prints a line, in bold where HasColors.
func Heading(w io.Writer, line string) {
	Paint(w, Bold, line)
	fmt.Fprintln(w)
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
