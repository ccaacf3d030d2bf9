package fcm

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"

	"fanfare/internal/h2client"
)

// googleURL is where the SDK sends by default.
const googleURL = "https://fcm.googleapis.com/v1"

// sendURL is the address that messages are posted to.
func (o Options) sendURL(project string) (*url.URL, error) {
	base := o.baseURL()
	if base == "" {
		base = googleURL
	}
	u, err := url.Parse(base + "/projects/" + url.PathEscape(project) + "/messages:send")
	if err != nil {
		return nil, fmt.Errorf("make FCM's address: %w", err)
	}
	return u, nil
}

const (
	contentType = "application/json"
	userAgent   = "fanfare" // for the logs on the way
	apiFormat   = "2"       // of X-Goog-Api-Format-Version: errors with details
)

// post is one request to FCM.
type post struct {
	url           *url.URL
	body          []byte
	authorization []string      // the header's value; nil: none
	sdk           *http.Request // the SDK's own request; nil for ours
}

// httpRequest returns the request for net/http, with a body of its own: net/http may read that
// after it has returned.
func (p *post) httpRequest() *http.Request {
	if p.sdk != nil {
		return p.sdk
	}
	return &http.Request{
		Method: http.MethodPost, URL: p.url, Host: p.url.Host, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{"Content-Type": {contentType}, "User-Agent": {userAgent}, "X-Goog-Api-Format-Version": {apiFormat}},
		Body:   io.NopCloser(bytes.NewReader(bytes.Clone(p.body))), ContentLength: int64(len(p.body)),
	}
}

// postHTTP makes a request with net/http and records what came of it.
func postHTTP(ctx context.Context, rt http.RoundTripper, timeout time.Duration, x *exchange) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	req := x.post.httpRequest().WithContext(ctx)
	if x.post.authorization != nil {
		req.Header["Authorization"] = x.post.authorization // safe: both clients create a request for each attempt
	}
	body := &watchedBody{ReadCloser: req.Body}
	req.Body = body
	x.receive(rt.RoundTrip(req)) //nolint:bodyclose // receive closes it
	x.written = body.wasRead.Load()
}

// watchedBody records that the connection began to read the body. Until then FCM cannot have the
// message: headers without a body are not a request.
type watchedBody struct {
	io.ReadCloser
	wasRead atomic.Bool // the connection reads in its own goroutine
}

func (b *watchedBody) Read(p []byte) (int, error) {
	b.wasRead.Store(true)
	return b.ReadCloser.Read(p)
}

// postFields are the header fields of all requests on a connection of our own.
func postFields(u *url.URL) []h2client.Field {
	return []h2client.Field{
		{Name: ":method", Value: http.MethodPost}, {Name: ":scheme", Value: u.Scheme}, {Name: ":authority", Value: u.Host},
		{Name: ":path", Value: u.EscapedPath()}, {Name: "content-type", Value: contentType}, {Name: "user-agent", Value: userAgent},
		{Name: "x-goog-api-format-version", Value: apiFormat},
	}
}

const (
	// usualAnswer is the length in bytes that most answers do not exceed.
	usualAnswer = 256
	// maxSpareAnswer limits the buffers for answers that are kept.
	maxSpareAnswer = 4 << 10
)

// framesExchange is what an exchange needs on a connection of our own.
type framesExchange struct {
	req  h2client.Request
	resp h2client.Response
}

// postFrames makes a request on a connection of our own and records what came of it.
func postFrames(ctx context.Context, c *h2client.Conn, timeout time.Duration, x *exchange) {
	req, resp := &x.frames.req, &x.frames.resp
	req.Body, req.Timeout = x.post.body, timeout
	if x.post.authorization != nil {
		req.Authorization = x.post.authorization[0]
	}
	if resp.Body == nil {
		resp.Body = make([]byte, 0, usualAnswer)
	}
	err := c.Do(ctx, req, resp)
	x.written = true
	if failed, ok := errors.AsType[*h2client.Error](err); ok {
		x.written, x.err = failed.Sent, failed.Err
	}
	x.status, x.retryAfter, x.contentType, x.body = resp.Status, resp.RetryAfter, resp.ContentType, resp.Body
}
