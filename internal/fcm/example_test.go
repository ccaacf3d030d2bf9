package fcm_test

import (
	"context"
	"fmt"
	"log/slog"

	"fanfare/fcmsim"
	"fanfare/internal/fcm"
	"fanfare/internal/notification"
)

func ExampleParse() {
	_, err := fcm.Parse(notification.Message(`{"notification":{"titel":"Hi"},"android":{"ttl":"1h"}}`))
	for _, fault := range notification.FaultsOf(err) {
		fmt.Println(fault)
	}
	// Output:
	// message.notification.titel: is unknown to FCM
	// message.android.ttl: must be a duration in seconds such as "3.5s", is "1h"
}

// A Sender sends one copy of a message for each recipient. The simulator answers in FCM's place.
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

	message, err := fcm.Parse(notification.Message(`{"notification":{"title":"Hello"}}`))
	if err != nil {
		panic(err)
	}
	for _, token := range []string{"good", "dead-1", "quota-1"} {
		answer := sender.Send(ctx, message, fcm.Envelope{Target: notification.ParseToken(token), Campaign: "42", User: "u1"})
		fmt.Printf("%s: %s\n", token, answer.Class)
	}
	// Output:
	// good: sent
	// dead-1: unregistered
	// quota-1: quota
}
