package fcm

import (
	"crypto/tls"
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"golang.org/x/net/http2"
)

// frames is an HTTP/2 server that answers each whole request with frames of the test's choice.
type frames struct {
	*server
	requests atomic.Int64 // that came in whole
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
