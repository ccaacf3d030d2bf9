package breaker_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"fanfare/internal/breaker"
	"fanfare/internal/keys"
)

// The canary of a campaign to another project's tokens trips the breaker, so no more are admitted.
func ExampleBreakers() {
	server, err := miniredis.Run()
	if err != nil {
		panic(err)
	}
	defer server.Close()
	rdb := redis.NewClient(&redis.Options{Addr: server.Addr()})
	defer rdb.Close()
	campaign, err := keys.Default().Campaign("42")
	if err != nil {
		panic(err)
	}
	breakers, err := breaker.New(rdb, breaker.DefaultOptions())
	if err != nil {
		panic(err)
	}
	ctx := context.Background()
	admission, err := breakers.Admit(ctx, campaign, "claim-1", 1000)
	fmt.Println("admitted:", admission.N, err)

	report := breaker.Report{Round: admission.Round}
	report.Add(breaker.Answer{Kind: breaker.SenderMismatch}, 20)
	report.EndClaim("claim-1", 20)
	decision, err := breakers.Apply(ctx, campaign, report)
	fmt.Println("stop the", decision.Trip.Scope, err)
	fmt.Println(strings.NewReplacer(": ", "\n", "; ", "\n").Replace(decision.Trip.Reason))
	fmt.Println("confirmed:", breakers.Confirm(ctx, campaign, decision.Trip)) // the caller paused the campaign
	// Output:
	// admitted: 100 <nil>
	// stop the campaign <nil>
	// 20 of 20 answers in the canary (100.0%) are sender_mismatch
	// the tokens belong to another Firebase project
	// check the project id, and whose audience this is, then resume the campaign
	// confirmed: <nil>
}

// One of a project's dead tokens is deleted, and the next one exceeds the budget of the hour.
func ExampleDeletions() {
	server, err := miniredis.Run()
	if err != nil {
		panic(err)
	}
	defer server.Close()
	rdb := redis.NewClient(&redis.Options{Addr: server.Addr()})
	defer rdb.Close()
	deletions, err := breaker.NewDeletions(rdb, keys.Default().Project("my-project"),
		breaker.DeletionsOptions{Least: 1, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		panic(err)
	}
	for range 2 {
		fmt.Println(deletions.Take(context.Background()))
	}
	// Output:
	// true <nil>
	// false <nil>
}
