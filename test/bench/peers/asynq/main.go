// Command asynq does the textbook worker's work as a task of asynq, a Redis queue for Go that loses
// no task of a killed worker. With -enqueue it fills the queue instead, and exits.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"sync"
	"sync/atomic"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"fanfare/test/bench/peers/internal/job"
	"fanfare/test/bench/peers/internal/push"
	"fanfare/test/bench/peers/internal/sdk"
)

// task is the type of the tasks. Each has a push.Element as its payload.
const task = "push"

func main() {
	fill := flag.Bool("enqueue", false, "fill the queue, and exit")
	j := job.Read()
	if *fill {
		j.End(enqueue(j))
		return
	}
	j.End(run(context.Background(), j))
}

// enqueue adds one task for each user.
func enqueue(j *job.Job) error {
	client := asynq.NewClient(asynq.RedisClientOpt{Addr: j.Redis})
	defer client.Close()
	var group sync.WaitGroup
	for range j.InFlight {
		group.Go(func() {
			for n, ok := j.Next(); ok; n, ok = j.Next() {
				payload, err := json.Marshal(push.Element{UserID: job.User(n)})
				if err == nil {
					_, err = client.Enqueue(asynq.NewTask(task, payload))
				}
				if err != nil {
					j.Fail(err)
				}
			}
		})
	}
	group.Wait()
	return nil
}

// run serves the queue until all users have had their push.
func run(ctx context.Context, j *job.Job) error {
	clients, err := sdk.Clients(ctx, j)
	if err != nil {
		return err
	}
	rdb := redis.NewClient(&redis.Options{Addr: j.Redis})
	defer rdb.Close()
	server := asynq.NewServer(asynq.RedisClientOpt{Addr: j.Redis}, asynq.Config{Concurrency: j.InFlight, LogLevel: asynq.WarnLevel})
	var begun, ended atomic.Int64
	done := make(chan struct{})
	handler := func(ctx context.Context, t *asynq.Task) error {
		defer func() {
			if ended.Add(1) == int64(j.Count) {
				close(done)
			}
		}()
		var e push.Element
		err := json.Unmarshal(t.Payload(), &e)
		if err == nil {
			err = push.One(ctx, rdb, clients[begun.Add(1)%int64(len(clients))], e)
		}
		if err != nil {
			j.Fail(err)
		}
		return err
	}
	if err := server.Start(asynq.HandlerFunc(handler)); err != nil {
		return err
	}
	<-done
	server.Shutdown()
	return nil
}
