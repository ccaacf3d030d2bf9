package fcm

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/pem"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"

	"go.uber.org/goleak"
	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"fanfare/fcmsim"
	"fanfare/internal/notification"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const hello = `"notification":{"title":"Hello","body":"World"},"data":{"k":"v"}}}`

// body is a request for a token.
func body(token string) []byte { return []byte(`{"message":{"token":"` + token + `",` + hello) }

func to(token string) notification.Target { return notification.ParseToken(token) }

// withEachClient runs a test with our client and with the SDK's.
func withEachClient(t *testing.T, test func(t *testing.T, o Options)) {
	t.Helper()
	for _, name := range []string{ClientOwn, ClientSDK} {
		t.Run(name, func(t *testing.T) { test(t, Options{Client: name}) })
	}
}

// newSender fills in what the test leaves open, and closes the sender at the end.
func newSender(t testing.TB, o Options) *Sender {
	t.Helper()
	if o.ProjectID == "" {
		o.ProjectID = "demo"
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	s, err := New(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// simulate starts the FCM simulator.
func simulate(t testing.TB, o fcmsim.Options) (*fcmsim.Simulator, *fcmsim.Server) {
	t.Helper()
	sim, err := fcmsim.New(o)
	if err != nil {
		t.Fatal(err)
	}
	srv, err := sim.Start(context.WithoutCancel(t.Context()), fcmsim.Listen{Admin: fcmsim.Off})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = srv.Close() })
	return sim, srv
}

// server is a test's own FCM over TLS and HTTP/2. It counts connections and requests.
type server struct {
	*httptest.Server
	options  Options // to reach the server
	requests atomic.Int64
	accepted atomic.Int64 // connections
}

func serve(t testing.TB, configure func(*httptest.Server), h http.HandlerFunc) *server {
	t.Helper()
	s := new(server)
	s.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.requests.Add(1)
		h(w, r)
	}))
	s.EnableHTTP2 = true
	s.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			s.accepted.Add(1)
		}
	}
	if configure != nil {
		configure(s.Server)
	}
	s.StartTLS()
	t.Cleanup(s.Close)
	ca := filepath.Join(t.TempDir(), "ca.pem")
	block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})
	if err := os.WriteFile(ca, block, 0o600); err != nil {
		t.Fatal(err)
	}
	s.options = Options{Endpoint: s.URL + "/v1", RootCAs: ca}
	return s
}

func accept(w http.ResponseWriter, _ *http.Request) {
	_, _ = w.Write([]byte(`{"name":"projects/demo/messages/1"}`))
}

// frames is an HTTP/2 server that answers each complete request with the frames that the test
// chooses.
type frames struct {
	*server
	requests atomic.Int64 // complete ones
}

func serveFrames(t *testing.T, answer func(fr *http2.Framer, stream uint32) (stay bool)) *frames {
	t.Helper()
	f := new(frames)
	f.server = serve(t, func(s *httptest.Server) {
		s.Config.TLSNextProto = map[string]func(*http.Server, *tls.Conn, http.Handler){
			"h2": func(_ *http.Server, conn *tls.Conn, _ http.Handler) { f.talk(conn, answer) },
		}
	}, accept)
	return f
}

func (f *frames) talk(conn *tls.Conn, answer func(fr *http2.Framer, stream uint32) (stay bool)) {
	preface := make([]byte, len(http2.ClientPreface))
	if _, err := io.ReadFull(conn, preface); err != nil {
		return
	}
	fr := http2.NewFramer(conn, conn)
	if fr.WriteSettings() != nil {
		return
	}
	for {
		frame, err := fr.ReadFrame()
		if err != nil {
			return
		}
		if data, ok := frame.(*http2.DataFrame); ok && data.StreamEnded() {
			f.requests.Add(1)
			if !answer(fr, data.StreamID) {
				return
			}
		}
	}
}

// writeHeader writes header fields that enter no compression table, so any connection can get them.
func writeHeader(fr *http2.Framer, stream uint32, end bool, pairs ...string) error {
	var block bytes.Buffer
	encoder := hpack.NewEncoder(&block)
	for i := 0; i < len(pairs); i += 2 {
		_ = encoder.WriteField(hpack.HeaderField{Name: pairs[i], Value: pairs[i+1], Sensitive: true}) // a buffer takes all
	}
	return fr.WriteHeaders(http2.HeadersFrameParam{StreamID: stream, BlockFragment: block.Bytes(), EndHeaders: true, EndStream: end})
}
