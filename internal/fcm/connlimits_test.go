package fcm

import (
	"context"
	"crypto/tls"
	"io"
	"log/slog"
	"net"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"fanfare/internal/h2client"
)

// limitServer is a server at the other end of pipes, which a test plays in a bubble of synctest.
type limitServer struct {
	streams  int
	settings []http2.Setting
	play     func(set func(...http2.Setting)) // what it does with its settings after the first ones
	answer   time.Duration                    // how long an answer takes

	mu    sync.Mutex
	dials []time.Time
	ends  []net.Conn
}

// withLimitServer runs a test with a pool whose connections lead to s.
func withLimitServer(t *testing.T, s *limitServer, concurrency int, test func(t *testing.T, p *connPool)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		m, err := newMetrics(prometheus.NewRegistry())
		if err != nil {
			t.Fatal(err)
		}
		o := Options{Concurrency: concurrency, Streams: s.streams, Logger: slog.New(slog.DiscardHandler)}
		p := newConnPool(t.Context(), "fcm.test:443", new(tls.Config), o, &url.URL{Scheme: "https", Host: "fcm.test", Path: "/"}, m)
		p.dial = func(ctx context.Context) (connection, error) { return s.dial(ctx, p) }
		test(t, p)
		for _, end := range s.ends {
			_ = end.Close()
		}
		p.close()
	})
}

func (s *limitServer) dial(ctx context.Context, p *connPool) (connection, error) {
	near, far := net.Pipe()
	s.mu.Lock()
	s.dials, s.ends = append(s.dials, time.Now()), append(s.ends, far)
	s.mu.Unlock()
	go s.serve(far)
	conn, err := h2client.New(ctx, near, h2client.Options{MaxStreams: p.maxStreams, OnChange: p.followLimits})
	if err != nil {
		return nil, err
	}
	return frameConn{conn}, nil
}

func (s *limitServer) serve(far net.Conn) {
	preface := make([]byte, len(http2.ClientPreface))
	if _, err := io.ReadFull(far, preface); err != nil {
		return
	}
	fr := http2.NewFramer(far, far)
	fr.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	var writing sync.Mutex
	set := func(all ...http2.Setting) {
		writing.Lock()
		defer writing.Unlock()
		_ = fr.WriteSettings(all...) // the connection may have ended
	}
	go func() {
		set(s.settings...)
		if s.play != nil {
			s.play(set)
		}
	}()
	for {
		f, err := fr.ReadFrame()
		if err != nil {
			return
		}
		if data, ok := f.(*http2.DataFrame); ok && data.StreamEnded() {
			go func(id uint32) {
				<-time.After(s.answer)
				writing.Lock()
				defer writing.Unlock()
				_ = fr.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: []byte{0x88}, EndHeaders: true, EndStream: true})
			}(data.StreamID)
		}
	}
}

// allow returns a setting of the streams that a server allows.
func allow(n uint32) http2.Setting {
	return http2.Setting{ID: http2.SettingMaxConcurrentStreams, Val: n}
}

// push makes one request and returns its status.
func (p *connPool) push(ctx context.Context) (status int, err error) {
	conn, err := p.acquire(ctx)
	if err != nil {
		return 0, err
	}
	defer conn.release()
	x := &exchange{post: post{body: []byte("{}")}}
	conn.post(ctx, time.Minute, x)
	return x.status, x.err
}

// pushAll makes requests at once and counts those that were answered.
func (p *connPool) pushAll(t *testing.T, n int) (answered int) {
	t.Helper()
	statuses := make(chan int, n)
	for range n {
		go func() {
			status, _ := p.push(t.Context())
			statuses <- status
		}()
	}
	for range n {
		if <-statuses == 200 {
			answered++
		}
	}
	return answered
}

// A server that allows no requests gets a few connections, ever more rarely. Health says why.
func TestAServerThatAllowsNoRequestsGetsFewConnections(t *testing.T) {
	s := &limitServer{streams: 100, settings: []http2.Setting{allow(0)}}
	withLimitServer(t, s, 500, func(t *testing.T, p *connPool) {
		begun := time.Now()
		for range 500 {
			go func() {
				for time.Since(begun) < time.Minute {
					_, _ = p.push(t.Context())
					<-time.After(time.Second)
				}
			}()
		}
		<-time.After(time.Minute - time.Nanosecond)
		// A dial takes ten seconds, and four go at once.
		if n := len(s.dials); n < 4 || n > 24 {
			t.Errorf("%d connections in a minute", n)
		}
		if err := p.health(); err == nil || !strings.Contains(err.Error(), "the server allows no requests") {
			t.Errorf("health is %v", err)
		}
		<-time.After(time.Minute)
	})
}

// A server may allow its first request a moment after its first settings.
func TestAServerThatAllowsNoRequestsAtFirst(t *testing.T) {
	s := &limitServer{streams: 100, settings: []http2.Setting{allow(0)}, play: func(set func(...http2.Setting)) {
		<-time.After(200 * time.Millisecond)
		set(allow(100))
	}}
	withLimitServer(t, s, 100, func(t *testing.T, p *connPool) {
		if n := p.pushAll(t, 50); n != 50 || len(s.dials) != 1 {
			t.Errorf("%d of 50 requests are answered over %d connections, want all over one", n, len(s.dials))
		}
	})
}

// A server that allows nothing for a while keeps its connection. Requests wait for it.
func TestAServerThatAllowsNothingForAWhile(t *testing.T) {
	s := &limitServer{streams: 100, settings: []http2.Setting{allow(100)}, play: func(set func(...http2.Setting)) {
		set(allow(0))
		<-time.After(5 * time.Second)
		set(allow(100))
	}}
	withLimitServer(t, s, 1, func(t *testing.T, p *connPool) {
		if err := p.connect(t.Context()); err != nil {
			t.Fatal(err)
		}
		kept := p.conns[0].connection
		s.settings = []http2.Setting{allow(0)} // of another connection
		synctest.Wait()
		if err := p.health(); err == nil || !strings.Contains(err.Error(), "allows no requests") {
			t.Errorf("health is %v", err)
		}
		if status, err := p.push(t.Context()); status != 200 {
			t.Errorf("status %d, %v", status, err)
		}
		if at := p.conns[0]; at.connection != kept {
			t.Error("the connection was replaced")
		}
		if err := p.health(); err != nil {
			t.Errorf("health is %v afterwards", err)
		}
	})
}

// A limit that the server raises is used, so that few connections carry many requests.
func TestARaisedLimitIsFollowed(t *testing.T) {
	s := &limitServer{streams: 100, settings: []http2.Setting{allow(1)}, answer: 50 * time.Millisecond, play: func(set func(...http2.Setting)) {
		<-time.After(time.Millisecond)
		set(allow(100))
	}}
	withLimitServer(t, s, 400, func(t *testing.T, p *connPool) {
		if err := p.connect(t.Context()); err != nil {
			t.Fatal(err)
		}
		<-time.After(time.Second)
		if n := p.pushAll(t, 400); n != 400 || len(s.dials) > 8 {
			t.Errorf("%d of 400 requests are answered over %d connections, want all over 8 at most", n, len(s.dials))
		}
	})
}
