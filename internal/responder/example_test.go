package responder_test

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"fanfare/internal/keys"
	"fanfare/internal/notification"
	"fanfare/internal/responder"
	"fanfare/internal/responses"
	"fanfare/internal/store"
)

// printer is a database that prints what it is to store.
type printer struct{}

func (printer) Apply(_ context.Context, results []notification.Result) error {
	for _, r := range results {
		fmt.Println("row:", r.CampaignID, r.UserID, r.Status)
	}
	return nil
}

// A Job runs a responder until the list of responses is empty.
func ExampleResponder() {
	ctx, server := context.Background(), miniredis.NewMiniRedis()
	if err := server.Start(); err != nil {
		fmt.Println(err)
		return
	}
	defer server.Close()
	rdb := redis.NewClient(&redis.Options{Addr: server.Addr()})
	defer func() { _ = rdb.Close() }()
	names := keys.Default()
	r := notification.Result{CampaignID: "42", UserID: "7", Status: notification.StatusSent, ResultID: "c:1", At: time.Now()}
	rdb.RPush(ctx, names.Responses, responses.Append(nil, &r))

	opts := responder.DefaultOptions()
	results, _ := responses.NewQueue(rdb, names, 0)
	letters, _ := responses.NewDeadLetters(rdb, names, responses.DeadLetterOptions{})
	daemon, _ := responder.New(responder.Deps{
		Queue: results, Applier: printer{}, FaultOf: store.FaultOf, DeadLetters: letters, Logger: slog.New(slog.DiscardHandler),
	}, opts)
	fmt.Println(daemon.RunUntilDrained(ctx, ctx))
	// Output:
	// row: 42 7 sent
	// <nil>
}
