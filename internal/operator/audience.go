package operator

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"fanfare/internal/campaign"
	"fanfare/internal/notification"
)

// Format is how an audience file is written.
type Format string

const (
	// CSV has a header line that names its columns: userId (or user_id), and optionally fcmToken (or fcm_token, token),
	// locale and timeZone (or time_zone). Every other column becomes a var of its name.
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

// RowError is a line of an audience that was not loaded. Lines count from 1, the header included.
type RowError struct {
	Line    int
	Problem string
}

func (e RowError) Error() string { return fmt.Sprintf("line %d: %s", e.Line, e.Problem) }

// audience yields the elements of a file one by one.
type audience interface {
	// next appends one element to dst. It returns io.EOF at the end, a RowError for a line that is no recipient
	// (the next call goes on behind it), and any other error when the file cannot be read on.
	next(dst []byte) ([]byte, error)
	// line is where the element that next returned last began.
	line() int
}

func newAudience(r io.Reader, format Format) (audience, error) {
	buffered := bufio.NewReaderSize(r, 1<<18)
	if bom, _ := buffered.Peek(3); bytes.Equal(bom, []byte("\xef\xbb\xbf")) {
		_, _ = buffered.Discard(3) // cannot fail: Peek has just read them
	}
	switch format {
	case CSV:
		return newCSVAudience(buffered)
	case NDJSON:
		return &ndjsonAudience{lines: buffered}, nil
	default:
		return nil, fmt.Errorf("unknown audience format %q: use csv or ndjson", format)
	}
}

// csvAudience turns rows into elements by the header's names.
type csvAudience struct {
	rows    *csv.Reader
	columns []column
	at      int
}

type column struct {
	kind columnKind
	name string
}

type columnKind uint8

const (
	columnVar columnKind = iota
	columnUser
	columnToken
	columnLocale
	columnTimeZone
)

var columnKinds = map[string]columnKind{
	"userid": columnUser, "user_id": columnUser,
	"fcmtoken": columnToken, "fcm_token": columnToken, "token": columnToken,
	"locale":   columnLocale,
	"timezone": columnTimeZone, "time_zone": columnTimeZone,
}

func newCSVAudience(r io.Reader) (*csvAudience, error) {
	rows := csv.NewReader(r)
	rows.ReuseRecord = true
	header, err := rows.Read()
	if errors.Is(err, io.EOF) {
		return nil, errors.New("the audience is empty: its first line must name the columns, such as userId,fcmToken")
	}
	if err != nil {
		return nil, fmt.Errorf("read header: %w", err)
	}
	a := &csvAudience{rows: rows}
	users := 0
	for _, name := range header {
		name = strings.TrimSpace(name)
		kind := columnKinds[strings.ToLower(name)]
		if kind == columnUser {
			users++
		}
		a.columns = append(a.columns, column{kind: kind, name: name})
	}
	if users != 1 {
		return nil, fmt.Errorf("header %q names %d columns userId, want one", strings.Join(header, ","), users)
	}
	return a, nil
}

func (a *csvAudience) next(dst []byte) ([]byte, error) {
	row, err := a.rows.Read()
	if parse, ok := errors.AsType[*csv.ParseError](err); ok {
		return dst, RowError{Line: parse.StartLine, Problem: parse.Err.Error()}
	}
	if err != nil {
		return dst, err
	}
	var r notification.Recipient
	for i, value := range row {
		switch a.columns[i].kind {
		case columnUser:
			r.UserID = value
		case columnToken:
			r.Target = notification.Token(value)
		case columnLocale:
			r.Locale = value
		case columnTimeZone:
			r.TimeZone = value
		case columnVar:
			if value != "" {
				r.Vars = withVar(r.Vars, a.columns[i].name, value)
			}
		}
	}
	a.at, _ = a.rows.FieldPos(0)
	return encode(dst, r, a.at)
}

func (a *csvAudience) line() int { return a.at }

func withVar(vars map[string]json.RawMessage, name, value string) map[string]json.RawMessage {
	if vars == nil {
		vars = make(map[string]json.RawMessage, 4)
	}
	text, _ := json.Marshal(value) // a string always marshals
	vars[name] = text
	return vars
}

// ndjsonAudience passes on what its lines hold, after reading them as the dispatcher will.
type ndjsonAudience struct {
	lines *bufio.Reader
	at    int
}

func (a *ndjsonAudience) line() int { return a.at }

func (a *ndjsonAudience) next(dst []byte) ([]byte, error) {
	for {
		text, err := a.lines.ReadBytes('\n')
		if len(text) == 0 && err != nil {
			return dst, err
		}
		a.at++
		text = bytes.TrimSpace(text)
		if len(text) == 0 {
			continue
		}
		if _, err := campaign.DecodeRecipient(text); err != nil {
			return dst, RowError{Line: a.at, Problem: err.Error()}
		}
		return append(dst, text...), nil
	}
}

// encode writes a recipient as an element, and reads it back as the dispatcher will: what would fail there is
// refused here, with its line.
func encode(dst []byte, r notification.Recipient, line int) ([]byte, error) {
	start := len(dst)
	dst = campaign.EncodeRecipient(dst, r)
	if _, err := campaign.DecodeRecipient(dst[start:]); err != nil {
		return dst[:start], RowError{Line: line, Problem: err.Error()}
	}
	return dst, nil
}
