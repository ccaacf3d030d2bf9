package store

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"fanfare/internal/terminal"
)

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
	return q.refuseRows(ctx, text, "is NULL in some rows: name a column that has a value in each, or leave these rows out")
}

// CheckOrder reads the key and another column of the first page twice, in one statement. It returns
// a *QueryError if they differ, as they do for a key such as random() or row_number() over rows in
// any order: pages of such a query repeat and miss rows.
func (q *Query) CheckOrder(ctx context.Context, column string) error {
	page := fmt.Sprintf("SELECT CAST(%[1]s AS text) AS k, CAST(%[2]s AS text) AS v FROM (\n%[3]s\n) AS audience ORDER BY %[1]s LIMIT %[4]d",
		q.column(q.key), q.column(column), q.text, queryPage)
	text := fmt.Sprintf("SELECT * FROM (%[1]s) AS once EXCEPT SELECT * FROM (%[1]s) AS again LIMIT 1", page)
	return q.refuseRows(ctx, text, "is not the same when the query is read again: name a column that stays with its row, such as the primary key")
}

// refuseRows returns a *QueryError about the key if a statement finds a row.
func (q *Query) refuseRows(ctx context.Context, text, problem string) error {
	found := false
	err := q.s.withTimeout(ctx, func(ctx context.Context) error {
		return q.s.backend.queryReadOnly(ctx, text, func(scanFunc) error {
			found = true
			return nil
		})
	})
	switch {
	case err != nil:
		return blameQuery(PartKey, err)
	case found:
		return &QueryError{PartKey, fmt.Errorf("%s %s", terminal.Printable(q.key), problem)}
	}
	return nil
}

// blameQuery wraps an error that only another query ends.
func blameQuery(part string, err error) error {
	_, setting := errors.AsType[*SettingError](err)
	if !setting && isStatementRefused(err) {
		return &QueryError{part, err}
	}
	return fmt.Errorf("read the query: %w", err)
}
