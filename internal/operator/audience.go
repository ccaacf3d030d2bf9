package operator

import (
	"bufio"
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
	// NDJSON has one recipient a line, in the form of the producer's list; or it is a JSON array of them.
	NDJSON Format = "ndjson"
	// Sniffed is NDJSON where the text begins with a bracket, else CSV.
	Sniffed Format = ""
)

// FormatOf tells a file's format by its name, NDJSON where the name does not say.
func FormatOf(name string) Format {
	name = strings.ToLower(name)
	switch compression := filepath.Ext(name); compression {
	case ".gz", ".zst", ".zstd":
		name = strings.TrimSuffix(name, compression)
	}
	switch filepath.Ext(name) {
	case ".csv", ".tsv", ".tab":
		return CSV
	case ".txt": // spreadsheets and programs both write such
		return Sniffed
	}
	return NDJSON
}

// layout is how an audience file is written.
type layout struct {
	format    Format
	separator rune // of CSV's columns; zero: what the first line says
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
	// hints are what a person should look at, known from the beginning.
	hints() []string
}

// newAudience reads the beginning of an audience. Elements are longer than limit bytes for the dispatcher to refuse, and so
// refused here. A *FileError says that this is none.
func newAudience(r io.Reader, l layout, limit int) (audience, error) {
	switch l.format {
	case CSV, NDJSON, Sniffed:
	default:
		return nil, &FileError{fmt.Sprintf("there is no format %q: use %s or %s", l.format, CSV, NDJSON)}
	}
	plain, err := openText(r)
	if err != nil {
		return nil, err
	}
	source := &rowReader{r: plain, left: unbounded}
	text := bufio.NewReaderSize(source, max(readAhead, 2*limit))
	first, err := firstCharacter(text)
	switch {
	case err != nil:
		return nil, err
	case l.format == CSV, l.format == Sniffed && first != '{' && first != '[':
		return newCSVAudience(source, text, l.separator, limit)
	case first == '[':
		return newArrayAudience(text, limit), nil
	}
	return &ndjsonAudience{lines: text, limit: limit}, nil
}

// readAhead is how much of a file is in memory.
const readAhead = 1 << 18

// firstCharacter looks at what comes behind white space; zero where that is nothing, or more of it than fits into the buffer.
func firstCharacter(text *bufio.Reader) (byte, error) {
	for n := 1; n <= text.Size(); n++ {
		seen, err := text.Peek(n)
		if err != nil && !errors.Is(err, io.EOF) {
			if _, file := errors.AsType[*FileError](err); file {
				return 0, err
			}
			return 0, fmt.Errorf("read audience: %w", err)
		}
		if len(seen) < n {
			return 0, nil
		}
		if c := seen[n-1]; c != ' ' && c != '\t' && c != '\r' && c != '\n' {
			return c, nil
		}
	}
	return 0, nil
}

// checkSize refuses what the dispatcher would.
func checkSize(element []byte, limit, line int) error {
	if len(element) > limit {
		return RowError{Line: line, Problem: fmt.Sprintf("is %d bytes as an element, over the limit of %d (queue.max_element)", len(element), limit)}
	}
	return nil
}
