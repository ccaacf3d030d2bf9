package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"
)

// event is what happened to a campaign: docs/webhooks.md lists the types.
type event struct {
	Type, Campaign string
	Books          struct{ Sent, Failed, Skipped, Expired, Unknown int }
}

func (e event) isEnd() bool {
	return e.Type == "campaign.completed" || e.Type == "campaign.expired" || e.Type == "campaign.cancelled"
}

// awaitEnd reads the stream of events until the campaign has ended.
func awaitEnd(ctx context.Context, rdb *redis.Client, id string) (event, error) {
	position := "0"
	for {
		streams, err := rdb.XRead(ctx, &redis.XReadArgs{Streams: []string{"{campaign:}:events", position}, Count: 100, Block: 5 * time.Second}).Result()
		if errors.Is(err, redis.Nil) {
			continue // nothing happened for 5 s
		}
		if err != nil {
			return event{}, fmt.Errorf("read events: %w", err)
		}
		for _, entry := range streams[0].Messages {
			position = entry.ID
			var e event
			text, _ := entry.Values["event"].(string)
			if err := json.Unmarshal([]byte(text), &e); err != nil {
				return event{}, fmt.Errorf("read event %s: %w", entry.ID, err)
			}
			if e.Campaign == id && e.isEnd() {
				return e, nil
			}
		}
	}
}

// awaitWritten waits until so many outcomes are in SQL, which is a moment after they are in the
// campaign's books.
func awaitWritten(ctx context.Context, db *sql.DB, id string, ended int) error {
	for {
		var n int
		err := db.QueryRowContext(ctx, `SELECT sent + failed + skipped + expired + unknown FROM fanfare_campaign_summary WHERE campaign_id = $1`, id).Scan(&n)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return fmt.Errorf("read the summary of campaign %s: %w", id, err)
		}
		if n >= ended {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// printOutcomes prints how often each outcome came.
func printOutcomes(ctx context.Context, db *sql.DB, id string) error {
	rows, err := db.QueryContext(ctx, `SELECT status, error_code, count(*) FROM fanfare_deliveries WHERE campaign_id = $1 GROUP BY 1, 2 ORDER BY 3 DESC`, id)
	if err != nil {
		return fmt.Errorf("read the outcomes of campaign %s: %w", id, err)
	}
	defer rows.Close()
	for rows.Next() {
		var status, code string
		var n int
		if err := rows.Scan(&status, &code, &n); err != nil {
			return fmt.Errorf("read an outcome of campaign %s: %w", id, err)
		}
		fmt.Println(n, status, code)
	}
	return rows.Err()
}
