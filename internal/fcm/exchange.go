package fcm

import (
	"context"
	"errors"
	"io"
	"net/http"
	"sync/atomic"
)

// maxAnswer bounds what is read of an answer, in bytes. FCM's are below 2 KiB.
const maxAnswer = 64 << 10

var errAnswerTooLong = errors.New("the answer is longer than any of FCM's")

// exchange is what really happened to one request. It travels in the request's context, past the SDK, which would judge by itself
// and send again.
type exchange struct {
	started bool
	// credentials is why no access token could be had.
	tokenErr error
	// outdated: the access token was refused, and another one may be taken.
	tokenInvalidated bool
	// written: at least a part of the body was handed to the connection, so that FCM may have all of it.
	written bool
	// err is why there is no answer, or not all of it.
	err error

	status      int
	retryAfter  string
	contentType string
	body        []byte
}

type exchangeKey struct{}

func withExchange(ctx context.Context, x *exchange) context.Context {
	return context.WithValue(ctx, exchangeKey{}, x)
}

// receive reads the answer, as far as it comes.
func (x *exchange) receive(resp *http.Response, err error) {
	if err != nil {
		x.err = err
		return
	}
	defer func() { _ = resp.Body.Close() }()
	x.status, x.retryAfter, x.contentType = resp.StatusCode, resp.Header.Get("Retry-After"), resp.Header.Get("Content-Type")
	x.body, x.err = io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if len(x.body) > maxAnswer {
		x.err = errAnswerTooLong
	}
}

// watchedBody notes that the connection began to take the body. Until then FCM cannot have the message: a request without its body
// is none, even when its headers have left.
type watchedBody struct {
	io.ReadCloser
	wasRead atomic.Bool // the connection reads in a goroutine of its own
}

func (b *watchedBody) Read(p []byte) (int, error) {
	b.wasRead.Store(true)
	return b.ReadCloser.Read(p)
}
