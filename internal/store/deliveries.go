package store

import (
	"context"
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

const selectSummary = `SELECT sent, failed, skipped, expired, unknown FROM fanfare_campaign_summary WHERE campaign_id = $1`

// Summary counts the outcomes of a campaign; of one that has none, every count is 0.
func (s *Store) Summary(ctx context.Context, campaign string) (Summary, error) {
	var sent, failed, skipped, expired, unknown int64
	err := s.within(ctx, func(ctx context.Context) error {
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

// selectDeliveries begins each query for outcomes of a campaign ($1).
func (s *Store) selectDeliveries() string {
	return `SELECT campaign_id, user_id, result_id, status, message_id, error_code, error, attempts, token_removed, ` +
		s.backend.instant("at") + ` FROM fanfare_deliveries WHERE campaign_id = $1 `
}

// Deliveries returns what became of a user in a campaign: one result for each time that the audience names the user,
// ordered by result id. A removed token is not kept, so Token is empty.
func (s *Store) Deliveries(ctx context.Context, campaign, user string) ([]notification.Result, error) {
	found, err := s.results(ctx, s.selectDeliveries()+`AND user_id = $2 ORDER BY result_id`, campaign, user)
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
	query := s.selectDeliveries() + searchPage
	if q.Status != notification.StatusSent {
		// These words let the planner use the index of what was not sent; from $2 it could not know.
		query = s.selectDeliveries() + `AND status <> 'sent' ` + searchPage
	}
	found, err := s.results(ctx, query, q.CampaignID, string(q.Status), q.After.UserID, q.After.ResultID, max(q.Limit, 1))
	if err != nil {
		return nil, fmt.Errorf("search deliveries of campaign %q: %w", q.CampaignID, err)
	}
	return found, nil
}

func (s *Store) results(ctx context.Context, query string, args ...any) (found []notification.Result, err error) {
	err = s.within(ctx, func(ctx context.Context) error {
		found = nil
		return s.backend.query(ctx, query, args, func(scan scanFunc) error {
			var r notification.Result
			var at string
			err := scan(&r.CampaignID, &r.UserID, &r.ResultID, &r.Status, &r.MessageID, &r.ErrorCode, &r.Error,
				&r.Attempts, &r.TokenRemoved, &at)
			if err != nil {
				return err
			}
			if r.At, err = time.Parse(instantLayout, at); err != nil {
				return fmt.Errorf("read time: %w", err)
			}
			found = append(found, r)
			return nil
		})
	})
	return found, err
}

// instantLayout is how a time is written: in SQLite, and in what PostgreSQL answers.
const instantLayout = "2006-01-02T15:04:05.000Z"
