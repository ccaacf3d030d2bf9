// Command worker is the textbook worker: it takes users from a Redis list by LPOP, finds the token
// by GET, calls the SDK's Send, and writes the result by RPUSH. A user whose worker is killed is
// lost.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"sync"

	"firebase.google.com/go/v4/messaging"
	"github.com/redis/go-redis/v9"

	"fanfare/test/bench/peers/internal/job"
	"fanfare/test/bench/peers/internal/push"
	"fanfare/test/bench/peers/internal/sdk"
)

// list is where the users wait, each as a JSON object with a userId.
const list = "campaign:peers"

func main() {
	j := job.Read()
	j.End(run(context.Background(), j))
}

func run(ctx context.Context, j *job.Job) error {
	clients, err := sdk.Clients(ctx, j)
	if err != nil {
		return err
	}
	rdb := redis.NewClient(&redis.Options{Addr: j.Redis})
	defer rdb.Close()
	var group sync.WaitGroup
	for i := range j.InFlight {
		client := clients[i%len(clients)]
		group.Go(func() { drain(ctx, j, rdb, client) })
	}
	group.Wait()
	return nil
}

// drain works until the list is empty.
func drain(ctx context.Context, j *job.Job, rdb *redis.Client, client *messaging.Client) {
	for {
		text, err := rdb.LPop(ctx, list).Bytes()
		if errors.Is(err, redis.Nil) {
			return
		}
		var e push.Element
		if err == nil {
			err = json.Unmarshal(text, &e)
		}
		if err == nil {
			err = push.One(ctx, rdb, client, e)
		}
		if err != nil {
			j.Fail(err)
			return
		}
	}
}
