package h2

import (
	"bytes"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// script is a handler whose replies a test sets by the request's path.
type testHandler struct {
	head, answer map[string]Reply

	mu       sync.Mutex
	bodies   map[string]string
	tooLarge bool
	done     []string // "path left" or "path answered"
	ended    chan struct{}
}

func (s *testHandler) HandleHeaders(r *Request) (Reply, bool) {
	reply, ok := s.head[r.Path]
	return reply, ok
}

func (s *testHandler) HandleRequest(r *Request) Reply {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.bodies[r.Path] = string(r.Body)
	s.tooLarge = s.tooLarge || r.TooLarge
	if reply, ok := s.answer[r.Path]; ok {
		return reply
	}
	return ok(r.Path)
}

func (s *testHandler) Finish(r *Request, left bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	end := " answered"
	if left {
		end = " left"
	}
	s.done = append(s.done, r.Path+end)
	s.ended <- struct{}{}
}

// ends waits until n requests end and returns how, in that order.
func (s *testHandler) awaitEnds(n int) []string {
	for range n {
		<-s.ended
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.done
}

func ok(body string) Reply {
	return Reply{Status: 200, Header: []Field{{"content-type", "text/plain"}}, Body: []byte(body)}
}

// peer is a client that sends exactly what a test wants.
type peer struct {
	*http2.Framer
	t       *testing.T
	conn    net.Conn
	block   bytes.Buffer
	encoder *hpack.Encoder
	decoder *hpack.Decoder
	server  *Server
	scheme  string
}

// dial starts a server with one connection, over which prefaces and settings were exchanged.
func dial(t *testing.T, s *testHandler, o Options, settings ...http2.Setting) *peer {
	t.Helper()
	s.bodies, s.ended = make(map[string]string), make(chan struct{}, 1000)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	client, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	accepted, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	link := NewLink(accepted, func() {})
	p := &peer{t: t, conn: client, server: NewServer(s, o), scheme: "https", Framer: http2.NewFramer(client, client)}
	p.encoder, p.decoder = hpack.NewEncoder(&p.block), hpack.NewDecoder(4096, nil)
	go p.server.Serve(link, link)
	t.Cleanup(func() {
		p.server.Close()
		_ = client.Close() // a test may have closed it
	})
	if err := client.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(client, http2.ClientPreface); err != nil {
		t.Fatal(err)
	}
	p.must(p.WriteSettings(settings...))
	return p
}

func (p *peer) must(err error) {
	p.t.Helper()
	if err != nil {
		p.t.Fatal(err)
	}
}

// head sends a request's headers.
func (p *peer) head(id uint32, path string, end bool, more ...string) {
	p.t.Helper()
	p.must(p.WriteHeaders(http2.HeadersFrameParam{
		StreamID: id, BlockFragment: p.encode(path, more...), EndHeaders: true, EndStream: end,
	}))
}

func (p *peer) encode(path string, more ...string) []byte {
	p.block.Reset()
	fields := append([]string{":method", "POST", ":scheme", p.scheme, ":authority", "fcm.test", ":path", path}, more...)
	for i := 0; i < len(fields); i += 2 {
		p.must(p.encoder.WriteField(hpack.HeaderField{Name: fields[i], Value: fields[i+1]}))
	}
	return p.block.Bytes()
}

// post sends a complete request.
func (p *peer) post(id uint32, path, body string) {
	p.t.Helper()
	p.head(id, path, false)
	p.must(p.WriteData(id, true, []byte(body)))
}

// awaitFrames reads frames until n of those that a test wants have arrived. It writes each as one
// line.
func (p *peer) awaitFrames(n int) []string {
	p.t.Helper()
	var lines []string
	for len(lines) < n {
		f, err := p.ReadFrame()
		if err != nil {
			p.t.Fatalf("after %q: %v", lines, err)
		}
		if line := p.formatFrame(f); line != "" {
			lines = append(lines, line)
		}
	}
	return lines
}

// line is empty for what every connection starts with.
func (p *peer) formatFrame(f http2.Frame) string {
	id := strconv.Itoa(int(f.Header().StreamID))
	end := ""
	if f.Header().Flags.Has(http2.FlagDataEndStream) {
		end = " end"
	}
	switch f := f.(type) {
	case *http2.HeadersFrame:
		fields, err := p.decoder.DecodeFull(f.HeaderBlockFragment())
		p.must(err)
		var text []string
		for _, field := range fields {
			if field.Name != "date" {
				text = append(text, field.Name+"="+field.Value)
			}
		}
		return id + " headers " + strings.Join(text, " ")
	case *http2.DataFrame:
		return id + " data " + strconv.Quote(string(f.Data())) + end
	case *http2.RSTStreamFrame:
		return id + " reset " + f.ErrCode.String()
	case *http2.GoAwayFrame:
		return "goaway " + strconv.Itoa(int(f.LastStreamID)) + " " + f.ErrCode.String()
	case *http2.PingFrame:
		return "ping " + string(f.Data[:])
	default:
		return ""
	}
}

// hangUp reads to the end of the connection and returns the error that it ends with.
func (p *peer) awaitEnd() error {
	p.t.Helper()
	for {
		if _, err := p.ReadFrame(); err != nil {
			return err
		}
	}
}
