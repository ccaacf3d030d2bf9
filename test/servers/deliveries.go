package servers

import (
	"database/sql"
	"fmt"
	"testing"
)

// Delivery is one row: what happened to a recipient.
type Delivery struct {
	User, Status, Code, MessageID, Error string
	Attempts                             int
	TokenRemoved                         bool
}

// Deliveries returns the rows of a campaign.
func Deliveries(t testing.TB, db *sql.DB, campaign string) []Delivery {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), `SELECT user_id, status, error_code, message_id, error, attempts, token_removed
		FROM fanfare_deliveries WHERE campaign_id = $1`, campaign)
	if err != nil {
		t.Fatalf("read deliveries: %v", err)
	}
	defer rows.Close()
	var all []Delivery
	for rows.Next() {
		var d Delivery
		if err := rows.Scan(&d.User, &d.Status, &d.Code, &d.MessageID, &d.Error, &d.Attempts, &d.TokenRemoved); err != nil {
			t.Fatalf("read delivery: %v", err)
		}
		all = append(all, d)
	}
	if err := rows.Err(); err != nil {
		t.Fatalf("read deliveries: %v", err)
	}
	return all
}

// AwaitSummary waits until the database's summary of a campaign counts so many rows. Before the
// responder creates its tables, there are none.
func AwaitSummary(t testing.TB, db *sql.DB, campaign string, rows int64) (o Outcomes) {
	t.Helper()
	defer func() {
		if t.Failed() {
			t.Logf("the summary of campaign %s stands at %+v", campaign, o)
		}
	}()
	Eventually(t, fmt.Sprintf("%d rows of campaign %s are in SQL", rows, campaign), func() bool {
		err := db.QueryRowContext(t.Context(), `SELECT sent, failed, skipped, expired, unknown
			FROM fanfare_campaign_summary WHERE campaign_id = $1`, campaign).
			Scan(&o.Sent, &o.Failed, &o.Skipped, &o.Expired, &o.Unknown)
		return err == nil && o.Ended() >= rows
	})
	return o
}

// CountByStatus counts rows by status.
func CountByStatus(deliveries []Delivery) (o Outcomes) {
	by := map[string]*int64{"sent": &o.Sent, "failed": &o.Failed, "skipped": &o.Skipped, "expired": &o.Expired, "unknown": &o.Unknown}
	for _, d := range deliveries {
		*by[d.Status]++
	}
	return o
}
