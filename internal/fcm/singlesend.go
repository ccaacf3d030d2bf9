package fcm

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"time"
)

// courier is the transport below the SDK's client. It makes the one request, and tells the SDK in any case that all is well:
// the SDK repeats a request after a network error or a 503, up to four times, unseen by its caller.
type singleSendTransport struct {
	tokens     *accessTokens // nil: requests carry no credentials
	transports transports
	timeout    time.Duration
}

// newCourier makes all that is below the SDK, and finds the project.
func newSingleSendTransport(ctx context.Context, o Options, m *metrics) (*singleSendTransport, string, error) {
	roots, err := o.loadRoots()
	if err != nil {
		return nil, "", err
	}
	ctx = context.WithoutCancel(ctx) // what starts here lives until Close
	c, project := &singleSendTransport{timeout: o.Timeout}, o.ProjectID
	if o.hasCredentials() {
		keys := credentials{inline: o.Credentials, file: o.CredentialsFile, plaintext: o.AllowPlaintext, transport: &http.Transport{
			Proxy: http.ProxyFromEnvironment, TLSClientConfig: &tls.Config{RootCAs: roots}, ForceAttemptHTTP2: true,
			DisableKeepAlives: true, // once an hour
		}}
		named, err := keys.readProjectID(ctx)
		if err != nil {
			return nil, "", err
		}
		if project == "" {
			project = named
		}
		c.tokens = newAccessTokens(ctx, keys, o.Logger)
	}
	c.transports = newTransports(ctx, o, roots, m)
	return c, project, nil
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

func (c *singleSendTransport) connect(ctx context.Context) error {
	if err := c.authorize(ctx); err != nil {
		return err
	}
	return c.transports.connect(ctx)
}

func (c *singleSendTransport) authorize(ctx context.Context) error {
	if c.tokens == nil {
		return nil
	}
	_, err := c.tokens.get(ctx)
	return err
}

func (c *singleSendTransport) health() error {
	if c.tokens != nil {
		if err := c.tokens.health(); err != nil {
			return err
		}
	}
	return c.transports.health()
}

func (c *singleSendTransport) close() {
	c.transports.close()
	if c.tokens != nil {
		c.tokens.close()
	}
}

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
