package store

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"fanfare/internal/notification"
)

// MaxUserDeliveries limits the outcomes that UserDeliveries returns.
const MaxUserDeliveries = 10_000

// UserDeliveries returns the outcomes of a user in all campaigns, the newest first, and at most
// limit of them. An index over users and times makes it fast in a table of any size.
func (s *Store) UserDeliveries(ctx context.Context, user string, limit int) ([]notification.Result, error) {
	found, err := s.queryResults(ctx, s.selectUserDeliveries(), user, min(max(limit, 1), MaxUserDeliveries))
	if err == nil {
		err = s.addDevices(ctx, found)
	}
	if err != nil {
		return nil, fmt.Errorf("read deliveries to user %q: %w", user, blameMissing(err))
	}
	return found, nil
}

func (s *Store) selectUserDeliveries() string {
	return s.selectResults() + `FROM fanfare_deliveries WHERE user_id = $1
ORDER BY at DESC, campaign_id, result_id LIMIT $2`
}

// Filter selects outcomes of a campaign. An empty field selects all.
type Filter struct {
	Status notification.Status
	Code   string
	// Until is the last moment of an outcome; zero: any. OlderThan is what it was made of.
	Until     time.Time
	OlderThan time.Duration
	// After is a user: the outcomes of those behind it are read; empty: all are.
	After string
}

// deliveriesPage is how many rows of a campaign one query reads. It bounds the memory and the time
// of the query, however few of the rows match. Each row may cost a read from the disk.
const deliveriesPage = 1000

// CampaignDeliveries yields the outcomes of a campaign that match the filter, ordered by user and
// result id. It reads page by page, so its memory does not depend on the campaign, and each query
// has the timeout of its own. It yields an error once, as the last.
//
// The pages are not of one moment: a row that changes meanwhile is yielded as it was or as it is.
func (s *Store) CampaignDeliveries(ctx context.Context, campaign string, f Filter) iter.Seq2[notification.Result, error] {
	return func(yield func(notification.Result, error) bool) {
		last := notification.Result{UserID: f.After, ResultID: lastResult(f.After)}
		for {
			page, err := s.collectResults(ctx, s.backend.queryInOrder, s.selectPage(f), campaign, last.UserID, last.ResultID, deliveriesPage, string(f.Status), f.Code)
			if err == nil {
				err = s.addDevices(ctx, page)
			}
			if err != nil {
				yield(notification.Result{}, fmt.Errorf("read deliveries of campaign %q: %w", campaign, blameMissing(err)))
				return
			}
			if len(page) == 0 {
				return
			}
			last = page[len(page)-1]
			for _, r := range page {
				if f.matches(r) && !yield(r, nil) {
					return
				}
			}
		}
	}
}

func (f Filter) matches(r notification.Result) bool {
	return (f.Status == "" || r.Status == f.Status) && (f.Code == "" || r.ErrorCode == f.Code) && (f.Until.IsZero() || !r.At.After(f.Until))
}

// lastResult is above all ids of results, so that a page begins after the user.
func lastResult(user string) string {
	if user == "" {
		return ""
	}
	return "\U0010FFFF"
}

// selectPage selects the matches among the next rows after a key, and the last of these rows in any
// case. An outcome that was not sent is found through an index of those.
func (s *Store) selectPage(f Filter) string {
	only := ""
	if f.Status != "" && f.Status != notification.StatusSent {
		only = `AND status <> 'sent' AND status = $5 `
	}
	return `WITH page AS MATERIALIZED (SELECT * FROM fanfare_deliveries WHERE campaign_id = $1 ` + only + `
	AND (user_id, result_id) > ($2, $3) ORDER BY user_id, result_id LIMIT $4)
` + s.selectResults() + `FROM page WHERE ($5 IN ('', status)) AND ($6 IN ('', error_code))
	OR (user_id, result_id) = (SELECT user_id, result_id FROM page ORDER BY user_id DESC, result_id DESC LIMIT 1)
ORDER BY user_id, result_id`
}

// Minute counts the outcomes of a campaign with one status and code in one minute.
type Minute struct {
	Start     time.Time           `json:"minute"`
	Status    notification.Status `json:"status"`
	ErrorCode string              `json:"errorCode,omitempty"` // OTHER beyond notification.MaxCodes
	N         int64               `json:"n"`
}

func selectMinutes(start string) string {
	return `SELECT ` + start + `, status, error_code, n FROM fanfare_minutes WHERE campaign_id = $1 AND n > 0
ORDER BY minute, status, error_code`
}

// Minutes returns what happened to a campaign minute by minute. The sums are those of Summary.
func (s *Store) Minutes(ctx context.Context, campaign string) (found []Minute, err error) {
	err = s.withTimeout(ctx, func(ctx context.Context) error {
		found = nil
		return s.backend.query(ctx, selectMinutes(s.backend.timeExpression("minute")), []any{campaign}, func(scan scanFunc) error {
			var m Minute
			var start string
			if err := scan(&start, &m.Status, &m.ErrorCode, &m.N); err != nil {
				return err
			}
			if m.Start, err = time.Parse(timeLayout, start); err != nil {
				return fmt.Errorf("read time: %w", err)
			}
			found = append(found, m)
			return nil
		})
	})
	if err != nil {
		return nil, fmt.Errorf("read minutes of campaign %q: %w", campaign, blameMissing(err))
	}
	return found, nil
}

// selectRemoved counts through the index of outcomes that were not sent.
const selectRemoved = `SELECT count(*) FROM fanfare_deliveries WHERE campaign_id = $1 AND status = 'failed' AND status <> 'sent' AND token_removed`

// RemovedTokens counts the failed recipients of a campaign whose token was removed as dead.
func (s *Store) RemovedTokens(ctx context.Context, campaign string) (n int64, err error) {
	err = s.withTimeout(ctx, func(ctx context.Context) error {
		return s.backend.query(ctx, selectRemoved, []any{campaign}, func(scan scanFunc) error { return scan(&n) })
	})
	if err != nil {
		return 0, fmt.Errorf("count removed tokens of campaign %q: %w", campaign, blameMissing(err))
	}
	return n, nil
}

// errNoTable replaces the database's error, which says no more in many words.
var errNoTable = errors.New("this database does not have all of them")

// blameMissing says how Fanfare's tables come into being, if they are missing.
func blameMissing(err error) error {
	if isMissing(err) {
		return &TablesError{Err: errNoTable, Advice: "start a responder, which creates them"}
	}
	return err
}
