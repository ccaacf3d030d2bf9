package store

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"fanfare/internal/terminal"
)

// Query is a query of the application. Its rows are read page by page, in the order of a key.
// Memory does not depend on the number of rows. Pages are read-only, and not of one moment.
type Query struct {
	s       *Store
	text    string
	key     string // the name of a column
	columns []column
}

// queryPage is how many rows of a query one page has.
const queryPage = 1000

// QueryError refuses a query, or its key.
type QueryError struct {
	Part string // PartQuery or PartKey
	Err  error  // may be the database's own
}

// The parts of a query that a QueryError can be about.
const (
	PartQuery = "query"
	PartKey   = "key"
)

func (e *QueryError) Error() string { return e.Part + ": " + e.Err.Error() }

func (e *QueryError) Unwrap() error { return e.Err }

// Value is one column of a row. JSON says that Text is a JSON value.
type Value struct {
	Text       string
	Null, JSON bool
}

// QueryRow is one row of a query.
type QueryRow struct {
	Values   []Value // in the order of Columns
	Key      string  // the value of the key, for people
	Position string  // a page that begins after it has the rows behind this one
	Repeated bool    // the next row has an equal key
}

// OpenQuery checks a query, and that its column key has a value in each row. It returns a
// *QueryError for a query that cannot be read. It reads no rows.
func (s *Store) OpenQuery(ctx context.Context, text, key string) (*Query, error) {
	q := &Query{s: s}
	var err error
	if q.text, err = oneStatement(text); err != nil {
		return nil, &QueryError{PartQuery, err}
	}
	var d description
	err = s.withTimeout(ctx, func(ctx context.Context) (err error) {
		d, err = s.backend.describe(ctx, q.text)
		return err
	})
	if err != nil {
		return nil, blameQuery(PartQuery, err)
	}
	if problem := findRowProblem(d); problem != "" {
		return nil, &QueryError{PartQuery, errors.New(problem)}
	}
	q.columns = d.columns
	if q.key, err = findKey(d.columns, key); err != nil {
		return nil, err
	}
	return q, q.checkKey(ctx)
}

// oneStatement returns a statement without its semicolon, and without comments behind that.
func oneStatement(text string) (string, error) {
	for {
		one := statement{text: text}
		switch code := one.code(); {
		case strings.Trim(code, "; \t\r\n") == "":
			return "", errors.New("is empty")
		case one.hasSeveral():
			return "", errSeveral
		case !strings.Contains(code, ";"):
			return text, nil
		}
		text = text[:strings.LastIndexByte(text, ';')]
	}
}

// findRowProblem returns why the rows of a query cannot be read, or "".
func findRowProblem(d description) string {
	switch {
	case d.changes:
		return "changes rows, but must only read"
	case len(d.params) > 0:
		return countPhrase(len(d.params), "parameter") + ", but nothing fills them in: write the values"
	}
	for _, c := range d.columns {
		if c.class == classArray {
			return fmt.Sprintf("its column %s is %s: select to_json(%[1]s) AS %[1]s", terminal.Printable(c.name), c.typ)
		}
	}
	return ""
}

// findKey finds the column of a key. PostgreSQL writes names in lower case, so case does not matter
// if only one column fits.
func findKey(columns []column, key string) (string, error) {
	var names, alike []string
	for _, c := range columns {
		if c.name == key {
			return key, nil
		}
		if strings.EqualFold(c.name, key) {
			alike = append(alike, c.name)
		}
		names = append(names, terminal.Printable(c.name))
	}
	if len(alike) == 1 {
		return alike[0], nil
	}
	return "", &QueryError{PartKey, fmt.Errorf("the query has no column %s: its columns are %s", terminal.Printable(key), strings.Join(names, ", "))}
}

// checkKey finds a row without a value of the key. It also proves that rows can be ordered by it.
func (q *Query) checkKey(ctx context.Context) error {
	text := "SELECT 1 FROM (\n" + q.text + "\n) AS audience WHERE " + q.column(q.key) + " IS NULL ORDER BY " + q.column(q.key) + " LIMIT 1"
	found := false
	err := q.s.withTimeout(ctx, func(ctx context.Context) error {
		return q.s.backend.query(ctx, text, nil, func(scanFunc) error {
			found = true
			return nil
		})
	})
	switch {
	case err != nil:
		return blameQuery(PartKey, err)
	case found:
		return &QueryError{PartKey, fmt.Errorf("%s is NULL in some rows: name a column that has a value in each, or leave these rows out", terminal.Printable(q.key))}
	}
	return nil
}

// Columns returns the names of the columns.
func (q *Query) Columns() []string {
	names := make([]string, len(q.columns))
	for i, c := range q.columns {
		names[i] = c.name
	}
	return names
}

// Key returns the name of the key's column.
func (q *Query) Key() string { return q.key }

// Page returns the rows behind a position, and whether they are the last ones; "" is before the
// first row.
func (q *Query) Page(ctx context.Context, after string) (rows []QueryRow, last bool, err error) {
	err = q.s.withTimeout(ctx, func(ctx context.Context) (err error) {
		rows, err = q.s.backend.readPage(ctx, q, after)
		return err
	})
	if err != nil {
		return nil, false, fmt.Errorf("read the query: %w", err)
	}
	if len(rows) <= queryPage {
		return rows, true, nil
	}
	return rows[:queryPage], false, nil // the next one was read to compare its key
}

// pageText returns the statement of a page, and one row more. It compares the key with that of the
// next row, because only the database knows which of its values are equal. condition selects the
// rows behind a position.
func (q *Query) pageText(columns, condition string) string {
	key := q.column(q.key)
	return fmt.Sprintf("SELECT %s, %[2]s = lead(%[2]s) OVER (ORDER BY %[2]s) FROM (SELECT * FROM (\n%[3]s\n) AS audience WHERE %[2]s %[4]s ORDER BY %[2]s LIMIT %[5]d) AS audience ORDER BY %[2]s",
		columns, key, q.text, condition, queryPage+1)
}

// The conditions of pageText.
const (
	behindPosition = "> $1"
	fromStart      = "IS NOT NULL"
)

// errOtherPosition refuses a position that the database did not make.
var errOtherPosition = errors.New("the position of the interrupted load is of another kind of database")

// column quotes the name of a column.
func (q *Query) column(name string) string {
	return `audience."` + strings.ReplaceAll(name, `"`, `""`) + `"`
}

// blameQuery wraps an error that only another query ends.
func blameQuery(part string, err error) error {
	_, setting := errors.AsType[*SettingError](err)
	if !setting && isStatementRefused(err) {
		return &QueryError{part, err}
	}
	return fmt.Errorf("read the query: %w", err)
}
