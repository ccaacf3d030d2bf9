// Package terminal prints text for people. Much of that was written by strangers: ids, file names, messages of servers. What
// could move a cursor, recolor a screen or reorder a line never reaches a terminal as it is.
package terminal

import (
	"errors"
	"io"
	"os"
	"sync"
	"syscall"
	"unicode/utf8"
)

// Output is a stream for people, and for programs that read JSON. It makes visible what is not printable, and remembers the first
// error, so that one place decides what an output that was lost means. It is safe for concurrent use.
type Output struct {
	raw io.Writer

	mu   sync.Mutex
	rest []byte // the beginning of a character whose end was not written yet
	err  error
}

// New makes an Output; what is one already stays the same.
func New(raw io.Writer) *Output {
	if o, ok := raw.(*Output); ok {
		return o
	}
	return &Output{raw: raw}
}

// Stdout is the process's standard output. Where that was closed at its start, every write fails.
func Stdout() *Output {
	if isClosedAtStart() {
		return New(closed{})
	}
	return New(os.Stdout)
}

// Stderr is the process's standard error.
func Stderr() *Output { return New(os.Stderr) }

// closed is a stream that was closed before the program began.
type closed struct{}

func (closed) Write([]byte) (int, error) {
	return 0, &os.PathError{Op: "write", Path: os.Stdout.Name(), Err: os.ErrClosed}
}

// WriteError is why an output is not complete.
type WriteError struct{ Err error }

func (e *WriteError) Error() string { return "print output: " + e.Err.Error() }

func (e *WriteError) Unwrap() error { return e.Err }

// IsBrokenPipe reports whether the reader has seen enough, as head does: no one wants to hear of that.
func (e *WriteError) IsBrokenPipe() bool { return errors.Is(e.Err, syscall.EPIPE) }

// Write prints text. Line feeds and tabs are printed as they are; of all else that is not printable, the escape is.
func (o *Output) Write(text []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	whole := text
	if len(o.rest) > 0 {
		whole = append(o.rest, text...)
		o.rest = nil
	}
	if cut := incomplete(whole); cut < len(whole) {
		o.rest = append([]byte(nil), whole[cut:]...)
		whole = whole[:cut]
	}
	if err := o.write(visible(whole)); err != nil {
		return 0, err
	}
	return len(text), nil
}

// control prints a sequence of our own.
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

// Err is the first error of a write; nil while all was printed.
func (o *Output) Err() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.rest) > 0 {
		_ = o.write(visible(o.rest))
		o.rest = nil
	}
	return o.err
}

// incomplete is where a character begins whose end is missing; the length where none does.
func incomplete(text []byte) int {
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
