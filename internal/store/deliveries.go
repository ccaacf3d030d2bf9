package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"fanfare/internal/notification"
)

// Summary is a campaign's outcomes, counted.
type Summary struct {
	CampaignID string
	// Counts has every status, most of them perhaps 0.
	Counts map[notification.Status]int64
}

// Total is the number of outcomes.
func (s Summary) Total() int64 {
	var total int64
	for _, n := range s.Counts {
		total += n
	}
	return total
}

// Summary counts the outcomes of a campaign; of one that has none, every count is 0.
func (s *Store) Summary(ctx context.Context, campaign string) (Summary, error) {
	var sent, failed, skipped, expired, unknown int64
	err := s.db.QueryRowContext(ctx,
		`SELECT sent, failed, skipped, expired, unknown FROM fanfare_campaign_summary WHERE campaign_id = $1`, campaign,
	).Scan(&sent, &failed, &skipped, &expired, &unknown)
	if err != nil && err != sql.ErrNoRows {
		return Summary{}, fmt.Errorf("read summary of campaign %q: %w", campaign, err)
	}
	return Summary{CampaignID: campaign, Counts: map[notification.Status]int64{
		notification.StatusSent: sent, notification.StatusFailed: failed, notification.StatusSkipped: skipped,
		notification.StatusExpired: expired, notification.StatusUnknown: unknown,
	}}, nil
}

const selectDeliveries = `SELECT campaign_id, user_id, result_id, status, message_id, error_code, error, attempts, token_removed, at
FROM fanfare_deliveries WHERE campaign_id = $1 `

// Deliveries returns what became of a user in a campaign: one result for each time that the audience names the user,
// ordered by result id. A removed token is not kept, so Token is empty.
func (s *Store) Deliveries(ctx context.Context, campaign, user string) ([]notification.Result, error) {
	found, err := s.results(ctx, selectDeliveries+`AND user_id = $2 ORDER BY result_id`, campaign, user)
	if err != nil {
		return nil, fmt.Errorf("read deliveries of campaign %q to user %q: %w", campaign, user, err)
	}
	return found, nil
}

// Search selects a campaign's deliveries page by page.
type Search struct {
	CampaignID string
	Status     notification.Status
	// After is the last delivery of the page before; of its fields only UserID and ResultID matter.
	After notification.Result
	// Limit is the page's size, at least 1.
	Limit int
}

const searchPage = `AND status = $2 AND (user_id, result_id) > ($3, $4) ORDER BY user_id, result_id LIMIT $5`

// Search returns the next page of the deliveries with one status, ordered by user and result id; the last page is the
// one that is shorter than Limit.
func (s *Store) Search(ctx context.Context, q Search) ([]notification.Result, error) {
	query := selectDeliveries + searchPage
	if q.Status != notification.StatusSent {
		// These words let the planner use the index of what was not sent; from $2 it could not know.
		query = selectDeliveries + `AND status <> 'sent' ` + searchPage
	}
	found, err := s.results(ctx, query, q.CampaignID, string(q.Status), q.After.UserID, q.After.ResultID, max(q.Limit, 1))
	if err != nil {
		return nil, fmt.Errorf("search deliveries of campaign %q: %w", q.CampaignID, err)
	}
	return found, nil
}

func (s *Store) results(ctx context.Context, query string, args ...any) ([]notification.Result, error) {
	rows, err := s.db.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var found []notification.Result
	for rows.Next() {
		var r notification.Result
		var at moment
		err := rows.Scan(&r.CampaignID, &r.UserID, &r.ResultID, &r.Status, &r.MessageID, &r.ErrorCode, &r.Error,
			&r.Attempts, &r.TokenRemoved, &at)
		if err != nil {
			return nil, err
		}
		r.At = at.UTC()
		found = append(found, r)
	}
	return found, rows.Err()
}

// moment reads a time from PostgreSQL's timestamptz or from SQLite's text.
type moment struct{ time.Time }

const momentLayout = "2006-01-02T15:04:05.000Z"

func (m *moment) Scan(value any) error {
	switch value := value.(type) {
	case time.Time:
		m.Time = value
		return nil
	case string:
		at, err := time.Parse(momentLayout, value)
		m.Time = at
		return err
	default:
		return fmt.Errorf("read time: unexpected %T", value)
	}
}
