// Package sdk has clients of the Firebase Admin SDK for Go, as the senders that use it share them.
package sdk

import (
	"context"
	"net/http"

	firebase "firebase.google.com/go/v4"
	"firebase.google.com/go/v4/messaging"
	"google.golang.org/api/option"

	"fanfare/test/bench/peers/internal/job"
)

// Clients are one for each connection that the job needs, each with a transport of its own. They
// share no lock, which makes them faster than one client for all.
func Clients(ctx context.Context, j *job.Job) ([]*messaging.Client, error) {
	trusted, err := j.TLS()
	if err != nil {
		return nil, err
	}
	clients := make([]*messaging.Client, j.Connections())
	for i := range clients {
		transport := http.DefaultTransport.(*http.Transport).Clone()
		transport.TLSClientConfig = trusted.Clone()
		client := &http.Client{Transport: transport}
		if err := connect(ctx, client, j.Endpoint); err != nil {
			return nil, err
		}
		app, err := firebase.NewApp(ctx, &firebase.Config{ProjectID: job.Project},
			option.WithEndpoint(j.Endpoint), option.WithHTTPClient(client))
		if err != nil {
			return nil, err
		}
		if clients[i], err = app.Messaging(ctx); err != nil {
			return nil, err
		}
	}
	return clients, nil
}

// connect opens the client's connection. Until it has one, net/http dials another for each request
// that comes, which would be hundreds at once.
func connect(ctx context.Context, client *http.Client, endpoint string) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, endpoint, nil)
	if err != nil {
		return err
	}
	reply, err := client.Do(r)
	if err != nil {
		return err
	}
	return reply.Body.Close() // whatever the reply is
}

// Message is the one that all senders push.
func Message(user, token string) *messaging.Message {
	tag := job.Tag(user)
	return &messaging.Message{
		Token:        token, //nolint:staticcheck // the dispatcher sends to tokens, too
		Notification: &messaging.Notification{Title: job.Title, Body: job.Body},
		Android:      &messaging.AndroidConfig{Notification: &messaging.AndroidNotification{Tag: tag}},
		APNS:         &messaging.APNSConfig{Headers: map[string]string{"apns-collapse-id": tag}},
	}
}
