package fcm

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/net/http2"
)

// misbehaviours after which the SDK, net/http or its HTTP/2 client tend to send again.
var misbehaviours = map[string]struct {
	handler http.HandlerFunc
	want    Class
}{

	"503 at once": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503) }, Unavailable},
	"503 with a short Retry-After": {func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "0")
		w.WriteHeader(503)
	}, Unavailable},
	"500":        {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) }, Unavailable},
	"a redirect": {func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, r.URL.Path, 307) }, NotFCM},
	"a reset after reading": {func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		panic(http.ErrAbortHandler)
	}, Ambiguous},
	"a reset before reading": {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, Ambiguous},
	"an answer cut short": {func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		_, _ = w.Write([]byte(`{"name":`))
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}, Ambiguous},
}

func TestOneSendIsOneRequest(t *testing.T) { withEachClient(t, testOneSendIsOneRequest) }

func testOneSendIsOneRequest(t *testing.T, base Options) {
	for name, c := range misbehaviours {
		for _, secure := range []bool{true, false} {
			var requests atomic.Int64
			var good atomic.Bool
			good.Store(true)
			handler := func(w http.ResponseWriter, r *http.Request) {
				if requests.Add(1); good.Load() {
					accept(w, r)
					return
				}
				c.handler(w, r)
			}
			o := Options{}
			if secure {
				o = serve(t, nil, handler).options
			} else {
				srv := httptest.NewServer(http.HandlerFunc(handler))
				t.Cleanup(srv.Close)
				o.Endpoint = srv.URL + "/v1"
			}
			o.Client = base.Client
			s := newSender(t, o)
			// net/http repeats requests only on a connection that was used before.
			if a := s.Send(t.Context(), body("token"), to("token")); a.Class != Sent {
				t.Fatalf("%s: warming up ends as %s: %s", name, a.Class, a.Detail)
			}
			good.Store(false)
			if a := s.Send(t.Context(), body("token"), to("token")); a.Class != c.want {
				t.Errorf("%s, TLS %t: got %s (%s), want %s", name, secure, a.Class, a.Detail, c.want)
			}
			if n := requests.Load() - 1; n != 1 {
				t.Errorf("%s, TLS %t: %d requests on the wire, want 1", name, secure, n)
			}
		}
	}
}

// A client that repeats a request gets an error.
func TestASecondRequestOfOneSendIsRefused(t *testing.T) {
	c, x := &singleSendTransport{transports: &bodyRecorder{status: 200}, timeout: time.Minute}, new(exchange)
	for _, refused := range []bool{false, true} {
		req, err := http.NewRequestWithContext(withExchange(t.Context(), x), http.MethodPost, "http://h", strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		resp, err := c.RoundTrip(req)
		if err == nil {
			_ = resp.Body.Close()
		}
		if (err != nil) != refused {
			t.Errorf("got %v, want it refused: %t", err, refused)
		}
	}
}

// The SDK must not wait before a retry of its own. That would keep the answer from the caller for
// seconds.
func TestTheSDKWaitsForNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSender(t, Options{Client: ClientSDK, Endpoint: "http://unused/v1"})
		s.transport.transports = &bodyRecorder{status: http.StatusServiceUnavailable}
		start := time.Now()
		if a := s.Send(t.Context(), body("token"), to("token")); a.Class != Unavailable || time.Since(start) != 0 {
			t.Errorf("got %s after %s", a.Class, time.Since(start))
		}
	})
}

// slow is a connection that becomes free after a minute. It records the time left for the answer.
type slow struct {
	bodyRecorder
	allowed time.Duration
}

func (s *slow) acquire(context.Context) (transport, error) {
	<-time.After(time.Minute)
	return s, nil
}

func (s *slow) post(ctx context.Context, timeout time.Duration, x *exchange) {
	s.allowed = timeout
	s.bodyRecorder.post(ctx, timeout, x)
}

// The answer gets the whole timeout, however long the request waited for a connection.
func TestTimeoutBoundsTheAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		wire := &slow{bodyRecorder: bodyRecorder{status: http.StatusOK}}
		c := &singleSendTransport{transports: wire, timeout: 7 * time.Second}
		x := &exchange{post: post{url: &url.URL{Scheme: "http", Host: "unused"}, body: []byte("{}")}}
		c.sendOnce(t.Context(), x)
		if x.status != http.StatusOK || wire.allowed != 7*time.Second {
			t.Errorf("status %d (%v) with %s for the answer, want 200 and 7 s", x.status, x.err, wire.allowed)
		}
	})
}

// HTTP/2 has two ways to say that a request was not processed. Any other error after the request is
// ambiguous.
func TestNotProcessedIsNotSent(t *testing.T) { withEachClient(t, testNotProcessedIsNotSent) }

func testNotProcessedIsNotSent(t *testing.T, base Options) {
	for name, c := range map[string]struct {
		answer func(fr *http2.Framer, stream uint32) (stay bool)
		want   Class
	}{
		"refused stream": {func(fr *http2.Framer, stream uint32) bool {
			return fr.WriteRSTStream(stream, http2.ErrCodeRefusedStream) == nil
		}, NotSent},
		"GOAWAY before the stream": {func(fr *http2.Framer, stream uint32) bool {
			return fr.WriteGoAway(stream-1, http2.ErrCodeNo, nil) == nil
		}, NotSent},
		"stream cancelled": {func(fr *http2.Framer, stream uint32) bool {
			return fr.WriteRSTStream(stream, http2.ErrCodeCancel) == nil
		}, Ambiguous},
		"GOAWAY after the stream": {func(fr *http2.Framer, stream uint32) bool { return fr.WriteGoAway(stream, http2.ErrCodeNo, nil) != nil }, Ambiguous},
	} {
		srv := serveFrames(t, c.answer)
		srv.options.Client = base.Client
		a := newSender(t, srv.options).Send(t.Context(), body("token"), to("token"))
		if a.Class != c.want {
			t.Errorf("%s: got %s (%s), want %s", name, a.Class, a.Detail, c.want)
		}
		if n := srv.requests.Load(); n != 1 {
			t.Errorf("%s: %d requests on the wire, want 1", name, n)
		}
	}
}

func TestNotWrittenIsNotSent(t *testing.T) {
	gone, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := gone.Close(); err != nil {
		t.Fatal(err)
	}
	healthy := serve(t, nil, accept)
	for name, o := range map[string]Options{
		"refused over TLS":     {Endpoint: "https://" + gone.Addr().String() + "/v1"},
		"refused over HTTP":    {Endpoint: "http://" + gone.Addr().String() + "/v1"},
		"an unknown authority": {Endpoint: healthy.URL + "/v1"},
	} {
		if a := newSender(t, o).Send(t.Context(), body("token"), to("token")); a.Class != NotSent {
			t.Errorf("%s: got %s (%s), want not_sent", name, a.Class, a.Detail)
		}
	}
	stopped, stop := context.WithCancel(t.Context())
	stop()
	if a := newSender(t, healthy.options).Send(stopped, body("token"), to("token")); a.Class != NotSent {
		t.Errorf("a context that has ended: got %s (%s), want not_sent", a.Class, a.Detail)
	}
	if n := healthy.requests.Load(); n != 0 {
		t.Errorf("%d requests on the wire, want none", n)
	}
}
