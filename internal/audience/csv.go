package audience

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
)

// csvReader reads rows and the names of their columns.
type csvReader struct {
	source    *rowReader
	text      *bufio.Reader
	rows      *csv.Reader
	separator rune
	encoder   rowEncoder
	at        int
	before    int // lines before the first row
}

// newCSV reads the first line. If separator is zero, it is detected there.
func newCSV(source *rowReader, text *bufio.Reader, o Options) (*csvReader, error) {
	source.left = maxRow + readAhead
	separator, passed := o.Separator, 0
	if separator == 0 {
		separator, passed = sniffSeparator(text)
	}
	a := &csvReader{source: source, text: text, separator: separator, at: 1 + passed}
	a.begin(passed)
	header, err := a.rows.Read()
	_, unreadable := errors.AsType[*csv.ParseError](err)
	switch {
	case errors.Is(err, errRowTooLong):
		return nil, &FileError{Problem: fmt.Sprintf("its first line takes more than %d bytes: end each line with a line feed", maxRow)}
	case errors.Is(err, io.EOF):
		return nil, &FileError{Problem: "it is empty: its first line names the columns, such as userId,fcmToken"}
	case unreadable:
		return nil, &FileError{Problem: fmt.Sprintf("its first line names no columns: %v", err)}
	case err != nil:
		return nil, err
	}
	columns, err := readHeader(header, separator)
	a.encoder = newRowEncoder(columns, o)
	return a, err
}

// begin starts a CSV reader at the current position, after a number of lines.
func (a *csvReader) begin(before int) {
	a.before = before
	a.rows = csv.NewReader(a.text)
	a.rows.Comma = a.separator
	a.rows.ReuseRecord = true
	a.rows.FieldsPerRecord = len(a.encoder.columns)
}

func (a *csvReader) Line() int { return a.at }

func (a *csvReader) Hints() []string { return hintsOf(a.encoder.columns) }

func (a *csvReader) Next(dst []byte) ([]byte, error) {
	row, err := a.read()
	if err != nil {
		return dst, err
	}
	for i, cell := range row {
		if isTextFormula(cell) {
			return dst, RowError{Line: a.at, Problem: fmt.Sprintf("column %d has a spreadsheet's formula for a text: %s", i+1, formulaAdvice)}
		}
	}
	return a.encoder.encode(dst, row, a.at)
}

// read returns the fields of the next row, which are valid until the one after it.
func (a *csvReader) read() ([]string, error) {
	a.source.left = maxRow + readAhead
	row, err := a.rows.Read()
	if err != nil {
		return nil, a.rowError(len(row), err)
	}
	a.at, _ = a.rows.FieldPos(0)
	a.at += a.before
	return row, nil
}

// rowError distinguishes a bad row from a file that cannot be read.
func (a *csvReader) rowError(fields int, err error) error {
	if errors.Is(err, errRowTooLong) {
		return a.skipRow()
	}
	parse, ok := errors.AsType[*csv.ParseError](err)
	if !ok {
		return err
	}
	row := RowError{Line: a.before + parse.StartLine, Problem: parse.Err.Error()}
	if parse.Line > parse.StartLine {
		row.Last = a.before + parse.Line
	}
	switch {
	case errors.Is(parse.Err, csv.ErrBareQuote):
		row.Problem = `a quote (") is in a cell that does not begin with one: put the cell in quotes and double those in it, or ` + formulaAdvice
	case errors.Is(parse.Err, csv.ErrFieldCount):
		row.Problem = fmt.Sprintf("the number of fields is %d, not the %d of the first line", fields, len(a.encoder.columns))
	}
	return row
}

// skipRow skips the rest of a line that is too long. If a row is too long because it spans many
// lines, a quote is open. Then no one can tell which lines are rows, so the file is refused.
func (a *csvReader) skipRow() error {
	if a.source.width <= maxRow {
		return &FileError{Problem: fmt.Sprintf("the row after line %d takes more than %d bytes: close its quote", a.at, maxRow)}
	}
	line := a.source.lines + 1
	for {
		a.source.left = maxRow
		_, err := a.text.ReadSlice('\n')
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
		case err != nil && !errors.Is(err, io.EOF):
			return err
		default:
			a.begin(line)
			return RowError{Line: line, Problem: fmt.Sprintf("is longer than %d bytes", maxRow)}
		}
	}
}

// maxRow limits one row, so that a quote that is never closed does not read the whole file into
// memory.
const maxRow = 1 << 20

// unbounded is used for files that are not read in rows.
const unbounded = math.MaxInt

var errRowTooLong = errors.New("row too long")

// rowReader limits how much is read for the current row, and tracks the position.
type rowReader struct {
	r     io.Reader
	left  int
	lines int // complete lines so far
	width int // bytes of the incomplete line
}

func (b *rowReader) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errRowTooLong
	}
	n, err := b.r.Read(p)
	if b.left != unbounded {
		b.left -= n
	}
	if last := bytes.LastIndexByte(p[:n], '\n'); last >= 0 {
		b.lines += bytes.Count(p[:last+1], []byte{'\n'})
		b.width = n - last - 1
	} else {
		b.width += n
	}
	return n, err
}
