package store

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"runtime"
	"slices"
	"strings"
)

const sqliteTokenQuery = `SELECT id, fcm_token FROM users WHERE id IN (SELECT value FROM json_each($1))`

// sqliteFile has one connection for all writers, because SQLite allows one writer at a time.
// Writers thus queue in Go and not in SQLite's busy handler, which polls.
type sqliteFile struct {
	dsn                      string
	readers, writer          *sql.DB
	tokenClear, tokenRestore statement
}

// sqlitePragmas use a write-ahead log, so that readers continue during a write. synchronous=FULL
// makes COMMIT durable at one fsync per batch. The responder removes a result from Redis after
// COMMIT, and with NORMAL a power cut could lose the last commits. busy_timeout is for writers of
// other processes.
const sqlitePragmas = "?_busy_timeout=5000&_journal_mode=WAL&_synchronous=FULL&_txlock=immediate"

// writerPragmas keep up to 32 MiB of the index in memory, because writes touch all of it. The log
// grows as large before its pages are copied back. A page that several batches change is then
// copied once.
const writerPragmas = sqlitePragmas + "&_pragma=cache_size(-32768)&_pragma=wal_autocheckpoint(8192)"

func openSQLite(path string, o Options) (*Store, error) {
	path = strings.TrimPrefix(path, "//")
	if path == "" || strings.HasPrefix(path, ":memory:") {
		return nil, errors.New("open database: sqlite: needs the path of a file, such as " + sqliteExample)
	}
	file := "file:" + (&url.URL{Path: path}).EscapedPath()
	readers, err := openSQLitePool(file + sqlitePragmas)
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	readers.SetMaxOpenConns(max(2, runtime.GOMAXPROCS(0)))
	writer, err := openSQLitePool(file + writerPragmas)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open database: %w", err), readers.Close())
	}
	writer.SetMaxOpenConns(1)
	o = o.resolve(sqliteTokenQuery)
	return &Store{o: o, backend: &sqliteFile{
		dsn: file + writerPragmas, readers: readers, writer: writer, tokenClear: o.tokenClear(), tokenRestore: o.tokenRestore(),
	}}, nil
}

func (f *sqliteFile) close() error { return errors.Join(f.readers.Close(), f.writer.Close()) }

func (f *sqliteFile) ping(ctx context.Context) error { return f.readers.PingContext(ctx) }

// adapt does nothing, because SQLite has no session parameters.
func (f *sqliteFile) adapt(error) bool { return false }

func (f *sqliteFile) query(ctx context.Context, text string, args []any, row rowFunc) error {
	rows, err := f.readers.QueryContext(ctx, text, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := row(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}

func (f *sqliteFile) queryNamed(ctx context.Context, text string, args []any, row func([]string, scanFunc) error) error {
	rows, err := f.readers.QueryContext(ctx, text, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		return err
	}
	for rows.Next() {
		if err := row(columns, rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}

// queryInOrder is query, because SQLite reads a page through the index that orders it.
func (f *sqliteFile) queryInOrder(ctx context.Context, text string, args []any, row rowFunc) error {
	return f.query(ctx, text, args, row)
}

// timeExpression returns the column itself, because times are stored as text.
func (f *sqliteFile) timeExpression(column string) string { return column }

func (f *sqliteFile) inArray(param string) string {
	return "IN (SELECT value FROM json_each(" + param + "))"
}

// encodeIDs returns a JSON array of strings for json_each. The column's affinity makes a number
// equal to its text.
func (f *sqliteFile) encodeIDs(ids []string) string {
	list, err := json.Marshal(ids)
	if err != nil {
		panic(err) // strings always marshal
	}
	return string(list)
}

// filterConvertible keeps all ids, because SQLite compares values of any type.
func (f *sqliteFile) filterConvertible(_ context.Context, _ string, ids []string) ([]string, error) {
	return ids, nil
}

func (f *sqliteFile) exampleTokenQuery() string { return sqliteTokenQuery }

func (f *sqliteFile) exampleProfileQuery() string {
	return `SELECT id, profile FROM users WHERE id IN (SELECT value FROM json_each($1))`
}

func (f *sqliteFile) inIDs() string { return f.inArray("$1") }

func (f *sqliteFile) ownStatements() []string {
	return []string{sqliteUpsert(1), selectSummary, selectMinutes("minute"), insertHistory, sqliteUpsertDevices}
}

// describe has SQLite compile a statement. Queries that change nothing also run, with NULL
// parameters, because only that returns the column names.
func (f *sqliteFile) describe(ctx context.Context, text string) (d description, err error) {
	if (statement{text: text}).hasSeveral() {
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
	types, err := rows.ColumnTypes()
	for _, t := range types {
		d.columns = append(d.columns, column{name: t.Name(), typ: t.DatabaseTypeName()})
	}
	return d, cmp.Or(err, rows.Err())
}

// sqliteParams is more than any statement has.
const sqliteParams = 16

// compile reads the program that EXPLAIN lists. It finds the parameters in use, whether the
// statement writes, and the width of its rows.
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
