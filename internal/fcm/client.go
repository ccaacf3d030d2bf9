package fcm

import (
	"bytes"
	"context"
)

// The clients of Options.Client.
const (
	ClientOwn = "own" // posts the body as it is
	ClientSDK = "sdk" // Google's Firebase Admin SDK for Go
)

// client makes the request of one Send through the singleSendTransport. Its error says why it made
// none.
type client interface {
	send(ctx context.Context, x *exchange, body []byte) error
}

const (
	bodyStart      = `{"message":`
	validatedStart = `{"validate_only":true,"message":`
)

// validateOnly turns the body of a request into one that delivers nothing.
func validateOnly(body []byte) []byte {
	return append([]byte(validatedStart), bytes.TrimPrefix(body, []byte(bodyStart))...)
}

// ownClient posts bodies.
type ownClient struct{ transport *singleSendTransport }

func (c *ownClient) send(ctx context.Context, x *exchange, body []byte) error {
	x.started = true
	x.post.url, x.post.body = c.transport.url, body
	c.transport.sendOnce(ctx, x)
	return nil
}
