package fcm_test

import (
	"context"
	"fmt"
	"log/slog"

	"fanfare/fcmsim"
	"fanfare/internal/fcm"
	"fanfare/internal/notification"
)

// A Sender sends one body for each recipient. The simulator answers in FCM's place.
func ExampleSender() {
	ctx := context.Background()
	sim, err := fcmsim.New(fcmsim.Options{})
	if err != nil {
		panic(err)
	}
	server, err := sim.Start(ctx, fcmsim.Listen{Admin: fcmsim.Off})
	if err != nil {
		panic(err)
	}
	defer func() { _ = server.Close() }()
	sender, err := fcm.New(ctx, fcm.Options{
		ProjectID: "demo", Endpoint: server.URLs.TLS, RootCAs: server.CAFile, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		panic(err)
	}
	defer func() { _ = sender.Close() }()

	for _, token := range []string{"good", "dead-1", "quota-1"} {
		body := []byte(`{"message":{"token":"` + token + `","notification":{"title":"Hello"}}}`)
		answer := sender.Send(ctx, body, notification.ParseToken(token))
		fmt.Printf("%s: %s\n", token, answer.Class)
	}
	// Output:
	// good: sent
	// dead-1: unregistered
	// quota-1: quota
}
