package store

import (
	"context"
	"fmt"
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
		return Summary{}, fmt.Errorf("read summary of campaign %q: %w", campaign, err)
	}
	return Summary{CampaignID: campaign, Counts: map[notification.Status]int64{
		notification.StatusSent: sent, notification.StatusFailed: failed, notification.StatusSkipped: skipped,
		notification.StatusExpired: expired, notification.StatusUnknown: unknown,
	}}, nil
}

// selectDeliveries returns the start of each query for outcomes of a campaign ($1).
func (s *Store) selectDeliveries() string {
	return `SELECT campaign_id, user_id, result_id, status, message_id, error_code, error, attempts, token_removed, ` +
		s.backend.timeExpression("at") + ` FROM fanfare_deliveries WHERE campaign_id = $1 `
}

// Deliveries returns the outcomes of a user in a campaign, ordered by result id. There is one per
// time that the audience names the user. Removed tokens are not stored, so Token is empty.
func (s *Store) Deliveries(ctx context.Context, campaign, user string) ([]notification.Result, error) {
	found, err := s.queryResults(ctx, s.selectDeliveries()+`AND user_id = $2 ORDER BY result_id`, campaign, user)
	if err != nil {
		return nil, fmt.Errorf("read deliveries of campaign %q to user %q: %w", campaign, user, err)
	}
	return found, nil
}

// Search selects a page of a campaign's deliveries.
type Search struct {
	CampaignID string
	Status     notification.Status
	// After is the last delivery of the previous page. Only its UserID and ResultID matter.
	After notification.Result
	// Limit is the size of a page, at least 1.
	Limit int
}

const searchPage = `AND status = $2 AND (user_id, result_id) > ($3, $4) ORDER BY user_id, result_id LIMIT $5`

// Search returns the next page of the deliveries with one status, ordered by user and result id. A
// page shorter than Limit is the last one.
func (s *Store) Search(ctx context.Context, q Search) ([]notification.Result, error) {
	query := s.selectDeliveries() + searchPage
	if q.Status != notification.StatusSent {
		// This condition lets the planner use the partial index, which a value in $2 does not.
		query = s.selectDeliveries() + `AND status <> 'sent' ` + searchPage
	}
	found, err := s.queryResults(ctx, query, q.CampaignID, string(q.Status), q.After.UserID, q.After.ResultID, max(q.Limit, 1))
	if err != nil {
		return nil, fmt.Errorf("search deliveries of campaign %q: %w", q.CampaignID, err)
	}
	return found, nil
}

func (s *Store) queryResults(ctx context.Context, query string, args ...any) (found []notification.Result, err error) {
	err = s.withTimeout(ctx, func(ctx context.Context) error {
		found = nil
		return s.backend.query(ctx, query, args, func(scan scanFunc) error {
			var r notification.Result
			var at string
			err := scan(&r.CampaignID, &r.UserID, &r.ResultID, &r.Status, &r.MessageID, &r.ErrorCode, &r.Error,
				&r.Attempts, &r.TokenRemoved, &at)
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
