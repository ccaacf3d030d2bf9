// Package push is what a hand-written worker does for one user: find the token in Redis, send, and
// write the result to a list.
package push

import (
	"context"
	"encoding/json"
	"time"

	"firebase.google.com/go/v4/messaging"
	"github.com/redis/go-redis/v9"

	"fanfare/test/bench/peers/internal/sdk"
)

// Element is one user in a queue.
type Element struct {
	UserID string `json:"userId"`
}

// result is what becomes of the user. It has the members that every result of Fanfare has.
type result struct {
	CampaignID string    `json:"campaignId"`
	UserID     string    `json:"userId"`
	Status     string    `json:"status"`
	MessageID  string    `json:"messageId,omitempty"`
	Error      string    `json:"error,omitempty"`
	At         time.Time `json:"at"`
}

// Results is the list that results go to.
const Results = "notification:responses"

// One pushes to one user, and returns why that failed.
func One(ctx context.Context, rdb *redis.Client, client *messaging.Client, e Element) error {
	token, err := rdb.Get(ctx, "user:"+e.UserID+":token").Result()
	if err != nil {
		return err
	}
	r := result{CampaignID: "peers", UserID: e.UserID, Status: "sent"}
	id, failure := client.Send(ctx, sdk.Message(e.UserID, token))
	if r.MessageID, r.At = id, time.Now().UTC(); failure != nil {
		r.Status, r.Error = "failed", failure.Error()
	}
	text, err := json.Marshal(r)
	if err != nil {
		return err
	}
	if err := rdb.RPush(ctx, Results, text).Err(); err != nil {
		return err
	}
	return failure
}
