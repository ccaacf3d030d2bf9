package h2client

import (
	"bytes"
	"errors"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// ask makes one request that the peer answers.
func ask(t *testing.T, conn *Conn, p *peer, r Request) {
	t.Helper()
	done := send(t.Context(), conn, r)
	id, _ := p.request()
	p.respond(id, "ok")
	wantBody(t, <-done, "ok")
}

// Settings are acknowledged at once (RFC 9113, section 6.5.3), without a request to share a write.
// A PING comes back with its data.
func TestAcknowledgements(t *testing.T) {
	t.Parallel()
	_, p := connect(t, Options{})
	if f := await[*http2.SettingsFrame](p); !f.IsAck() {
		t.Errorf("the peer received %v", f)
	}
	data := [8]byte{1, 2, 3, 4, 5, 6, 7, 8}
	p.ok(p.WritePing(false, data))
	if f := await[*http2.PingFrame](p); !f.IsAck() || f.Data != data {
		t.Errorf("the peer received %v with %v", f, f.Data)
	}
	p.ok(p.WriteSettings(http2.Setting{ID: http2.SettingMaxFrameSize, Val: 20000}))
	if f := await[*http2.SettingsFrame](p); !f.IsAck() {
		t.Errorf("the peer received %v", f)
	}
}

// RST_STREAM of any code ends the request. Only REFUSED_STREAM says that it was not processed.
func TestResetOfEachCode(t *testing.T) {
	t.Parallel()
	conn, p := connect(t, Options{})
	for code := range http2.ErrCode(20) {
		done := send(t.Context(), conn, Request{Body: []byte("x")})
		id, _ := p.request()
		p.ok(p.WriteRSTStream(id, code))
		wantError(t, <-done, resetError{code}, code != http2.ErrCodeRefusedStream)
	}
}

// The limit of open streams changes in both directions.
func TestStreamLimitChanges(t *testing.T) {
	t.Parallel()
	changed := make(chan struct{}, 10)
	conn, p := connect(t, Options{OnChange: func() { changed <- struct{}{} }}, http2.Setting{ID: http2.SettingMaxConcurrentStreams, Val: 1})
	limit := func(n uint32) {
		t.Helper()
		p.ok(p.WriteSettings(http2.Setting{ID: http2.SettingMaxConcurrentStreams, Val: n}))
		<-changed
		if got := conn.StreamLimit(); got != int(n) {
			t.Errorf("the limit is %d, want %d", got, n)
		}
	}
	first, second := send(t.Context(), conn, Request{}), send(t.Context(), conn, Request{})
	one, _ := p.request()
	limit(3)
	two, _ := p.request()
	if n := conn.Available(); n != 1 {
		t.Errorf("available %d of 3 with two in flight", n)
	}
	limit(1)
	third := send(t.Context(), conn, Request{})
	p.respond(one, "ok")
	wantBody(t, first2(first, second), "ok")
	p.ok(p.WritePing(false, [8]byte{9}))
	if f := await[http2.Frame](p); f.Header().Type == http2.FrameHeaders {
		t.Error("a stream begins above the limit")
	}
	p.respond(two, "ok")
	wantBody(t, first2(first, second), "ok")
	three, _ := p.request()
	p.respond(three, "ok")
	wantBody(t, <-third, "ok")
	limit(0)
	if conn.Available() != 0 || conn.IsEnding() {
		t.Errorf("available %d, ending: %t; want a connection that waits", conn.Available(), conn.IsEnding())
	}
}

// first2 returns the outcome that comes first.
func first2(a, b <-chan outcome) outcome {
	select {
	case o := <-a:
		return o
	case o := <-b:
		return o
	}
}

// A connection that is not allowed a request for too long ends, so that another is tried.
func TestNoStreamsForTooLong(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		conn, p := connectOver(t, near, far, Options{})
		ask(t, conn, p, Request{})
		begun := time.Now()
		go func() { _ = p.WriteSettings(http2.Setting{ID: http2.SettingMaxConcurrentStreams, Val: 0}) }()
		await[*http2.GoAwayFrame](p)
		if took := time.Since(begun).Round(time.Second); took != noStreamsTimeout || !errors.Is(conn.Err(), errNoStreams) {
			t.Errorf("%v after %s", conn.Err(), took)
		}
		_ = far.Close()
	})
}

// Between two requests the peer may shrink the table and let it grow again. It is empty then
// (RFC 7541, section 4.2), so the next block must not refer to it.
func TestTableThatShrinksAndGrows(t *testing.T) {
	t.Parallel()
	conn, p := connect(t, Options{})
	p.ReadMetaHeaders = nil
	decoder := hpack.NewDecoder(4096, nil)
	request := func() []hpack.HeaderField {
		t.Helper()
		done := send(t.Context(), conn, Request{Authorization: "Bearer x"})
		f := await[*http2.HeadersFrame](p)
		got, err := decoder.DecodeFull(f.HeaderBlockFragment())
		if err != nil {
			t.Fatal(err)
		}
		p.respond(f.StreamID, "ok")
		wantBody(t, <-done, "ok")
		return got
	}
	request()
	p.ok(p.WriteSettings(http2.Setting{ID: http2.SettingHeaderTableSize, Val: 0}, http2.Setting{ID: http2.SettingHeaderTableSize, Val: 4096}))
	for !await[*http2.SettingsFrame](p).IsAck() {
	}
	decoder = hpack.NewDecoder(4096, nil)
	if got := request(); len(got) != len(fields)+2 {
		t.Errorf("the peer read %v", got)
	}
}

// Header fields and bodies go out in frames of the peer's size at most.
func TestFrameSizes(t *testing.T) {
	t.Parallel()
	for _, size := range []uint32{16384, 50000} {
		conn, p := connect(t, Options{}, http2.Setting{ID: http2.SettingMaxFrameSize, Val: size}, http2.Setting{ID: http2.SettingInitialWindowSize, Val: 1 << 20})
		p.ok(p.WriteWindowUpdate(0, 1<<20))
		p.SetMaxReadFrameSize(size)
		p.ReadMetaHeaders = nil
		authorization, body := "Bearer "+strings.Repeat("\x80", 60000), strings.Repeat("b", 120000) // of bytes that Huffman's code does not shorten
		done := send(t.Context(), conn, Request{Authorization: authorization, Body: []byte(body)})
		head := await[*http2.HeadersFrame](p)
		block := bytes.Clone(head.HeaderBlockFragment())
		for ended := head.HeadersEnded(); !ended; {
			next := await[*http2.ContinuationFrame](p)
			block = append(block, next.HeaderBlockFragment()...)
			ended = next.HeadersEnded()
		}
		got, err := hpack.NewDecoder(4096, nil).DecodeFull(block)
		if err != nil || len(got) < len(fields)+1 || got[len(fields)].Value != authorization {
			t.Errorf("frames of %d bytes: the peer read %d fields, %v", size, len(got), err)
		}
		frames, received := 0, ""
		for len(received) < len(body) {
			received += string(await[*http2.DataFrame](p).Data())
			frames++
		}
		if want := (len(body) + int(size) - 1) / int(size); received != body || frames > want+4 {
			t.Errorf("frames of %d bytes: the body came in %d, want %d", size, frames, want)
		}
		p.respond(head.StreamID, "ok")
		wantBody(t, <-done, "ok")
	}
}

// Frames of a response that is complete change nothing.
func TestFramesAfterTheEnd(t *testing.T) {
	t.Parallel()
	conn, p := connect(t, Options{})
	done := send(t.Context(), conn, Request{Body: []byte("x")})
	id, _ := p.request()
	p.respond(id, "ok")
	p.ok(p.WriteData(id, true, []byte("more")))
	p.header(id, true, ":status", "500", "x", "in the table")
	p.ok(p.WriteRSTStream(id, http2.ErrCodeNo))
	p.ok(p.WriteWindowUpdate(id, 1))
	wantBody(t, <-done, "ok")
	done = send(t.Context(), conn, Request{Body: []byte("x")})
	id, _ = p.request()
	p.header(id, true, ":status", "200", "x", "in the table")
	wantBody(t, <-done, "")
}

// A peer that closes its side of TCP sends nothing more.
func TestHalfClosedConnection(t *testing.T) {
	t.Parallel()
	conn, p := connect(t, Options{})
	done := send(t.Context(), conn, Request{Body: []byte("x")})
	p.request()
	p.ok(p.nc.(*net.TCPConn).CloseWrite())
	wantError(t, <-done, errGone, true)
}

// The second GOAWAY leaves fewer streams. Requests that wait begin on no stream.
func TestGoAwayTwice(t *testing.T) {
	t.Parallel()
	conn, p := connect(t, Options{}, http2.Setting{ID: http2.SettingMaxConcurrentStreams, Val: 2})
	first := send(t.Context(), conn, Request{})
	one, _ := p.request()
	second := send(t.Context(), conn, Request{})
	two, _ := p.request()
	conn.mu.Lock() // the pool would not queue it
	waits := conn.newStream(t.Context(), new(Request), new(Response))
	conn.inFlight++
	conn.queue = append(conn.queue, waits)
	conn.mu.Unlock()
	p.ok(p.WriteGoAway(maxStreamID, http2.ErrCodeNo, nil))
	<-waits.done
	wantError(t, outcome{err: waits.err}, ErrUnprocessed, false)
	p.ok(p.WriteGoAway(one, http2.ErrCodeEnhanceYourCalm, nil))
	wantError(t, <-second, goawayError{http2.ErrCodeEnhanceYourCalm}, false)
	p.respond(two, "too late")
	p.respond(one, "ok")
	wantBody(t, <-first, "ok")
}

// The last stream id is used, and nothing after it.
func TestStreamIDsRunOut(t *testing.T) {
	t.Parallel()
	conn, p := connect(t, Options{})
	conn.mu.Lock()
	conn.nextID = maxStreamID - 2
	conn.mu.Unlock()
	ask(t, conn, p, Request{})
	ask(t, conn, p, Request{})
	wantError(t, <-send(t.Context(), conn, Request{}), errIDsUsedUp, false)
	if conn.Available() != 0 || !conn.IsEnding() {
		t.Errorf("available %d, ending: %t", conn.Available(), conn.IsEnding())
	}
}

// cutConn fails a write after some bytes.
type cutConn struct {
	net.Conn
	cut         chan int // how many bytes of the next write go
	beforeError func()
}

func (c *cutConn) Write(b []byte) (int, error) {
	select {
	case n := <-c.cut:
		n, _ = c.Conn.Write(b[:n])
		c.beforeError()
		return n, net.ErrClosed
	default:
		return c.Conn.Write(b)
	}
}

// Of a write that fails, what the kernel took may be at the peer, and the rest is not sent. That
// holds even if the end of the connection is read before the write returns.
func TestFailedWrite(t *testing.T) {
	t.Parallel()
	for _, readFirst := range []bool{false, true} {
		near, far := tcp(t)
		cut := &cutConn{Conn: near, cut: make(chan int, 1)}
		conn, p := connectOver(t, cut, far, Options{})
		await[*http2.SettingsFrame](p) // the acknowledgement
		cut.beforeError = func() {
			if readFirst {
				_ = far.Close()
				<-conn.closed
			}
		}
		cut.cut <- 60 // the first request and nothing of the second
		conn.mu.Lock()
		var all []*stream
		for range 4 {
			s := conn.newStream(t.Context(), &Request{Body: bytes.Repeat([]byte("x"), 40)}, new(Response))
			conn.inFlight++
			conn.queue = append(conn.queue, s)
			all = append(all, s)
		}
		conn.mu.Unlock()
		conn.wakeWriter()
		for i, s := range all {
			<-s.done
			wantError(t, outcome{err: s.err}, nil, i == 0)
		}
	}
}
