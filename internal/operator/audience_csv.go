package operator

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"regexp"
	"strings"
	"unicode/utf8"

	"fanfare/internal/campaign"
	"fanfare/internal/notification"
	"fanfare/internal/schedule"
	"fanfare/internal/terminal"
)

// csvAudience converts rows to elements by the names in the header. It refuses the fields that
// campaign.DecodeRecipient would refuse. That costs a tenth of decoding each element again.
type csvAudience struct {
	source    *rowReader
	text      *bufio.Reader
	rows      *csv.Reader
	columns   []column
	separator rune
	addresses bool // see layout
	limit     int
	at        int
	before    int                        // lines before the first row
	vars      map[string]json.RawMessage // of the current row
	values    []byte                     // backing array of the vars
}

// newCSVAudience reads the first line. If separator is zero, it is detected there.
func newCSVAudience(source *rowReader, text *bufio.Reader, separator rune, limit int) (*csvAudience, error) {
	source.left = maxRow + readAhead
	passed := 0
	if separator == 0 {
		separator, passed = sniffSeparator(text)
	}
	a := &csvAudience{source: source, text: text, separator: separator, limit: limit, at: 1 + passed, vars: make(map[string]json.RawMessage)}
	a.begin(passed)
	header, err := a.rows.Read()
	switch {
	case errors.Is(err, errRowTooLong):
		return nil, &FileError{fmt.Sprintf("its first line takes more than %d bytes: end each line with a line feed", maxRow)}
	case errors.Is(err, io.EOF):
		return nil, &FileError{"it is empty: its first line names the columns, such as userId,fcmToken"}
	case err != nil:
		return nil, &FileError{fmt.Sprintf("its first line names no columns: %v", err)}
	}
	if a.columns, err = readHeader(header, separator); err != nil {
		return nil, err
	}
	return a, nil
}

// begin starts a CSV reader at the current position, after a number of lines.
func (a *csvAudience) begin(before int) {
	a.before = before
	a.rows = csv.NewReader(a.text)
	a.rows.Comma = a.separator
	a.rows.ReuseRecord = true
	a.rows.FieldsPerRecord = len(a.columns)
}

func (a *csvAudience) line() int { return a.at }

func (a *csvAudience) hints() []string { return hintsOf(a.columns) }

func (a *csvAudience) next(dst []byte) ([]byte, error) {
	a.source.left = maxRow + readAhead
	row, err := a.rows.Read()
	if err != nil {
		return dst, a.rowError(len(row), err)
	}
	a.at, _ = a.rows.FieldPos(0)
	a.at += a.before
	r, err := a.recipient(row)
	if err != nil {
		return dst, RowError{Line: a.at, Problem: err.Error()}
	}
	start := len(dst)
	dst = campaign.EncodeRecipient(dst, r)
	if err := checkSize(dst[start:], a.limit, a.at); err != nil {
		return dst[:start], err
	}
	return dst, nil
}

// rowError distinguishes a bad row from a file that cannot be read.
func (a *csvAudience) rowError(fields int, err error) error {
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
	if errors.Is(parse.Err, csv.ErrFieldCount) {
		row.Problem = fmt.Sprintf("the number of fields is %d, not the %d of the first line", fields, len(a.columns))
	}
	return row
}

// skipRow skips the rest of a line that is too long. If a row is too long because it spans many
// lines, a quote is open. Then no one can tell which lines are rows, so the file is refused.
func (a *csvAudience) skipRow() error {
	if a.source.width <= maxRow {
		return &FileError{fmt.Sprintf("the row after line %d takes more than %d bytes: close its quote", a.at, maxRow)}
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

// recipient parses one row. Its strings and vars are valid until the next one.
func (a *csvAudience) recipient(row []string) (r notification.Recipient, err error) {
	clear(a.vars)
	a.values = a.values[:0]
	var fid, token notification.Target
	for i, value := range row {
		column := &a.columns[i]
		if !utf8.ValidString(value) {
			return r, fmt.Errorf("%s is not valid UTF-8", terminal.Printable(column.name))
		}
		switch column.kind {
		case columnUser:
			r.UserID = strings.TrimSpace(value)
		case columnToken:
			token = notification.ParseToken(value)
		case columnFID:
			fid = notification.ParseFID(value)
		case columnTag:
			r.Tag = strings.TrimSpace(value)
		case columnLocale:
			r.Locale = strings.TrimSpace(value)
		case columnTimeZone:
			r.TimeZone = strings.TrimSpace(value)
		case columnPlatform:
			r.Platform = strings.TrimSpace(value)
		case columnQuiet:
			r.QuietHours = strings.TrimSpace(value)
		case columnVar:
			if value != "" {
				a.vars[column.name] = a.literal(value)
			}
		}
	}
	if problem := addressProblem(fid, token); a.addresses && problem != "" {
		return r, errors.New(problem)
	}
	campaign.UseAddresses(&r, fid, token)
	if len(r.Tag) > campaign.MaxTag {
		return r, fmt.Errorf("tag is longer than %d bytes", campaign.MaxTag)
	}
	r.Vars = a.vars
	if err := checkUserID(r.UserID); err != nil {
		return r, err
	}
	return r, checkQuiet(r)
}

// literal encodes a value as JSON.
func (a *csvAudience) literal(value string) json.RawMessage {
	start := len(a.values)
	if needsEscape(value) {
		text, _ := json.Marshal(value) // a string always marshals
		a.values = append(a.values, text...)
	} else {
		a.values = append(append(append(a.values, '"'), value...), '"')
	}
	return json.RawMessage(a.values[start:len(a.values):len(a.values)])
}

func needsEscape(value string) bool {
	for i := range len(value) {
		if c := value[i]; c < ' ' || c == '"' || c == '\\' {
			return true
		}
	}
	return false
}

// checkQuiet refuses quiet hours that the dispatcher could not read.
func checkQuiet(r notification.Recipient) error {
	if r.QuietHours == "" {
		return nil
	}
	if _, err := schedule.ParseQuiet(r.QuietHours); err != nil {
		return fmt.Errorf("quietHours %w", err)
	}
	return nil
}

func checkUserID(id string) error {
	switch {
	case id == "":
		return errors.New("userId is empty")
	case len(id) > campaign.MaxUserID:
		return fmt.Errorf("userId is longer than %d bytes", campaign.MaxUserID)
	case strings.ContainsRune(id, 0):
		return errors.New("userId holds a NUL")
	case isRounded(id):
		return errors.New(roundedProblem(id))
	}
	return nil
}

// isRounded reports whether an id is a number in scientific notation, such as 1.23457E+14.
// Spreadsheets write long numbers like this, and their last digits are lost.
func isRounded(id string) bool { return scientific.MatchString(id) }

// scientific requires a sign, a point, or the short form 1E5, because a hexadecimal id may be
// digits around an E.
var scientific = regexp.MustCompile(`^[+-]?([0-9]+[eE][+-][0-9]+|([0-9]+[.,][0-9]*|[.,][0-9]+)[eE][+-]?[0-9]+|[0-9][eE][0-9]{1,3})$`)

func roundedProblem(id string) string {
	return "userId " + id + " was rounded by a spreadsheet: format its column as text, and export it again"
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
