package store

import (
	"context"
	"fmt"
	"strings"
	"time"

	"fanfare/internal/notification"
)

// Summary is the number of a campaign's outcomes by status.
type Summary struct {
	CampaignID string
	// Counts has an entry for every status, including those with 0.
	Counts map[notification.Status]int64
}

// Total returns the number of outcomes.
func (s Summary) Total() int64 {
	var total int64
	for _, n := range s.Counts {
		total += n
	}
	return total
}

const selectSummary = `SELECT sent, failed, skipped, expired, unknown FROM fanfare_campaign_summary WHERE campaign_id = $1`

// Summary returns the counts of a campaign. An unknown campaign has 0 of every status.
func (s *Store) Summary(ctx context.Context, campaign string) (Summary, error) {
	var sent, failed, skipped, expired, unknown int64
	err := s.withTimeout(ctx, func(ctx context.Context) error {
		return s.backend.query(ctx, selectSummary, []any{campaign}, func(scan scanFunc) error {
			return scan(&sent, &failed, &skipped, &expired, &unknown)
		})
	})
	if err != nil {
		return Summary{}, fmt.Errorf("read summary of campaign %q: %w", campaign, blameMissing(err))
	}
	return Summary{CampaignID: campaign, Counts: map[notification.Status]int64{
		notification.StatusSent: sent, notification.StatusFailed: failed, notification.StatusSkipped: skipped,
		notification.StatusExpired: expired, notification.StatusUnknown: unknown,
	}}, nil
}

// selectResults returns the start of each query for outcomes.
func (s *Store) selectResults() string {
	return `SELECT campaign_id, user_id, result_id, status, message_id, error_code, error, attempts, token_removed, ` + variantColumn + `, ` + localeColumn + `, ` +
		s.backend.timeExpression("at") + ` `
}

// selectDeliveries returns the start of each query for outcomes of a campaign ($1).
func (s *Store) selectDeliveries() string {
	return s.selectResults() + `FROM fanfare_deliveries WHERE campaign_id = $1 `
}

// Deliveries returns the outcomes of a user in a campaign, ordered by result id. There is one per
// time that the audience names the user. Removed tokens are not stored, so Token is empty.
func (s *Store) Deliveries(ctx context.Context, campaign, user string) ([]notification.Result, error) {
	found, err := s.queryResults(ctx, s.selectDeliveries()+`AND user_id = $2 ORDER BY result_id`, campaign, user)
	if err == nil {
		err = s.addDevices(ctx, found)
	}
	if err != nil {
		return nil, fmt.Errorf("read deliveries of campaign %q to user %q: %w", campaign, user, err)
	}
	return found, nil
}

func (s *Store) queryResults(ctx context.Context, query string, args ...any) ([]notification.Result, error) {
	return s.collectResults(ctx, s.backend.query, query, args...)
}

// collectResults reads outcomes with one of the backend's ways to query.
func (s *Store) collectResults(ctx context.Context, run func(context.Context, string, []any, rowFunc) error, query string, args ...any) ([]notification.Result, error) {
	var found []notification.Result
	err := withPresentColumns(query, func(query string) (err error) {
		found, err = s.tryResults(ctx, run, query, args...)
		return err
	})
	return found, err
}

// Columns that came with later versions of the tables.
const (
	variantColumn = "variant"
	localeColumn  = "locale"
)

// withPresentColumns runs a query. If no responder has updated the tables yet, it runs the query
// again without the columns that they lack, which are empty then.
func withPresentColumns(query string, run func(query string) error) error {
	err := run(query)
	for _, column := range []string{localeColumn, variantColumn} { // the newest first
		if !isColumnMissing(err) {
			break
		}
		query = strings.Replace(query, column, "''", 1)
		err = run(query)
	}
	return err
}

func (s *Store) tryResults(ctx context.Context, run func(context.Context, string, []any, rowFunc) error, query string, args ...any) (found []notification.Result, err error) {
	err = s.withTimeout(ctx, func(ctx context.Context) error {
		found = nil
		return run(ctx, query, args, func(scan scanFunc) error {
			var r notification.Result
			var at string
			err := scan(&r.CampaignID, &r.UserID, &r.ResultID, &r.Status, &r.MessageID, &r.ErrorCode, &r.Error,
				&r.Attempts, &r.TokenRemoved, &r.Variant, &r.Locale, &at)
			if err != nil {
				return err
			}
			if r.At, err = time.Parse(timeLayout, at); err != nil {
				return fmt.Errorf("read time: %w", err)
			}
			found = append(found, r)
			return nil
		})
	})
	return found, err
}

// timeLayout is the format of times in SQLite and in answers of PostgreSQL.
const timeLayout = "2006-01-02T15:04:05.000Z"
