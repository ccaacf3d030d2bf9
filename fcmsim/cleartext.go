package fcmsim

import (
	"bytes"
	"io"
	"net"
	"net/http"
	"strings"

	"fanfare/fcmsim/internal/h2"
)

// cleartext speaks HTTP/1.1 and HTTP/2 with prior knowledge on one listener without TLS: net/http takes the beginning of
// the latter's preface for a request.
type cleartext struct {
	front
	http2 *h2.Server
}

const preface = "PRI * HTTP/2.0\r\n\r\n"

func (c cleartext) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != "PRI" || r.RequestURI != "*" || r.ProtoMajor != 2 {
		c.front.ServeHTTP(w, r)
		return
	}
	conn, ahead, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return // it can be under way to its end only
	}
	read := make([]byte, ahead.Reader.Buffered())
	_, _ = io.ReadFull(ahead, read) // from memory
	c.http2.Serve(reread{conn, io.MultiReader(strings.NewReader(preface), bytes.NewReader(read), conn)}, linkOf(conn))
}

// reread is a connection of which a part that was read is read again.
type reread struct {
	net.Conn
	from io.Reader
}

func (r reread) Read(p []byte) (int, error) { return r.from.Read(p) }
