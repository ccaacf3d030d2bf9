package fcm

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"
)

// line carries one request. RoundTrip never sends a request twice once anything of it was written.
type transport interface {
	http.RoundTripper
	release()
}

// lines hands out lines; acquire waits for a free one.
type transports interface {
	acquire(ctx context.Context) (transport, error)
	// reach sees to it that FCM is connected to, or tells why it cannot be.
	connect(ctx context.Context) error
	// trouble is why there was no connection to be had when one was last asked for; nil where there is one.
	health() error
	close()
}

// courier is the transport below the SDK's client. It makes the one request, and tells the SDK in any case that all is well:
// the SDK repeats a request after a network error or a 503, up to four times, unseen by its caller.
type singleSendTransport struct {
	tokens     *accessTokens // nil: requests carry no credentials
	transports transports
	timeout    time.Duration
}

func (c *singleSendTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	x, ok := req.Context().Value(exchangeKey{}).(*exchange)
	if !ok || x.started {
		return nil, errors.New("one Send is one request")
	}
	x.started = true
	c.sendOnce(req, x)
	_ = req.Body.Close()
	return &http.Response{
		StatusCode: http.StatusOK, ProtoMajor: 2, Request: req, Header: http.Header{},
		Body: io.NopCloser(strings.NewReader("{}")),
	}, nil
}

// carry makes the request. The time that it waits for credentials and for a connection is not taken from the answer's.
func (c *singleSendTransport) sendOnce(req *http.Request, x *exchange) {
	ctx := req.Context()
	if x.err = ctx.Err(); x.err != nil {
		return
	}
	var token *accessToken
	if c.tokens != nil {
		if token, x.tokenErr = c.tokens.get(ctx); x.tokenErr != nil {
			return
		}
		req.Header["Authorization"] = token.header // the SDK makes a request for each attempt, and never looks at it again
	}
	conn, err := c.transports.acquire(ctx)
	if err != nil {
		x.err = err
		return
	}
	defer conn.release()
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	body := &watchedBody{ReadCloser: req.Body}
	req = req.WithContext(ctx)
	req.Body = body
	x.receive(conn.RoundTrip(req)) //nolint:bodyclose // receive closes it
	x.written = body.wasRead.Load()
	if token != nil && x.status == http.StatusUnauthorized {
		x.tokenInvalidated = c.tokens.invalidate(token)
	}
}
