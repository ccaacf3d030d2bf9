package store

import (
	"context"
	"database/sql"
	"slices"
	"strings"

	"fanfare/internal/notification"
)

func (f *sqliteFile) apply(ctx context.Context, rows []*notification.Result, devices []deviceRow, dead []userToken) error {
	tx, err := f.writer.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // does nothing after Commit
	if err := f.runForEach(ctx, tx, f.tokenClear, dead); err != nil {
		return err
	}
	if err := insertRows(ctx, tx, rows); err != nil {
		return err
	}
	if len(devices) > 0 {
		if _, err := tx.ExecContext(ctx, sqliteUpsertDevices, encodeDevices(devices)); err != nil {
			return err
		}
	}
	return tx.Commit()
}

func (f *sqliteFile) restore(ctx context.Context, tokens []userToken) error {
	tx, err := f.writer.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // does nothing after Commit
	if err := f.runForEach(ctx, tx, f.tokenRestore, tokens); err != nil {
		return err
	}
	return tx.Commit()
}

// runForEach runs a statement per token.
func (f *sqliteFile) runForEach(ctx context.Context, tx *sql.Tx, s statement, tokens []userToken) error {
	for _, t := range tokens {
		if _, err := tx.ExecContext(ctx, s.text, t.user, t.token); err != nil {
			return blameSetting(s.setting, err)
		}
	}
	return nil
}

// insertRows ignores the end of ctx, which ends the transaction anyway. For a context that can end,
// the driver starts a goroutine per statement.
func insertRows(ctx context.Context, tx *sql.Tx, rows []*notification.Result) error {
	ctx = context.WithoutCancel(ctx)
	full, err := tx.PrepareContext(ctx, sqliteUpsert(rowsPerStatement)) //nolint:sqlclosecheck // closed below; the check loses it in the loop
	if err != nil {
		return err
	}
	defer full.Close()
	for some := range slices.Chunk(rows, rowsPerStatement) {
		if len(some) == rowsPerStatement {
			_, err = full.ExecContext(ctx, rowArgs(some)...)
		} else {
			_, err = tx.ExecContext(ctx, sqliteUpsert(len(some)), rowArgs(some)...)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// rowsPerStatement spreads the cost of a statement, which in this SQLite is several times that of a
// row. BenchmarkApply measures it.
const rowsPerStatement = 20

func sqliteUpsert(rows int) string {
	const row = "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
	return `INSERT INTO fanfare_deliveries
	(campaign_id, user_id, result_id, status, rank, message_id, error_code, error, attempts, token_removed, at, variant, locale)
VALUES ` + row + strings.Repeat(", "+row, rows-1) + `
ON CONFLICT (campaign_id, user_id, result_id) DO UPDATE SET
	status = excluded.status, rank = excluded.rank, message_id = excluded.message_id,
	error_code = excluded.error_code, error = excluded.error, attempts = excluded.attempts,
	token_removed = excluded.token_removed, at = excluded.at, variant = excluded.variant, locale = excluded.locale, updated = excluded.updated
WHERE excluded.rank > rank`
}

func rowArgs(rows []*notification.Result) []any {
	var all []any
	for _, r := range rows {
		all = append(all, r.CampaignID, r.UserID, r.ResultID, string(r.Status), r.Status.Rank(),
			r.MessageID, r.ErrorCode, r.Error, r.Attempts, r.TokenRemoved, r.At.UTC().Format(timeLayout), r.Variant, r.Locale)
	}
	return all
}
