package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"runtime"
	"slices"
	"strings"

	"fanfare/internal/notification"
)

const sqliteTokenQuery = `SELECT id, fcm_token FROM users WHERE id IN (SELECT value FROM json_each($1))`

// SQLite has one writer at a time. Ours share one connection, so that they queue in Go and not in SQLite's busy
// handler, which polls.
type sqliteFile struct {
	dsn              string
	readers, writer  *sql.DB
	clear, restoring statement
}

// The write-ahead log lets readers go on while we write. synchronous is FULL, so that COMMIT means on the disk: the
// responder removes a result from Redis on the strength of it, and with NORMAL a power cut could take back the last
// commits. It costs one fsync a batch. busy_timeout is for the writers of other processes.
const sqlitePragmas = "?_busy_timeout=5000&_journal_mode=WAL&_synchronous=FULL&_txlock=immediate"

// The writer goes all over the index: it keeps up to 32 MiB of it in memory, and a log of as much before it copies pages
// back, so that a page which several batches change is copied once.
const writerPragmas = sqlitePragmas + "&_pragma=cache_size(-32768)&_pragma=wal_autocheckpoint(8192)"

func openSQLite(path string, o Options) (*Store, error) {
	path = strings.TrimPrefix(path, "//")
	if path == "" || strings.HasPrefix(path, ":memory:") {
		return nil, errors.New("open database: sqlite: needs the path of a file, such as sqlite:fanfare.db")
	}
	file := "file:" + (&url.URL{Path: path}).EscapedPath()
	readers, err := sql.Open("sqlite", file+sqlitePragmas)
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	readers.SetMaxOpenConns(max(2, runtime.GOMAXPROCS(0)))
	writer, err := sql.Open("sqlite", file+writerPragmas)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open database: %w", err), readers.Close())
	}
	writer.SetMaxOpenConns(1)
	o = o.resolve(sqliteTokenQuery)
	return &Store{o: o, backend: &sqliteFile{
		dsn: file + writerPragmas, readers: readers, writer: writer, clear: o.clearing(), restoring: o.restoring(),
	}}, nil
}

func (f *sqliteFile) close() error { return errors.Join(f.readers.Close(), f.writer.Close()) }

func (f *sqliteFile) ping(ctx context.Context) error { return f.readers.PingContext(ctx) }

// adapt has nothing to learn: there is no session.
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

// instant is a column of times, which are stored as texts.
func (f *sqliteFile) instant(column string) string { return column }

// rowsAStatement amortises the price of a statement, which in this SQLite is several times that of a row.
const rowsAStatement = 20

func sqliteUpsert(rows int) string {
	const row = "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
	return `INSERT INTO fanfare_deliveries
	(campaign_id, user_id, result_id, status, rank, message_id, error_code, error, attempts, token_removed, at)
VALUES ` + row + strings.Repeat(", "+row, rows-1) + `
ON CONFLICT (campaign_id, user_id, result_id) DO UPDATE SET
	status = excluded.status, rank = excluded.rank, message_id = excluded.message_id,
	error_code = excluded.error_code, error = excluded.error, attempts = excluded.attempts,
	token_removed = excluded.token_removed, at = excluded.at, updated = excluded.updated
WHERE excluded.rank > rank`
}

func (f *sqliteFile) apply(ctx context.Context, rows []*notification.Result, dead []userToken) error {
	tx, err := f.writer.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // does nothing after Commit
	if err := f.each(ctx, tx, f.clear, dead); err != nil {
		return err
	}
	if err := insertRows(ctx, tx, rows); err != nil {
		return err
	}
	return tx.Commit()
}

// insertRows leaves it to the transaction to be cut off by ctx: for a context that can end, the driver starts a goroutine
// for each statement.
func insertRows(ctx context.Context, tx *sql.Tx, rows []*notification.Result) error {
	ctx = context.WithoutCancel(ctx)
	full, err := tx.PrepareContext(ctx, sqliteUpsert(rowsAStatement)) //nolint:sqlclosecheck // closed below; the check loses it in the loop
	if err != nil {
		return err
	}
	defer full.Close()
	for some := range slices.Chunk(rows, rowsAStatement) {
		if len(some) == rowsAStatement {
			_, err = full.ExecContext(ctx, values(some)...)
		} else {
			_, err = tx.ExecContext(ctx, sqliteUpsert(len(some)), values(some)...)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func values(rows []*notification.Result) []any {
	var all []any
	for _, r := range rows {
		all = append(all, r.CampaignID, r.UserID, r.ResultID, string(r.Status), r.Status.Rank(),
			r.MessageID, r.ErrorCode, r.Error, r.Attempts, r.TokenRemoved, r.At.UTC().Format(instantLayout))
	}
	return all
}

// idList is a JSON array of strings, for json_each; a number among the ids compares equal to its text, by the column's
// affinity.
func (f *sqliteFile) idList(ids []string) string {
	list, err := json.Marshal(ids)
	if err != nil {
		panic(err) // strings always marshal
	}
	return string(list)
}

// fitting leaves nothing out: SQLite compares any two values.
func (f *sqliteFile) fitting(_ context.Context, _ string, ids []string) ([]string, error) {
	return ids, nil
}

func (f *sqliteFile) tokenForm() string { return sqliteTokenQuery }

func (f *sqliteFile) profileForm() string {
	return `SELECT id, profile FROM users WHERE id IN (SELECT value FROM json_each($1))`
}

func (f *sqliteFile) ownStatements() []string { return []string{sqliteUpsert(1), selectSummary} }
