package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// The steps of a migration that would hold the lock of a large table for long run after its
// transaction. Each looks at what is there, so it can be interrupted and repeated.

// userIndexState asks for the index of what one user received. build and drop are the statements
// that make and remove it, with the schema: they cannot run in a transaction, where a pooler's
// clients set search_path.
const userIndexState = `SELECT coalesce(i.indisvalid, false), i.indexrelid IS NOT NULL,
	EXISTS (SELECT FROM pg_stat_progress_create_index AS p WHERE p.relid = t.oid),
	format('CREATE INDEX CONCURRENTLY IF NOT EXISTS fanfare_deliveries_user ON %I.fanfare_deliveries (user_id, at)', n.nspname),
	format('DROP INDEX CONCURRENTLY IF EXISTS %I.fanfare_deliveries_user', n.nspname)
FROM pg_class AS t JOIN pg_namespace AS n ON n.oid = t.relnamespace
LEFT JOIN (pg_index AS i JOIN pg_class AS c ON c.oid = i.indexrelid AND c.relname = 'fanfare_deliveries_user') ON i.indrelid = t.oid
WHERE t.oid = to_regclass('fanfare_deliveries')`

// indexAttempts bounds the builds of the index in one migration.
const indexAttempts = 5

// buildUserIndex builds the index without a lock against writers, unless it exists or another
// replica builds it. No write needs it, so a failure is a warning, and the next start tries again.
func (p *postgres) buildUserIndex(ctx context.Context) {
	var err error
	for range indexAttempts {
		var done bool
		if done, err = p.tryUserIndex(ctx); done || ctx.Err() != nil {
			return
		}
		if !isDeadlock(err) && err != nil {
			break
		}
		select {
		case <-ctx.Done():
		case <-time.After(lockInterval):
		}
	}
	p.log.Warn("index of users is not built; fanfare user show is slow until the next start builds it", "error", err)
}

// tryUserIndex does one step towards the index. An interrupted build leaves an invalid index, which
// must be dropped first.
func (p *postgres) tryUserIndex(ctx context.Context) (done bool, err error) {
	var valid, exists, building bool
	var build, drop string
	err = p.query(ctx, userIndexState, nil, func(scan scanFunc) error { return scan(&valid, &exists, &building, &build, &drop) })
	if err != nil || valid || building || build == "" { // without the table, CheckWrites says so
		return err == nil, err
	}
	if exists {
		if _, err := p.pool.Exec(ctx, drop); err != nil {
			return false, err
		}
	}
	if _, err = p.pool.Exec(ctx, build); err != nil {
		return false, err
	}
	err = p.query(ctx, userIndexState, nil, func(scan scanFunc) error { return scan(&done, &exists, &building, &build, &drop) })
	return done || building, err
}

// isDeadlock reports whether PostgreSQL chose this session to end a deadlock, such as that of two
// replicas that build one index.
func isDeadlock(err error) bool {
	e, ok := errors.AsType[*pgconn.PgError](err)
	return ok && e.Code == "40P01"
}

// miscounted selects the campaigns whose minutes do not add up to the summary: those with rows from
// before there were minutes.
const miscounted = `SELECT s.campaign_id FROM fanfare_campaign_summary AS s
LEFT JOIN (SELECT campaign_id, sum(n) AS n FROM fanfare_minutes GROUP BY campaign_id) AS m USING (campaign_id)
WHERE s.sent + s.failed + s.skipped + s.expired + s.unknown <> coalesce(m.n, 0)`

// recount counts the minutes of one campaign ($1) again. Its row in the summary is locked, which
// all writers of the campaign wait for, and no others.
var recount = []string{
	`SELECT FROM fanfare_campaign_summary WHERE campaign_id = $1 FOR UPDATE`,
	`UPDATE fanfare_minutes SET n = 0 WHERE campaign_id = $1`,
	`INSERT INTO fanfare_codes (campaign_id, error_code)
SELECT $1, error_code FROM fanfare_deliveries WHERE campaign_id = $1 AND status <> 'sent' AND NOT fanfare_is_named($1, error_code)
GROUP BY error_code ORDER BY error_code
LIMIT greatest(0, 24 - (SELECT count(*) FROM fanfare_codes WHERE campaign_id = $1))`,
	`INSERT INTO fanfare_minutes AS m (campaign_id, minute, status, error_code, n)
SELECT $1, minute, status, CASE WHEN fanfare_is_named($1, error_code) THEN error_code ELSE 'OTHER' END, sum(n)
FROM (SELECT date_trunc('minute', at) AS minute, status, error_code, count(*) AS n
      FROM fanfare_deliveries WHERE campaign_id = $1 GROUP BY 1, 2, 3) AS raw
GROUP BY 1, 2, 3, 4
ON CONFLICT (campaign_id, minute, status, error_code) DO UPDATE SET n = m.n + excluded.n`,
}

// recountMinutes counts the minutes of campaigns that began before there were any.
func (p *postgres) recountMinutes(ctx context.Context) error {
	var campaigns []string
	err := p.query(ctx, miscounted, nil, func(scan scanFunc) error {
		campaigns = append(campaigns, "")
		return scan(&campaigns[len(campaigns)-1])
	})
	if isMissing(err) {
		return nil // CheckWrites names the table
	}
	if err != nil {
		return err
	}
	for _, campaign := range campaigns {
		err := p.inTransaction(ctx, func(tx pgx.Tx) error {
			for _, text := range recount {
				if _, err := tx.Exec(ctx, text, campaign); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("count the minutes of campaign %q: %w", campaign, err)
		}
	}
	return nil
}
