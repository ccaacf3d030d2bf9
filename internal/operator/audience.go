package operator

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
)

// Format is how an audience file is written.
type Format string

const (
	// CSV has a header line that names its columns: userId, and optionally fcmToken (or token), locale, timeZone and platform, in any
	// case and with or without underscores. Every other column becomes a var of its name; an empty field is none.
	CSV Format = "csv"
	// NDJSON has one recipient a line, in the form of the producer's list.
	NDJSON Format = "ndjson"
)

// FormatOf tells a file's format by its name, NDJSON where the name does not say.
func FormatOf(name string) Format {
	if strings.EqualFold(filepath.Ext(name), ".csv") {
		return CSV
	}
	return NDJSON
}

// FileError says why a file is no audience at all: nothing of it was loaded.
type FileError struct{ Problem string }

func (e *FileError) Error() string { return "audience: " + e.Problem }

// RowError is a line of an audience that was not loaded. Lines count from 1, the header included.
type RowError struct {
	Line int `json:"line"`
	// Last is set where a quote goes on over several lines.
	Last    int    `json:"last,omitempty"`
	Problem string `json:"problem"`
}

func (e RowError) Error() string {
	if e.Last > e.Line {
		return fmt.Sprintf("lines %d to %d: %s", e.Line, e.Last, e.Problem)
	}
	return fmt.Sprintf("line %d: %s", e.Line, e.Problem)
}

// audience yields the elements of a file one by one.
type audience interface {
	// next appends one element to dst. It returns io.EOF at the end, a RowError for a line that is no recipient
	// (the next call goes on behind it), and any other error when the file cannot be read on.
	next(dst []byte) ([]byte, error)
	// line is where the element that next returned last began.
	line() int
}

// newAudience reads the beginning of an audience. Elements are longer than limit bytes for the dispatcher to refuse, and so
// refused here. A *FileError says that this is none.
func newAudience(r io.Reader, format Format, limit int) (audience, error) {
	switch format {
	case CSV:
		return newCSVAudience(r, limit)
	case NDJSON:
		return newNDJSONAudience(r, limit)
	}
	return nil, &FileError{fmt.Sprintf("there is no format %q: use %s or %s", format, CSV, NDJSON)}
}

// readAhead is how much of a file is in memory.
const readAhead = 1 << 18

// openText passes over the byte order mark that spreadsheets write, and refuses their UTF-16.
func openText(r io.Reader, size int) (*bufio.Reader, error) {
	text := bufio.NewReaderSize(r, size)
	mark, err := text.Peek(3)
	switch {
	case err != nil && !errors.Is(err, io.EOF):
		return nil, fmt.Errorf("read audience: %w", err)
	case bytes.HasPrefix(mark, []byte("\xff\xfe")), bytes.HasPrefix(mark, []byte("\xfe\xff")):
		return nil, &FileError{"it is UTF-16: save it as UTF-8"}
	case bytes.Equal(mark, []byte("\xef\xbb\xbf")):
		_, _ = text.Discard(len(mark)) // cannot fail: Peek has just read them
	}
	return text, nil
}

// checkSize refuses what the dispatcher would.
func checkSize(element []byte, limit, line int) error {
	if len(element) > limit {
		return RowError{Line: line, Problem: fmt.Sprintf("is %d bytes as an element, over the limit of %d (queue.max_element)", len(element), limit)}
	}
	return nil
}
