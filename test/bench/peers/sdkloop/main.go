// Command sdkloop calls the SDK's Send in a loop, and does nothing else: no queue, no tokens to
// find, no outcome to write.
package main

import (
	"context"
	"sync"

	"fanfare/test/bench/peers/internal/job"
	"fanfare/test/bench/peers/internal/sdk"
)

func main() {
	j := job.Read()
	j.End(run(context.Background(), j))
}

func run(ctx context.Context, j *job.Job) error {
	clients, err := sdk.Clients(ctx, j)
	if err != nil {
		return err
	}
	var group sync.WaitGroup
	for i := range j.InFlight {
		client := clients[i%len(clients)]
		group.Go(func() {
			for n, ok := j.Next(); ok; n, ok = j.Next() {
				if _, err := client.Send(ctx, sdk.Message(job.User(n), job.Token(n))); err != nil {
					j.Fail(err)
				}
			}
		})
	}
	group.Wait()
	return nil
}
