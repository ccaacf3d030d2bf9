package operator

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"fanfare/internal/campaign"
	"fanfare/internal/notification"
)

// csvAudience turns rows into elements by the header's names. What it makes, the dispatcher can read: it refuses the fields that
// campaign.DecodeRecipient would, which costs a tenth of reading each element again.
type csvAudience struct {
	source  *rowReader
	rows    *csv.Reader
	columns []column
	limit   int
	at      int
	vars    map[string]json.RawMessage // of the row at hand
	text    []byte                     // what their values lie in
}

func newCSVAudience(r io.Reader, limit int) (*csvAudience, error) {
	source := &rowReader{r: r, left: maxRow + readAhead}
	text, err := openText(source, readAhead)
	if err != nil {
		return nil, err
	}
	rows := csv.NewReader(text)
	rows.ReuseRecord = true
	header, err := rows.Read()
	switch {
	case errors.Is(err, io.EOF):
		return nil, &FileError{"it is empty: its first line names the columns, such as userId,fcmToken"}
	case err != nil:
		return nil, &FileError{fmt.Sprintf("its first line names no columns: %v", err)}
	}
	columns, err := readHeader(header)
	if err != nil {
		return nil, err
	}
	return &csvAudience{
		source: source, rows: rows, columns: columns, limit: limit, at: 1, vars: make(map[string]json.RawMessage),
	}, nil
}

func (a *csvAudience) line() int { return a.at }

func (a *csvAudience) next(dst []byte) ([]byte, error) {
	a.source.left = maxRow + readAhead
	row, err := a.rows.Read()
	if err != nil {
		return dst, a.rowError(len(row), err)
	}
	a.at, _ = a.rows.FieldPos(0)
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

// rowError tells a row that cannot be read from a file that cannot.
func (a *csvAudience) rowError(fields int, err error) error {
	if errors.Is(err, errRowTooLong) {
		return &FileError{fmt.Sprintf("a row takes more than %d bytes: is a quote not closed?", maxRow)}
	}
	parse, ok := errors.AsType[*csv.ParseError](err)
	if !ok {
		return err
	}
	row := RowError{Line: parse.StartLine, Problem: parse.Err.Error()}
	if parse.Line > parse.StartLine {
		row.Last = parse.Line
	}
	if errors.Is(parse.Err, csv.ErrFieldCount) {
		row.Problem = fmt.Sprintf("the number of fields is %d, not the %d of the first line", fields, len(a.columns))
	}
	return row
}

// recipient reads one row; its strings and vars are good until the next one.
func (a *csvAudience) recipient(row []string) (r notification.Recipient, err error) {
	clear(a.vars)
	a.text = a.text[:0]
	for i, value := range row {
		column := &a.columns[i]
		if !utf8.ValidString(value) {
			return r, fmt.Errorf("%s is not valid UTF-8", column.name)
		}
		switch column.kind {
		case columnUser:
			r.UserID = strings.TrimSpace(value)
		case columnToken:
			r.Target = notification.Token(strings.TrimSpace(value))
		case columnLocale:
			r.Locale = strings.TrimSpace(value)
		case columnTimeZone:
			r.TimeZone = strings.TrimSpace(value)
		case columnPlatform:
			r.Platform = strings.TrimSpace(value)
		case columnVar:
			if value != "" {
				a.vars[column.name] = a.literal(value)
			}
		}
	}
	r.Vars = a.vars
	return r, checkUserID(r.UserID)
}

// literal writes a value as JSON.
func (a *csvAudience) literal(value string) json.RawMessage {
	start := len(a.text)
	if needsEscape(value) {
		text, _ := json.Marshal(value) // a string always marshals
		a.text = append(a.text, text...)
	} else {
		a.text = append(append(append(a.text, '"'), value...), '"')
	}
	return json.RawMessage(a.text[start:len(a.text):len(a.text)])
}

func needsEscape(value string) bool {
	for i := range len(value) {
		if c := value[i]; c < ' ' || c == '"' || c == '\\' {
			return true
		}
	}
	return false
}

func checkUserID(id string) error {
	switch {
	case id == "":
		return errors.New("userId is empty")
	case len(id) > campaign.MaxUserID:
		return fmt.Errorf("userId is longer than %d bytes", campaign.MaxUserID)
	case strings.ContainsRune(id, 0):
		return errors.New("userId holds a NUL")
	}
	return nil
}

// maxRow bounds one row, so that a quote which is never closed does not take the whole file into memory.
const maxRow = 1 << 20

var errRowTooLong = errors.New("row too long")

// rowReader reads on for as long as the row at hand may be.
type rowReader struct {
	r    io.Reader
	left int
}

func (b *rowReader) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errRowTooLong
	}
	n, err := b.r.Read(p)
	b.left -= n
	return n, err
}
