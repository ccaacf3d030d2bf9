package operator

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
)

// Format is the format of an audience file.
type Format string

const (
	// CSV has a header line with column names: userId, and optionally fcmToken (or token),
	// locale, timeZone and platform. Case and underscores do not matter. Any other column becomes
	// a var with its name; an empty field is left out.
	CSV Format = "csv"
	// NDJSON has one recipient per line, in the form of the producer's list, or is a JSON array
	// of them.
	NDJSON Format = "ndjson"
	// Sniffed means NDJSON if the text begins with a bracket, CSV otherwise.
	Sniffed Format = ""
)

// FormatOf derives the format from a file name; the default is NDJSON.
func FormatOf(name string) Format {
	name = strings.ToLower(name)
	switch compression := filepath.Ext(name); compression {
	case ".gz", ".zst", ".zstd":
		name = strings.TrimSuffix(name, compression)
	}
	switch filepath.Ext(name) {
	case ".csv", ".tsv", ".tab":
		return CSV
	case ".txt": // written by spreadsheets and by programs
		return Sniffed
	}
	return NDJSON
}

// layout describes the format of an audience file.
type layout struct {
	format    Format
	separator rune // of the CSV columns; zero detects it from the first line
	addresses bool // refuse rows with an address of the wrong kind; a load leaves that to the dispatcher
}

// FileError says why a file cannot be an audience, or cannot be read further.
type FileError struct{ Problem string }

func (e *FileError) Error() string { return "audience: " + e.Problem }

// RowError is a line of an audience that was not loaded. Lines count from 1, including the
// header.
type RowError struct {
	Line int `json:"line"`
	// Last is set if a quoted field spans several lines.
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
	// next appends one element to dst. It returns io.EOF at the end, and a RowError for a line
	// that is not a recipient, after which the caller may continue. After any other error the
	// file cannot be read further.
	next(dst []byte) ([]byte, error)
	// line returns where the last element returned by next began.
	line() int
	// hints returns what an operator should check. It is known after newAudience.
	hints() []string
}

// newAudience reads the beginning of an audience. Elements longer than limit bytes are refused,
// as the dispatcher would refuse them. A *FileError means that this is not an audience.
func newAudience(r io.Reader, l layout, limit int) (audience, error) {
	source := &source{Reader: r}
	rows, err := parseAudience(source, l, limit)
	if err != nil {
		return nil, source.explain(err)
	}
	return &sourcedAudience{rows, source}, nil
}

func parseAudience(r io.Reader, l layout, limit int) (audience, error) {
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
		rows, err := newCSVAudience(source, text, l.separator, limit)
		if err == nil {
			rows.addresses = l.addresses
		}
		return rows, err
	case first == '[':
		return newArrayAudience(text, limit), nil
	}
	return &ndjsonAudience{lines: text, limit: limit}, nil
}

// readAhead is how much of a file is buffered.
const readAhead = 1 << 18

// firstCharacter returns the first character that is not white space. It is zero if there is none
// within the buffer.
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

// checkSize refuses elements that the dispatcher would refuse.
func checkSize(element []byte, limit, line int) error {
	if len(element) > limit {
		return RowError{Line: line, Problem: fmt.Sprintf("is %d bytes as an element, over the limit of %d (queue.max_element)", len(element), limit)}
	}
	return nil
}
