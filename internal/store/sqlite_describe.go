package store

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
)

// describe has SQLite compile a statement. Only a query that changes nothing is run, for the names of its columns, with NULL for
// each parameter.
func (f *sqliteFile) describe(ctx context.Context, text string) (d description, err error) {
	if (statement{text: text}).several() {
		return d, errSeveral
	}
	width, err := f.compile(ctx, text, &d)
	if err != nil || d.changes || width == 0 {
		d.columns = make([]column, width)
		return d, err
	}
	rows, err := f.readers.QueryContext(ctx, text, make([]any, sqliteParams)...)
	if err != nil {
		return d, err
	}
	defer rows.Close()
	names, err := rows.Columns()
	for _, name := range names {
		d.columns = append(d.columns, column{name: name})
	}
	return d, cmp.Or(err, rows.Err())
}

// sqliteParams is more than any statement of ours has.
const sqliteParams = 16

// compile reads the program that EXPLAIN lists: the parameters that it uses, whether it writes, and how wide its rows are.
func (f *sqliteFile) compile(ctx context.Context, text string, d *description) (width int64, err error) {
	rows, err := f.readers.QueryContext(ctx, "EXPLAIN "+text, make([]any, sqliteParams)...)
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	var used []int64
	for rows.Next() {
		var addr, p1, p2, p3 int64
		var opcode string
		var p4, p5, comment sql.RawBytes
		if err := rows.Scan(&addr, &opcode, &p1, &p2, &p3, &p4, &p5, &comment); err != nil {
			return 0, fmt.Errorf("read the plan: %w", err)
		}
		switch opcode {
		case "Variable":
			used = append(used, p1)
		case "Transaction":
			d.changes = d.changes || p2 != 0
		case "ResultRow":
			width = max(width, p2)
		}
	}
	slices.Sort(used)
	d.params = make([]column, len(slices.Compact(used)))
	return width, rows.Err()
}
