package fcm

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

// singleSendTransport makes the requests of both clients. Below the SDK it is an http.RoundTripper
// that makes one request and always reports success. Otherwise the SDK would repeat a request up to
// four times after a network error or a 503, and its caller would not know.
type singleSendTransport struct {
	tokens     *accessTokens // nil: requests carry no credentials
	transports transports
	url        *url.URL // that messages are posted to
	timeout    time.Duration
}

// newSingleSendTransport creates everything below the client. It also returns the project.
func newSingleSendTransport(ctx context.Context, o Options, m *metrics) (*singleSendTransport, string, error) {
	roots, err := o.loadRoots()
	if err != nil {
		return nil, "", err
	}
	ctx = context.WithoutCancel(ctx) // the background work lives until close
	c, project := &singleSendTransport{timeout: o.Timeout}, o.ProjectID
	if o.hasCredentials() {
		keys := credentials{inline: o.Credentials, file: o.CredentialsFile, plaintext: o.AllowPlaintext, transport: &http.Transport{
			Proxy: http.ProxyFromEnvironment, TLSClientConfig: &tls.Config{RootCAs: roots}, ForceAttemptHTTP2: true,
			DisableKeepAlives: true, // used once an hour
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
	if c.url, err = o.sendURL(project); err != nil {
		return nil, "", err
	}
	c.transports = newTransports(ctx, o, roots, c.url, m)
	return c, project, nil
}

func (t *singleSendTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	x, ok := req.Context().Value(exchangeKey{}).(*exchange)
	if !ok || x.started {
		return nil, errors.New("one Send makes one request")
	}
	x.started = true
	x.post.sdk = req
	t.sendOnce(req.Context(), x)
	_ = req.Body.Close()
	return &http.Response{
		StatusCode: http.StatusOK, ProtoMajor: 2, Request: req, Header: http.Header{},
		Body: io.NopCloser(strings.NewReader("{}")),
	}, nil
}

// sendOnce makes the request of x.post. The timeout starts when the access token and the connection
// are there, so that waiting for them leaves the answer its full time.
func (t *singleSendTransport) sendOnce(ctx context.Context, x *exchange) {
	if x.err = ctx.Err(); x.err != nil {
		return
	}
	var token *accessToken
	if t.tokens != nil {
		if token, x.tokenErr = t.tokens.get(ctx); x.tokenErr != nil {
			return
		}
		x.post.authorization = token.header
	}
	conn, err := t.transports.acquire(ctx)
	if err != nil {
		x.err = err
		return
	}
	defer conn.release()
	conn.post(ctx, t.timeout, x)
	if token != nil && x.status == http.StatusUnauthorized {
		x.tokenInvalidated = t.tokens.invalidate(token)
	}
}

func (t *singleSendTransport) connect(ctx context.Context) error {
	if err := t.authorize(ctx); err != nil {
		return err
	}
	return t.transports.connect(ctx)
}

func (t *singleSendTransport) authorize(ctx context.Context) error {
	if t.tokens == nil {
		return nil
	}
	_, err := t.tokens.get(ctx)
	return err
}

func (t *singleSendTransport) health() error {
	if t.tokens != nil {
		if err := t.tokens.health(); err != nil {
			return err
		}
	}
	return t.transports.health()
}

func (t *singleSendTransport) close() {
	t.transports.close()
	if t.tokens != nil {
		t.tokens.close()
	}
}

// maxAnswer limits the bytes read from an answer. FCM's answers are below 2 KiB.
const maxAnswer = 64 << 10

var errAnswerTooLong = errors.New("the answer is longer than any of FCM's")

// exchange records what happened to one request. With the SDK it travels in the request's context,
// past the SDK, which would interpret a failure and send again.
type exchange struct {
	started bool
	post    post
	// tokenErr is why there is no access token.
	tokenErr error
	// tokenInvalidated: FCM refused the access token, and the next request gets another one.
	tokenInvalidated bool
	// written: the connection took at least a part of the body, so FCM may have all of it.
	written bool
	// err is why there is no answer, or only a part of it.
	err error

	status      int
	retryAfter  []string
	contentType string
	body        []byte

	frames framesExchange
}

// spareExchanges keeps used exchanges, whose buffers serve the next requests.
var spareExchanges = sync.Pool{New: func() any { return new(exchange) }}

func newExchange() *exchange { return spareExchanges.Get().(*exchange) }

// recycle keeps the exchange for another request. Nothing may refer to its body any more.
func (x *exchange) recycle() {
	buffer := x.frames.resp.Body
	*x = exchange{}
	if cap(buffer) <= maxSpareAnswer {
		x.frames.resp.Body = buffer
	}
	spareExchanges.Put(x)
}

type exchangeKey struct{}

func withExchange(ctx context.Context, x *exchange) context.Context {
	return context.WithValue(ctx, exchangeKey{}, x)
}

// receive reads as much of the answer as arrives.
func (x *exchange) receive(resp *http.Response, err error) {
	if err != nil {
		x.err = err
		return
	}
	defer func() { _ = resp.Body.Close() }()
	x.status, x.retryAfter, x.contentType = resp.StatusCode, resp.Header.Values("Retry-After"), resp.Header.Get("Content-Type")
	x.body, x.err = io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if len(x.body) > maxAnswer {
		x.err = errAnswerTooLong
	}
}
