package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
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
// *QueryError for a query that cannot be read.
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
