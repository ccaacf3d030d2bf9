package h2client

import (
	"bytes"
	"crypto/tls"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"
)

// newServer starts Go's own HTTP/2 server.
func newServer(t testing.TB, handler http.HandlerFunc) *httptest.Server {
	t.Helper()
	s := httptest.NewUnstartedServer(handler)
	s.EnableHTTP2 = true
	s.StartTLS()
	t.Cleanup(s.Close)
	return s
}

func open(t testing.TB, s *httptest.Server, o Options) *Conn {
	t.Helper()
	config := s.Client().Transport.(*http.Transport).TLSClientConfig.Clone()
	config.NextProtos = []string{"h2"}
	nc, err := tls.Dial("tcp", s.Listener.Addr().String(), config)
	if err != nil {
		t.Fatal(err)
	}
	o.Header = fields
	c, err := New(t.Context(), nc, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// Many requests of all sizes at once come out as they went in, and each has its own response.
func TestGoServerEchoes(t *testing.T) {
	t.Parallel()
	s := newServer(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", r.Header.Get("Authorization"))
		_, _ = io.Copy(w, r.Body)
	})
	c := open(t, s, Options{MaxBody: 1 << 20, MaxStreams: 250})
	var all sync.WaitGroup
	for n := range 500 {
		all.Go(func() {
			random := rand.New(rand.NewPCG(1, uint64(n)))
			var resp Response
			for range 20 {
				body := make([]byte, random.IntN(1<<random.IntN(17)))
				for i := range body {
					body[i] = byte(random.Uint32())
				}
				token := "Bearer " + string('a'+rune(n%26))
				err := c.Do(t.Context(), &Request{Authorization: token, Body: body, Timeout: time.Minute}, &resp)
				if err != nil || resp.Status != 200 || resp.ContentType != token || !bytes.Equal(resp.Body, body) {
					t.Errorf("%d bytes: response %d with %d bytes, %v", len(body), resp.Status, len(resp.Body), err)
					return
				}
			}
		})
	}
	all.Wait()
}
