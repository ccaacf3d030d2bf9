package audience

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"fanfare/internal/store"
	"fanfare/internal/terminal"
)

// Place is where an element of a query is.
type Place struct {
	Position string // where another reader continues behind the element
	Name     string // for people, such as "id 4711"
}

// Placed is a Reader of elements that have a place.
type Placed interface {
	Reader
	// Place returns that of the last element returned by Next.
	Place() Place
}

// QueryReader converts the rows of a query to elements by the names of its columns, as those of a
// CSV file. NULL leaves a column out. It implements Placed.
type QueryReader struct {
	query   *store.Query
	page    func(after string) (rows []store.QueryRow, last bool, err error)
	columns []column
	encoder rowEncoder
	texts   []string // of the current row, without vars
	rows    []store.QueryRow
	last    bool   // the query has no rows behind these
	after   string // the position of the last row that was read
	place   Place
}

// KeyError ends a query whose key has a value twice. No element with that value was returned.
type KeyError struct{ Key, Value string }

func (e *KeyError) Error() string {
	return fmt.Sprintf("key %s is not unique: several rows have %s", terminal.Printable(e.Key), terminal.Printable(e.Value))
}

// OpenQuery prepares to read a query. A *FileError means that its columns are none of an audience,
// a *store.QueryError that its key is not the same at each read. ctx ends the reading.
func OpenQuery(ctx context.Context, q *store.Query, o Options) (*QueryReader, error) {
	names := q.Columns()
	user := slices.IndexFunc(names, func(name string) bool { return kindOf(name) == columnUser })
	if user < 0 {
		return nil, &FileError{Problem: noUserInQuery(names)}
	}
	columns, err := readHeader(names, ',')
	if err != nil {
		return nil, err
	}
	if err := q.CheckOrder(ctx, names[user]); err != nil {
		return nil, err
	}
	return &QueryReader{
		query: q, columns: columns, encoder: newRowEncoder(columns, o.withDefaults()), texts: make([]string, len(columns)),
		page: func(after string) ([]store.QueryRow, bool, error) { return q.Page(ctx, after) },
	}, nil
}

// noUserInQuery suggests what to call userId.
func noUserInQuery(names []string) string {
	shown := make([]string, len(names))
	for i, name := range names {
		shown[i] = terminal.Printable(name)
	}
	text := fmt.Sprintf("no column is called userId: its columns are %s", strings.Join(shown, ", "))
	for _, name := range shown {
		if probableKind(name) == columnUser {
			return text + fmt.Sprintf("; %s is probably it: select %[1]s AS user_id", name)
		}
	}
	return text
}

// Begin continues behind a position.
func (a *QueryReader) Begin(position string) { a.after = position }

// Line implements Reader. A row of a query has no line.
func (a *QueryReader) Line() int { return 0 }

// Place implements Placed.
func (a *QueryReader) Place() Place { return a.place }

// Hints implements Reader.
func (a *QueryReader) Hints() []string { return hintsOf(a.columns) }

// Next implements Reader. A *KeyError means that the key is not unique.
func (a *QueryReader) Next(dst []byte) ([]byte, error) {
	for len(a.rows) == 0 {
		if a.last {
			return dst, io.EOF
		}
		var err error
		if a.rows, a.last, err = a.page(a.after); err != nil {
			return dst, err
		}
	}
	row := a.rows[0]
	if row.Repeated {
		return dst, &KeyError{Key: a.query.Key(), Value: row.Key}
	}
	a.rows, a.after = a.rows[1:], row.Position
	name := a.query.Key() + " " + row.Key
	element, err := a.encode(dst, row.Values)
	if refused, ok := errors.AsType[RowError](err); ok {
		refused.Key = name
		return dst, refused
	}
	a.place = Place{Position: row.Position, Name: name}
	return element, err
}

// encode appends the element of a row.
func (a *QueryReader) encode(dst []byte, values []store.Value) ([]byte, error) {
	for i, value := range values {
		a.texts[i] = ""
		if !value.Null && a.columns[i].kind != columnVar {
			a.texts[i] = value.Text
		}
	}
	r, err := a.encoder.recipient(a.texts)
	if err != nil {
		return dst, RowError{Problem: err.Error()}
	}
	for i, value := range values {
		if value.Null || a.columns[i].kind != columnVar {
			continue
		}
		if err := a.encoder.addVar(a.columns[i].name, value.Text, value.JSON); err != nil {
			return dst, RowError{Problem: err.Error()}
		}
	}
	return a.encoder.write(dst, r, 0)
}
