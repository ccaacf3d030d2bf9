package store

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"fanfare/internal/notification"
)

const postgresTokenQuery = `SELECT id, fcm_token FROM users WHERE id = ANY($1)`

// postgres never names a prepared statement. A pooler such as PgBouncer hands each transaction to whatever server connection
// is free, where a name is taken by another client, or unknown.
type postgres struct {
	pool             *pgxpool.Pool
	session          *session
	clear, restoring statement
}

func openPostgres(ctx context.Context, rest string, o Options) (*Store, error) {
	o = o.resolve(postgresTokenQuery)
	url, err := postgresURL(rest, o.Logger)
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("open database: %w", openingError(err))
	}
	params := config.ConnConfig.RuntimeParams
	if params["application_name"] == "" {
		params["application_name"] = "fanfare"
	}
	spreadOptions(params)
	if config.ConnConfig.DefaultQueryExecMode != pgx.QueryExecModeSimpleProtocol {
		config.ConnConfig.DefaultQueryExecMode = pgx.QueryExecModeExec
	}
	config.ConnConfig.StatementCacheCapacity, config.ConnConfig.DescriptionCacheCapacity = 0, 0
	p := &postgres{session: newSession(params, o.Logger), clear: o.clearing(), restoring: o.restoring()}
	config.BeforeConnect = p.session.beforeConnect
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

// query runs in a transaction only where the session's parameters need one: by itself it costs one round trip.
func (p *postgres) query(ctx context.Context, text string, args []any, row rowFunc) error {
	if p.session.begin() == "" {
		return eachRow(ctx, p.pool, text, args, row)
	}
	return p.inTransaction(ctx, func(tx pgx.Tx) error { return eachRow(ctx, tx, text, args, row) })
}

func eachRow(ctx context.Context, on interface {
	Query(ctx context.Context, text string, args ...any) (pgx.Rows, error)
}, text string, args []any, row rowFunc,
) error {
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

// inTransaction begins with the session's parameters and ends with COMMIT, or with ROLLBACK where work fails.
func (p *postgres) inTransaction(ctx context.Context, work func(pgx.Tx) error) error {
	return pgx.BeginFunc(ctx, beginner{p}, work)
}

type beginner struct{ p *postgres }

// Begin blames the parameters where the server refuses to begin: nothing else is in that query.
func (b beginner) Begin(ctx context.Context) (pgx.Tx, error) {
	tx, err := b.p.pool.BeginTx(ctx, pgx.TxOptions{BeginQuery: b.p.session.begin()})
	return tx, settingError(settingDatabaseURL, err)
}

// instant is a column of times as momentLayout writes them, whatever DateStyle the server has.
func (p *postgres) instant(column string) string {
	return `to_char(` + column + ` AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`
}

// apply clears tokens first: the upserts lock the campaign's summary, which every batch of the campaign needs, and so
// they come last, right before COMMIT.
func (p *postgres) apply(ctx context.Context, rows []*notification.Result, dead []userToken) error {
	return p.inTransaction(ctx, func(tx pgx.Tx) error {
		if err := p.each(ctx, tx, p.clear, dead); err != nil {
			return err
		}
		return tx.SendBatch(ctx, upserts(rows)).Close()
	})
}

func (p *postgres) restore(ctx context.Context, tokens []userToken) error {
	return p.inTransaction(ctx, func(tx pgx.Tx) error { return p.each(ctx, tx, p.restoring, tokens) })
}

// each runs a statement for each token inside a savepoint, for a refused statement would end the transaction. When
// PostgreSQL cannot convert a user id to the type of the column, no such user can be in the table: halves are tried,
// down to that id.
func (p *postgres) each(ctx context.Context, tx pgx.Tx, s statement, tokens []userToken) error {
	if len(tokens) == 0 {
		return nil
	}
	err := pgx.BeginFunc(ctx, tx, func(savepoint pgx.Tx) error {
		runs := &pgx.Batch{}
		for _, t := range tokens {
			runs.Queue(s.text, t.user, t.token)
		}
		return savepoint.SendBatch(ctx, runs).Close()
	})
	if err == nil {
		return nil
	}
	if !inconvertible(err) {
		return settingError(s.setting, err)
	}
	if len(tokens) == 1 {
		return nil
	}
	half := len(tokens) / 2
	if err := p.each(ctx, tx, s, tokens[:half]); err != nil {
		return err
	}
	return p.each(ctx, tx, s, tokens[half:])
}

func (p *postgres) tokenForm() string { return postgresTokenQuery }

func (p *postgres) profileForm() string { return `SELECT id, profile FROM users WHERE id = ANY($1)` }

// ownStatements have one for the table that the triggers write, with our rights.
func (p *postgres) ownStatements() []string {
	return []string{upsert, selectSummary, `INSERT INTO fanfare_campaign_summary AS s (campaign_id, sent, failed, skipped, expired, unknown)
VALUES ('', 0, 0, 0, 0, 0) ON CONFLICT (campaign_id) DO UPDATE SET sent = s.sent + excluded.sent`}
}
