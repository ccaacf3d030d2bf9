package store

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"fanfare/internal/notification"
)

// apply clears tokens before it writes rows. Writing rows locks the campaign's summary, which all
// batches of the campaign need. Locking it last, right before COMMIT, keeps the lock short.
func (p *postgres) apply(ctx context.Context, rows []*notification.Result, devices []deviceRow, dead []userToken) error {
	return p.inTransaction(ctx, func(tx pgx.Tx) error {
		if err := p.runForEach(ctx, tx, p.tokenClear, dead); err != nil {
			return err
		}
		statements := buildUpserts(rows)
		if len(devices) > 0 {
			statements.Queue(postgresUpsertDevices, encodeDevices(devices))
		}
		return tx.SendBatch(ctx, statements).Close()
	})
}

func (p *postgres) restore(ctx context.Context, tokens []userToken) error {
	return p.inTransaction(ctx, func(tx pgx.Tx) error { return p.runForEach(ctx, tx, p.tokenRestore, tokens) })
}

// runForEach runs a statement per token in a savepoint, because an error would abort the whole
// transaction. An id that PostgreSQL cannot convert to the column's type belongs to no user.
// runForEach bisects the tokens to skip it.
func (p *postgres) runForEach(ctx context.Context, tx pgx.Tx, s statement, tokens []userToken) error {
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
	if !isConversionError(err) {
		return blameSetting(s.setting, err)
	}
	if len(tokens) == 1 {
		return nil
	}
	half := len(tokens) / 2
	if err := p.runForEach(ctx, tx, s, tokens[:half]); err != nil {
		return err
	}
	return p.runForEach(ctx, tx, s, tokens[half:])
}

const upsert = `INSERT INTO fanfare_deliveries AS stored
	(campaign_id, user_id, result_id, status, rank, message_id, error_code, error, attempts, token_removed, at, variant, locale)
SELECT $1, * FROM unnest($2::text[], $3::text[], $4::text[], $5::smallint[], $6::text[], $7::text[], $8::text[], $9::int[], $10::bool[], $11::timestamptz[], $12::text[], $13::text[])
ON CONFLICT (campaign_id, user_id, result_id) DO UPDATE SET
	status = excluded.status, rank = excluded.rank, message_id = excluded.message_id,
	error_code = excluded.error_code, error = excluded.error, attempts = excluded.attempts,
	token_removed = excluded.token_removed, at = excluded.at, variant = excluded.variant, locale = excluded.locale, updated = excluded.updated
WHERE excluded.rank > stored.rank`

// buildUpserts builds one statement per campaign. A single statement could deadlock with another
// batch: the triggers for inserts and for updates would each lock summaries in their own order.
func buildUpserts(rows []*notification.Result) *pgx.Batch {
	statements := &pgx.Batch{}
	for len(rows) > 0 {
		n := 1
		for n < len(rows) && rows[n].CampaignID == rows[0].CampaignID {
			n++
		}
		columns := newColumns(n)
		for i, r := range rows[:n] {
			columns.set(i, r)
		}
		statements.Queue(upsert, append([]any{rows[0].CampaignID}, columns.args()...)...)
		rows = rows[n:]
	}
	return statements
}

// columns are the rows transposed, as unnest takes them.
type columns struct {
	user, result, status, message, code, text, variant, locale []string
	rank                                                       []int16
	attempts                                                   []int32
	removed                                                    []bool
	at                                                         []time.Time
}

func newColumns(n int) *columns {
	return &columns{
		user: make([]string, n), result: make([]string, n), status: make([]string, n), message: make([]string, n),
		code: make([]string, n), text: make([]string, n), rank: make([]int16, n), attempts: make([]int32, n),
		removed: make([]bool, n), at: make([]time.Time, n), variant: make([]string, n), locale: make([]string, n),
	}
}

func (c *columns) set(i int, r *notification.Result) {
	c.user[i], c.result[i], c.status[i], c.rank[i] = r.UserID, r.ResultID, string(r.Status), int16(r.Status.Rank())
	c.message[i], c.code[i], c.text[i] = r.MessageID, r.ErrorCode, r.Error
	c.attempts[i], c.removed[i], c.at[i], c.variant[i], c.locale[i] = int32(r.Attempts), r.TokenRemoved, r.At, r.Variant, r.Locale
}

func (c *columns) args() []any {
	return []any{c.user, c.result, c.status, c.rank, c.message, c.code, c.text, c.attempts, c.removed, c.at, c.variant, c.locale}
}
