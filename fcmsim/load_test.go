package fcmsim_test

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// load is a very cheap HTTP/2 client. It sends headers and data in separate frames and TLS records,
// as net/http does, but as many as there are in one system call. It counts responses without
// reading them.
type load struct {
	link    *heldBack
	conn    *tls.Conn
	frames  *http2.Framer
	block   bytes.Buffer
	encoder *hpack.Encoder
	headers [][2]string
	stream  uint32
}

// heldBack is a connection whose writes wait for a flush.
type heldBack struct {
	net.Conn
	hold    bool
	pending []byte
}

func (h *heldBack) Write(p []byte) (int, error) {
	h.pending = append(h.pending, p...)
	if h.hold {
		return len(p), nil
	}
	return len(p), h.flush()
}

func (h *heldBack) flush() error {
	_, err := h.Conn.Write(h.pending)
	h.pending = h.pending[:0]
	return err
}

// dialLoad connects and sends what every client starts with.
func dialLoad(to served) (*load, error) {
	target, err := url.Parse(to.TLS)
	if err != nil {
		return nil, err
	}
	pem, err := os.ReadFile(to.CAFile)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(pem)
	tcp, err := net.Dial("tcp", target.Host)
	if err != nil {
		return nil, err
	}
	l := &load{link: &heldBack{Conn: tcp}, stream: 1, headers: [][2]string{
		{":authority", target.Host}, {":method", "POST"}, {":path", target.Path + "/projects/demo/messages:send"}, {":scheme", "https"},
		{"content-type", "application/json"}, {"user-agent", "load"}, {"authorization", "Bearer ya29.c.c0ASRK0Ga"},
	}}
	l.conn = tls.Client(l.link, &tls.Config{RootCAs: pool, ServerName: target.Hostname(), NextProtos: []string{"h2"}})
	if _, err := io.WriteString(l.conn, http2.ClientPreface); err != nil {
		return nil, err
	}
	l.link.hold = true
	l.frames, l.encoder = http2.NewFramer(l.conn, nil), hpack.NewEncoder(&l.block)
	const allAnswers = 1 << 30
	return l, errors.Join(l.frames.WriteSettings(), l.frames.WriteWindowUpdate(0, allAnswers))
}

// send sends n requests and waits for their responses. Rate is requests a second; 0 is as fast as
// responses arrive.
func (l *load) send(n, rate int) error {
	inFlight := make(chan struct{}, 100)
	read := make(chan error, 1)
	go func() {
		err := l.receive(n, inFlight)
		if err != nil {
			_ = l.conn.Close() // so that the sender ends, too
		}
		read <- err
	}()
	every := time.Nanosecond
	if rate > 0 {
		every = time.Second / time.Duration(rate)
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	for i := range n {
		if rate > 0 {
			<-tick.C
		}
		inFlight <- struct{}{}
		err := l.request(i)
		if err == nil && (rate > 0 || len(inFlight) == cap(inFlight) || i == n-1) {
			err = l.link.flush()
		}
		if err != nil {
			return errors.Join(err, <-read)
		}
	}
	return errors.Join(<-read, l.conn.Close())
}

func (l *load) request(i int) error {
	l.block.Reset()
	for _, h := range l.headers {
		if err := l.encoder.WriteField(hpack.HeaderField{Name: h[0], Value: h[1]}); err != nil {
			return err
		}
	}
	id := l.stream
	l.stream += 2
	body := fmt.Appendf(nil, `{"message":{"token":"token-of-some-hundred-and-fifty-characters-as-they-are-in-real-life-%060d",`+
		`"notification":{"title":"Spring sale","body":"Everything at half its price until Sunday"},"data":{"campaign":"42"},`+
		`"android":{"ttl":"3600s","priority":"HIGH"}}}`, i)
	return errors.Join(
		l.frames.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: l.block.Bytes(), EndHeaders: true}),
		l.frames.WriteData(id, true, body),
	)
}

// receive counts n streams that end with data.
func (l *load) receive(n int, inFlight <-chan struct{}) error {
	in := bufio.NewReaderSize(l.conn, 64<<10)
	var header [9]byte
	for n > 0 {
		if _, err := io.ReadFull(in, header[:]); err != nil {
			return err
		}
		length := int(binary.BigEndian.Uint32(header[:4]) >> 8)
		if _, err := in.Discard(length); err != nil {
			return err
		}
		switch kind, flags := http2.FrameType(header[3]), http2.Flags(header[4]); {
		case kind == http2.FrameData && flags.Has(http2.FlagDataEndStream):
			n--
			<-inFlight
		case kind == http2.FrameRSTStream, kind == http2.FrameGoAway:
			return fmt.Errorf("%v in place of an answer", kind)
		}
	}
	return nil
}
