// Package audience reads recipients from files: CSV, NDJSON, JSON arrays and Parquet, plain or
// compressed; and from queries. Each reader yields the elements of the producer's list, and keeps
// little in memory, whatever the size of the audience.
package audience

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"fanfare/internal/queue"
	"fanfare/internal/terminal"
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
	// Parquet has the columns of CSV. Its file must be read at random.
	Parquet Format = "parquet"
	// Sniffed means NDJSON if the text begins with a bracket, CSV otherwise.
	Sniffed Format = ""
)

// FormatOf derives the format from a file name; the default is NDJSON. Open recognizes Parquet by
// its first bytes, too.
func FormatOf(name string) Format {
	name = strings.ToLower(name)
	switch compression := filepath.Ext(name); compression {
	case ".gz", ".zst", ".zstd":
		name = strings.TrimSuffix(name, compression)
	}
	switch filepath.Ext(name) {
	case ".csv", ".tsv", ".tab":
		return CSV
	case ".parquet", ".parq":
		return Parquet
	case ".txt": // written by spreadsheets and by programs
		return Sniffed
	}
	return NDJSON
}

// Options say how an audience is read.
type Options struct {
	Format    Format
	Separator rune // of the CSV columns; zero detects it from the first line
	// StrictAddresses refuses rows with an address of the wrong kind. A load leaves these to the
	// dispatcher.
	StrictAddresses bool
	// MaxElement is the longest element in bytes; default queue.DefaultMaxElement. The dispatcher
	// refuses longer ones.
	MaxElement int
}

func (o Options) withDefaults() Options {
	o.MaxElement = cmp.Or(o.MaxElement, queue.DefaultMaxElement)
	return o
}

// FileError says why a file cannot be an audience, or cannot be read further.
type FileError struct {
	File    string // its name, if several files are read
	Problem string
	// Damaged reports that what was read before may be garbled: the checksum of a compressed file
	// stands behind its text.
	Damaged bool
}

func (e *FileError) Error() string {
	if e.File != "" {
		return fmt.Sprintf("audience %s: %s", terminal.Printable(e.File), e.Problem)
	}
	return "audience: " + e.Problem
}

// RowError is a line of an audience that was not loaded. Lines count from 1, including the header
// of CSV.
type RowError struct {
	File string `json:"file,omitempty"` // its name, if several files are read
	Line int    `json:"line,omitempty"`
	// Key names a row of a query, which has no line, such as "id 4711".
	Key string `json:"key,omitempty"`
	// Last is set if a quoted field spans several lines.
	Last    int    `json:"last,omitempty"`
	Problem string `json:"problem"`
}

func (e RowError) Error() string {
	text := fmt.Sprintf("line %d: %s", e.Line, e.Problem)
	if e.Key != "" {
		text = terminal.Printable(e.Key) + ": " + e.Problem
	}
	if e.Last > e.Line {
		text = fmt.Sprintf("lines %d to %d: %s", e.Line, e.Last, e.Problem)
	}
	if e.File != "" {
		text = terminal.Printable(e.File) + ", " + text
	}
	return text
}

// Reader yields the elements of an audience one by one.
type Reader interface {
	// Next appends one element to dst. It returns io.EOF at the end, and a RowError for a line
	// that is not a recipient, after which the caller may continue. After any other error the
	// audience cannot be read further.
	Next(dst []byte) ([]byte, error)
	// Line returns where the last element returned by Next began. It is 0 without lines.
	Line() int
	// Hints returns what an operator should check.
	Hints() []string
}

// Open reads the beginning of an audience. A *FileError means that this is not an audience. A
// Parquet file must be a RandomReader.
func Open(r io.Reader, o Options) (Reader, error) {
	source := &source{Reader: r}
	rows, err := open(source, o.withDefaults())
	if err != nil {
		return nil, source.explain(err)
	}
	return &sourcedReader{rows, source}, nil
}

func open(source *source, o Options) (Reader, error) {
	switch o.Format {
	case CSV, NDJSON, Sniffed, Parquet:
	default:
		return nil, &FileError{Problem: fmt.Sprintf("there is no format %q: use %s, %s or %s", o.Format, CSV, NDJSON, Parquet)}
	}
	if o.Format == Parquet {
		return openParquet(source, o)
	}
	plain, err := openText(source)
	if errors.Is(err, errParquet) {
		return openParquet(source, o)
	} else if err != nil {
		return nil, err
	}
	lines, text, first, err := beginRows(plain, o.MaxElement)
	switch {
	case err != nil:
		return nil, err
	case o.Format == CSV, o.Format == Sniffed && first != '{' && first != '[':
		return newCSV(lines, text, o)
	case first == '[':
		return newArray(text, o.MaxElement), nil
	}
	return &ndjsonReader{lines: text, limit: o.MaxElement}, nil
}

// readAhead is how much of a file is buffered.
const readAhead = 1 << 18

// beginRows buffers a text, and returns its first character as firstCharacter does.
func beginRows(plain io.Reader, limit int) (lines *rowReader, text *bufio.Reader, first byte, err error) {
	lines = &rowReader{r: plain, left: unbounded}
	text = bufio.NewReaderSize(lines, max(readAhead, 2*limit))
	first, err = firstCharacter(text)
	return lines, text, first, err
}

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
