// Package terminal prints text for people. Much of it comes from strangers: ids, file names, server
// messages. The package escapes what could move a cursor, recolor a screen or reorder a line.
package terminal

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// Output is a stream for people, and for programs that read JSON. It escapes unprintable
// characters. It keeps the first error, so one place decides what a lost output means. It is safe
// for concurrent use.
type Output struct {
	raw io.Writer

	mu   sync.Mutex
	rest []byte // the first bytes of a character whose end is not written yet
	err  error
}

// New returns an Output, or raw itself if it is one.
func New(raw io.Writer) *Output {
	if o, ok := raw.(*Output); ok {
		return o
	}
	return &Output{raw: raw}
}

// Stdout returns the standard output. If it was closed at the start, every write fails.
func Stdout() *Output {
	if isClosedAtStart() {
		return New(closed{})
	}
	return New(os.Stdout)
}

// Stderr returns the standard error.
func Stderr() *Output { return New(os.Stderr) }

// closed is a stream that was closed before the program started.
type closed struct{}

func (closed) Write([]byte) (int, error) {
	return 0, &os.PathError{Op: "write", Path: os.Stdout.Name(), Err: os.ErrClosed}
}

// WriteError is the reason for an incomplete output.
type WriteError struct{ Err error }

func (e *WriteError) Error() string { return "print output: " + e.Err.Error() }

func (e *WriteError) Unwrap() error { return e.Err }

// IsBrokenPipe reports whether the reader closed its end, as head does. It needs no error message.
func (e *WriteError) IsBrokenPipe() bool { return errors.Is(e.Err, syscall.EPIPE) }

// Write prints text. It escapes everything unprintable except line feeds and tabs.
func (o *Output) Write(text []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	whole := text
	if len(o.rest) > 0 {
		whole = append(o.rest, text...)
		o.rest = nil
	}
	if cut := findIncomplete(whole); cut < len(whole) {
		o.rest = append([]byte(nil), whole[cut:]...)
		whole = whole[:cut]
	}
	if err := o.write(escape(whole)); err != nil {
		return 0, err
	}
	return len(text), nil
}

// control prints an escape sequence of this package.
func (o *Output) control(sequence string) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.write([]byte(sequence))
}

func (o *Output) write(text []byte) error {
	if _, err := o.raw.Write(text); err != nil {
		err = &WriteError{err}
		if o.err == nil {
			o.err = err
		}
		return err
	}
	return nil
}

// Err returns the first error of a write, or nil.
func (o *Output) Err() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.rest) > 0 {
		_ = o.write(escape(o.rest))
		o.rest = nil
	}
	return o.err
}

// findIncomplete returns the start of a character whose end is missing, or the length of the text.
func findIncomplete(text []byte) int {
	for back := 1; back < utf8.UTFMax && back <= len(text); back++ {
		start := len(text) - back
		if utf8.RuneStart(text[start]) {
			if !utf8.FullRune(text[start:]) {
				return start
			}
			break
		}
	}
	return len(text)
}

// Printable quotes a stranger's text if it could manipulate a terminal or start a line.
func Printable(text string) string {
	if IsPrintable(text) {
		return text
	}
	return strconv.Quote(text)
}

// IsPrintable reports whether a text is one line of visible characters.
func IsPrintable(text string) bool {
	return utf8.ValidString(text) && strings.IndexFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }) < 0
}

// escape escapes unprintable characters other than line feeds and tabs. In JSON such characters
// stand in strings only, where the escapes mean the same.
func escape(text []byte) []byte {
	plain := 0
	for plain < len(text) && (text[plain] >= ' ' && text[plain] < 0x7f || text[plain] == '\n' || text[plain] == '\t') {
		plain++
	}
	if plain == len(text) {
		return text
	}
	out := append(make([]byte, 0, len(text)+16), text[:plain]...)
	for rest := text[plain:]; len(rest) > 0; {
		r, size := utf8.DecodeRune(rest)
		switch {
		case r == utf8.RuneError && size == 1:
			out = fmt.Appendf(out, `\x%02x`, rest[0])
		case r == '\n' || r == '\t' || unicode.IsPrint(r):
			out = append(out, rest[:size]...)
		case r < ' ':
			out = fmt.Appendf(out, `\x%02x`, r)
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			out = fmt.Appendf(out, `\u%04x\u%04x`, high, low)
		default:
			out = fmt.Appendf(out, `\u%04x`, r)
		}
		rest = rest[size:]
	}
	return out
}
