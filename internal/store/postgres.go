package store

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"
)

const postgresTokenQuery = `SELECT id, fcm_token FROM users WHERE id = ANY($1)`

// postgres uses no named prepared statements. A pooler such as PgBouncer gives each transaction any
// free server connection. There a name may be unknown, or taken by another client.
type postgres struct {
	pool                     *pgxpool.Pool
	session                  *session
	log                      *slog.Logger
	tokenClear, tokenRestore statement
}

func openPostgres(ctx context.Context, rest string, o Options) (*Store, error) {
	o = o.resolve(postgresTokenQuery)
	url, err := translateURL(rest, o.Logger)
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("open database: %w", redactURL(err))
	}
	params := config.ConnConfig.RuntimeParams
	if params["application_name"] == "" {
		params["application_name"] = "fanfare"
	}
	splitOptions(params)
	if config.ConnConfig.DefaultQueryExecMode != pgx.QueryExecModeSimpleProtocol {
		config.ConnConfig.DefaultQueryExecMode = pgx.QueryExecModeExec
	}
	config.ConnConfig.StatementCacheCapacity, config.ConnConfig.DescriptionCacheCapacity = 0, 0
	p := &postgres{session: newSession(params, o.Logger), log: o.Logger, tokenClear: o.tokenClear(), tokenRestore: o.tokenRestore()}
	config.BeforeConnect = p.session.omitRefused
	if p.pool, err = pgxpool.NewWithConfig(ctx, config); err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	return &Store{o: o, backend: p}, nil
}

func (p *postgres) close() error {
	p.pool.Close()
	return nil
}

func (p *postgres) ping(ctx context.Context) error { return p.pool.Ping(ctx) }

func (p *postgres) adapt(err error) bool { return p.session.adapt(err) }

// query uses a transaction only if session parameters need one. Without it a query costs one round
// trip.
func (p *postgres) query(ctx context.Context, text string, args []any, row rowFunc) error {
	if p.session.beginQuery() == "" {
		return forEachRow(ctx, p.pool, text, args, row)
	}
	return p.inTransaction(ctx, func(tx pgx.Tx) error { return forEachRow(ctx, tx, text, args, row) })
}

func (p *postgres) queryNamed(ctx context.Context, text string, args []any, row func([]string, scanFunc) error) error {
	return p.onRows(ctx, text, args, func(rows pgx.Rows) error {
		var columns []string
		for rows.Next() {
			if columns == nil {
				for _, field := range rows.FieldDescriptions() {
					columns = append(columns, field.Name)
				}
			}
			if err := row(columns, rows.Scan); err != nil {
				return err
			}
		}
		return rows.Err()
	})
}

// onRows runs a query as query does.
func (p *postgres) onRows(ctx context.Context, text string, args []any, work func(pgx.Rows) error) error {
	run := func(on querier) error {
		rows, err := on.Query(ctx, text, args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		return work(rows)
	}
	if p.session.beginQuery() == "" {
		return run(p.pool)
	}
	return p.inTransaction(ctx, func(tx pgx.Tx) error { return run(tx) })
}

// querier is a pool or a transaction.
type querier interface {
	Query(ctx context.Context, text string, args ...any) (pgx.Rows, error)
}

func forEachRow(ctx context.Context, on querier, text string, args []any, row rowFunc) error {
	rows, err := on.Query(ctx, text, args...)
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

// inTransaction runs work in a transaction that begins with the session's parameters. It commits,
// or rolls back if work fails.
func (p *postgres) inTransaction(ctx context.Context, work func(pgx.Tx) error) error {
	return pgx.BeginFunc(ctx, txStarter{p: p}, work)
}

// readInOrder keeps the planner from reading all rows of a campaign to sort them. It does so for a
// page if it expects few rows: it takes campaign and status for independent, which they are not. A
// sort that is off but needed has a high cost, for which the planner would compile the query.
const readInOrder = "; SET LOCAL enable_sort = off; SET LOCAL enable_bitmapscan = off; SET LOCAL enable_seqscan = off; SET LOCAL jit = off"

// queryInOrder is query for a page in the order of an index.
func (p *postgres) queryInOrder(ctx context.Context, text string, args []any, row rowFunc) error {
	return pgx.BeginFunc(ctx, txStarter{p: p, then: readInOrder}, func(tx pgx.Tx) error { return forEachRow(ctx, tx, text, args, row) })
}

// txStarter begins transactions. then are further statements, or "".
type txStarter struct {
	p    *postgres
	then string
}

// Begin blames the database URL if the server refuses to begin. The query holds nothing but the
// URL's parameters.
func (b txStarter) Begin(ctx context.Context) (pgx.Tx, error) {
	begin := b.p.session.beginQuery()
	if b.then != "" {
		begin = cmp.Or(begin, "BEGIN") + b.then
	}
	tx, err := b.p.pool.BeginTx(ctx, pgx.TxOptions{BeginQuery: begin})
	return tx, blameSetting(settingDatabaseURL, err)
}

// timeExpression formats a time column as timeLayout, whatever DateStyle the server has.
func (p *postgres) timeExpression(column string) string {
	return `to_char(` + column + ` AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`
}

func (p *postgres) exampleTokenQuery() string { return postgresTokenQuery }

func (p *postgres) exampleProfileQuery() string {
	return `SELECT id, profile FROM users WHERE id = ANY($1)`
}

func (p *postgres) inIDs() string { return "= ANY($1)" }

// ownStatements includes what the triggers write, because they do so with the user's permissions.
func (p *postgres) ownStatements() []string {
	return []string{
		upsert, selectSummary, `INSERT INTO fanfare_campaign_summary AS s (campaign_id, sent, failed, skipped, expired, unknown)
VALUES ('', 0, 0, 0, 0, 0) ON CONFLICT (campaign_id) DO UPDATE SET sent = s.sent + excluded.sent`,
		`INSERT INTO fanfare_minutes AS m (campaign_id, minute, status, error_code, n)
VALUES ('', now(), '', '', 0) ON CONFLICT (campaign_id, minute, status, error_code) DO UPDATE SET n = m.n + excluded.n`,
		`INSERT INTO fanfare_codes (campaign_id, error_code) SELECT campaign_id, error_code FROM fanfare_codes`,
		insertHistory, postgresUpsertDevices,
	}
}

func (p *postgres) inArray(param string) string { return "= ANY(" + param + "::text[])" }

// encodeIDs writes an array in PostgreSQL's text form. The server converts it to the type that the
// query compares with.
func (p *postgres) encodeIDs(ids []string) string {
	var list strings.Builder
	list.WriteByte('{')
	for i, id := range ids {
		if i > 0 {
			list.WriteByte(',')
		}
		list.WriteByte('"')
		list.WriteString(arrayEscapes.Replace(id))
		list.WriteByte('"')
	}
	list.WriteByte('}')
	return list.String()
}

var arrayEscapes = strings.NewReplacer(`\`, `\\`, `"`, `\"`)

// filterConvertible asks PostgreSQL for the type of $1. Bisecting instead costs several queries,
// and as many errors in the server's log, per id at fault.
func (p *postgres) filterConvertible(ctx context.Context, query string, ids []string) ([]string, error) {
	conn, err := p.pool.Acquire(ctx)
	if err != nil {
		return nil, err
	}
	defer conn.Release()
	described, err := conn.Conn().PgConn().Prepare(ctx, "", query, nil)
	if err != nil {
		return nil, err
	}
	unfit := func(id string) bool { return !canHold(described.ParamOIDs[0], id) }
	return slices.DeleteFunc(slices.Clone(ids), unfit), nil
}

// canHold reports whether an array type can hold the id. It accepts all ids for unusual types.
func canHold(array uint32, id string) bool {
	var err error
	switch array {
	case pgtype.Int2ArrayOID:
		_, err = strconv.ParseInt(id, 10, 16)
	case pgtype.Int4ArrayOID:
		_, err = strconv.ParseInt(id, 10, 32)
	case pgtype.Int8ArrayOID:
		_, err = strconv.ParseInt(id, 10, 64)
	case pgtype.UUIDArrayOID:
		err = uuid.Validate(id)
	}
	return err == nil
}
