package h2client

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// peer is a server that a test plays frame by frame.
type peer struct {
	*http2.Framer
	t       *testing.T
	nc      net.Conn
	block   bytes.Buffer
	encoder *hpack.Encoder
}

// fields are those of every request in the tests.
var fields = []Field{{":method", "POST"}, {":scheme", "https"}, {":authority", "fcm.test"}, {":path", "/send"}, {"content-type", "application/json"}}

// connect opens a connection to a peer, which has read the preface.
func connect(t *testing.T, o Options, settings ...http2.Setting) (*Conn, *peer) {
	t.Helper()
	near, far := tcp(t)
	return connectOver(t, near, far, o, settings...)
}

// connectOver is connect over a connection that the test has.
func connectOver(t *testing.T, near, far net.Conn, o Options, settings ...http2.Setting) (*Conn, *peer) {
	t.Helper()
	p := &peer{t: t, nc: far}
	p.Framer = http2.NewFramer(far, far)
	p.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	p.encoder = hpack.NewEncoder(&p.block)
	greeted := make(chan error, 1)
	go func() {
		preface := make([]byte, len(http2.ClientPreface))
		_, err1 := io.ReadFull(far, preface)
		_, err2 := p.ReadFrame() // SETTINGS
		_, err3 := p.ReadFrame() // WINDOW_UPDATE
		greeted <- errors.Join(err1, err2, err3, p.WriteSettings(settings...))
	}()
	o.Header = fields
	c, err := New(t.Context(), near, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	if err := <-greeted; err != nil {
		t.Fatal(err)
	}
	return c, p
}

// tcp returns both ends of a connection on loopback.
func tcp(t *testing.T) (near, far net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if near, err = net.Dial("tcp", l.Addr().String()); err != nil {
		t.Fatal(err)
	}
	if far, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = far.Close() })
	return near, far
}

// await reads frames until one of a kind comes.
func await[F http2.Frame](p *peer) F {
	p.t.Helper()
	_ = p.nc.SetReadDeadline(time.Now().Add(time.Minute))
	for {
		f, err := p.ReadFrame()
		if err != nil {
			p.t.Fatalf("await %T: %v", *new(F), err)
		}
		if wanted, ok := f.(F); ok {
			return wanted
		}
	}
}

// request reads a whole request and returns its stream and its body.
func (p *peer) request() (id uint32, body string) {
	p.t.Helper()
	header := await[*http2.MetaHeadersFrame](p)
	for ended := header.StreamEnded(); !ended; {
		data := await[*http2.DataFrame](p)
		body += string(data.Data())
		ended = data.StreamEnded()
	}
	return header.StreamID, body
}

// header writes the header fields of a response.
func (p *peer) header(id uint32, end bool, pairs ...string) {
	p.t.Helper()
	p.ok(p.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: p.encode(pairs...), EndHeaders: true, EndStream: end}))
}

func (p *peer) encode(pairs ...string) []byte {
	p.block.Reset()
	for i := 0; i < len(pairs); i += 2 {
		p.ok(p.encoder.WriteField(hpack.HeaderField{Name: pairs[i], Value: pairs[i+1]}))
	}
	return bytes.Clone(p.block.Bytes())
}

func (p *peer) ok(err error) {
	p.t.Helper()
	if err != nil {
		p.t.Error(err)
	}
}

// respond writes a whole response.
func (p *peer) respond(id uint32, body string) {
	p.t.Helper()
	p.header(id, false, ":status", "200", "content-type", "application/json")
	p.ok(p.WriteData(id, true, []byte(body)))
}

// outcome is what Do returned.
type outcome struct {
	Response
	err error
}

// send begins a request.
func send(ctx context.Context, c *Conn, r Request) <-chan outcome {
	done := make(chan outcome, 1)
	go func() {
		var o outcome
		o.err = c.Do(ctx, &r, &o.Response)
		done <- o
	}()
	return done
}

// wantError checks the error of a request.
func wantError(t *testing.T, o outcome, want error, sent bool) {
	t.Helper()
	e, ok := errors.AsType[*Error](o.err)
	if !ok || want != nil && !errors.Is(o.err, want) || e.Sent != sent {
		t.Errorf("error %v (%+v), want %v, sent %t", o.err, e, want, sent)
	}
}

func wantBody(t *testing.T, o outcome, body string) {
	t.Helper()
	if o.err != nil || o.Status != 200 || string(o.Body) != body {
		t.Errorf("response %d %q (%v), want 200 %q", o.Status, o.Body, o.err, body)
	}
}
