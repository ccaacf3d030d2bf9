package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"fanfare/internal/notification"
)

const (
	insertHistory = `INSERT INTO fanfare_history (campaign_id, entry_id, at, what, who, detail, n)
VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING`
	// MaxHistory limits the entries that History returns.
	MaxHistory = 1000
)

// AddHistory writes entries of a campaign's history. Those that are there already are left alone.
func (s *Store) AddHistory(ctx context.Context, campaign string, entries []notification.HistoryEntry) error {
	err := s.withTimeout(ctx, func(ctx context.Context) error { return s.backend.addHistory(ctx, campaign, entries) })
	if err != nil {
		return fmt.Errorf("write history of campaign %q: %w", campaign, blameMissing(err))
	}
	return nil
}

func (p *postgres) addHistory(ctx context.Context, campaign string, entries []notification.HistoryEntry) error {
	return p.inTransaction(ctx, func(tx pgx.Tx) error {
		inserts := &pgx.Batch{}
		for _, e := range entries {
			inserts.Queue(insertHistory, campaign, e.ID, e.At, e.What, e.Who, e.Detail, e.N)
		}
		return tx.SendBatch(ctx, inserts).Close()
	})
}

func (f *sqliteFile) addHistory(ctx context.Context, campaign string, entries []notification.HistoryEntry) error {
	tx, err := f.writer.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // does nothing after Commit
	if err := insertEntries(ctx, tx, campaign, entries); err != nil {
		return err
	}
	return tx.Commit()
}

func insertEntries(ctx context.Context, tx *sql.Tx, campaign string, entries []notification.HistoryEntry) error {
	for _, e := range entries {
		_, err := tx.ExecContext(ctx, insertHistory, campaign, e.ID, e.At.UTC().Format(timeLayout), e.What, e.Who, e.Detail, e.N)
		if err != nil {
			return err
		}
	}
	return nil
}

// selectHistory selects the newest entries; at is an expression.
func selectHistory(at string) string {
	return `SELECT entry_id, ` + at + `, what, who, detail, n FROM fanfare_history WHERE campaign_id = $1
ORDER BY entry_id DESC LIMIT $2`
}

// History returns the newest entries of a campaign's history, the newest last: at most MaxHistory.
func (s *Store) History(ctx context.Context, campaign string) (found []notification.HistoryEntry, err error) {
	err = s.withTimeout(ctx, func(ctx context.Context) error {
		found = nil
		return s.backend.query(ctx, selectHistory(s.backend.timeExpression("at")), []any{campaign, MaxHistory}, func(scan scanFunc) error {
			var e notification.HistoryEntry
			var at string
			if err := scan(&e.ID, &at, &e.What, &e.Who, &e.Detail, &e.N); err != nil {
				return err
			}
			if e.At, err = time.Parse(timeLayout, at); err != nil {
				return fmt.Errorf("read time: %w", err)
			}
			found = append(found, e)
			return nil
		})
	})
	if err != nil {
		return nil, fmt.Errorf("read history of campaign %q: %w", campaign, blameMissing(err))
	}
	slices.Reverse(found)
	return found, nil
}
