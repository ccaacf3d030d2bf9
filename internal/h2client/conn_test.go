package h2client

import (
	"context"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/net/http2"
)

// What the peer does to one request, and what becomes of it.
func TestOutcomes(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		play func(p *peer, id uint32)
		body string // of a response with status 200
		err  error  // nil: any
		sent bool   // only if there is no body
	}{
		"response":                {play: func(p *peer, id uint32) { p.respond(id, "ok") }, body: "ok"},
		"response without a body": {play: func(p *peer, id uint32) { p.header(id, true, ":status", "200") }},
		"interim responses": {play: func(p *peer, id uint32) {
			p.header(id, false, ":status", "100")
			p.header(id, false, ":status", "103", "link", "x")
			p.respond(id, "ok")
		}, body: "ok"},
		"trailers": {play: func(p *peer, id uint32) {
			p.header(id, false, ":status", "200")
			p.ok(p.WriteData(id, false, []byte("ok")))
			p.header(id, true, "checksum", "1")
		}, body: "ok"},
		"padding": {play: func(p *peer, id uint32) {
			p.header(id, false, ":status", "200")
			p.ok(p.WriteDataPadded(id, false, []byte("o"), make([]byte, 200)))
			p.ok(p.WriteDataPadded(id, true, []byte("k"), make([]byte, 255)))
		}, body: "ok"},
		"continuation": {play: func(p *peer, id uint32) {
			block := p.encode(":status", "200", "x", strings.Repeat("y", 100))
			p.ok(p.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: block[:3]}))
			p.ok(p.WriteContinuation(id, false, block[3:7]))
			p.ok(p.WriteContinuation(id, true, block[7:]))
			p.ok(p.WriteData(id, true, []byte("ok")))
		}, body: "ok"},
		"frames of extensions": {play: func(p *peer, id uint32) {
			p.ok(p.WriteRawFrame(0xbe, 0xff, id, []byte("x")))
			p.ok(p.WritePriority(id, http2.PriorityParam{Weight: 1}))
			p.respond(id, "ok")
		}, body: "ok"},
		"refused":   {play: func(p *peer, id uint32) { p.ok(p.WriteRSTStream(id, http2.ErrCodeRefusedStream)) }, err: ErrUnprocessed},
		"reset":     {play: func(p *peer, id uint32) { p.ok(p.WriteRSTStream(id, http2.ErrCodeInternal)) }, err: resetError{http2.ErrCodeInternal}, sent: true},
		"cancelled": {play: func(p *peer, id uint32) { p.ok(p.WriteRSTStream(id, http2.ErrCodeCancel)) }, err: resetError{http2.ErrCodeCancel}, sent: true},
		"reset after half a response": {play: func(p *peer, id uint32) {
			p.header(id, false, ":status", "200")
			p.ok(p.WriteData(id, false, []byte("o")))
			p.ok(p.WriteRSTStream(id, http2.ErrCodeInternal))
		}, sent: true},
		"GOAWAY before it":   {play: func(p *peer, _ uint32) { p.ok(p.WriteGoAway(0, http2.ErrCodeNo, nil)) }, err: ErrUnprocessed},
		"GOAWAY behind it":   {play: func(p *peer, id uint32) { p.ok(p.WriteGoAway(id, http2.ErrCodeNo, nil)); p.respond(id, "ok") }, body: "ok"},
		"closed":             {play: func(p *peer, _ uint32) { _ = p.nc.Close() }, sent: true},
		"too long":           {play: func(p *peer, id uint32) { p.header(id, false, ":status", "200"); p.data(id, 65<<10) }, err: ErrBodyTooLong, sent: true},
		"no status":          {play: func(p *peer, id uint32) { p.header(id, true, "x", "y") }, sent: true},
		"status of letters":  {play: func(p *peer, id uint32) { p.header(id, true, ":status", "abc") }, sent: true},
		"status at the end":  {play: func(p *peer, id uint32) { p.header(id, true, "x", "y", ":status", "200") }, sent: true},
		"two status fields":  {play: func(p *peer, id uint32) { p.header(id, true, ":status", "200", ":status", "200") }, sent: true},
		"foreign pseudo":     {play: func(p *peer, id uint32) { p.header(id, true, ":status", "200", ":path", "/") }, sent: true},
		"interim at the end": {play: func(p *peer, id uint32) { p.header(id, true, ":status", "100") }, sent: true},
		"two headers":        {play: func(p *peer, id uint32) { p.header(id, false, ":status", "200"); p.header(id, false, ":status", "200") }, sent: true},
		"data first":         {play: func(p *peer, id uint32) { p.ok(p.WriteData(id, true, []byte("ok"))) }, sent: true},
		"push": {play: func(p *peer, id uint32) {
			p.ok(p.WritePushPromise(http2.PushPromiseParam{StreamID: id, PromiseID: 2, EndHeaders: true}))
		}, err: http2.ConnectionError(http2.ErrCodeProtocol), sent: true},
		"idle stream": {play: func(p *peer, id uint32) { p.ok(p.WriteRSTStream(id+100, http2.ErrCodeCancel)) }, err: http2.ConnectionError(http2.ErrCodeProtocol), sent: true},
		"even stream": {play: func(p *peer, _ uint32) { p.header(2, true, ":status", "200") }, err: http2.ConnectionError(http2.ErrCodeProtocol), sent: true},
		"bad compression": {play: func(p *peer, id uint32) {
			p.ok(p.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: []byte{0xff, 0xff, 0xff, 0xff, 0xff}, EndHeaders: true}))
		}, err: http2.ConnectionError(http2.ErrCodeCompression), sent: true},
		"header flood": {play: func(p *peer, id uint32) {
			_ = p.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: make([]byte, 16384)})
			for range 5 {
				_ = p.WriteContinuation(id, false, make([]byte, 16384))
			}
		}, sent: true},
		"push allowed": {play: func(p *peer, _ uint32) { p.ok(p.WriteSettings(http2.Setting{ID: http2.SettingEnablePush, Val: 1})) }, sent: true},
		"huge window": {play: func(p *peer, _ uint32) {
			p.ok(p.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 1 << 31}))
		}, err: http2.ConnectionError(http2.ErrCodeFlowControl), sent: true},
		"window overflow":  {play: func(p *peer, _ uint32) { p.ok(p.WriteWindowUpdate(0, maxWindow)) }, err: http2.ConnectionError(http2.ErrCodeFlowControl), sent: true},
		"stream overflow":  {play: func(p *peer, id uint32) { p.ok(p.WriteWindowUpdate(id, maxWindow)) }, sent: true},
		"empty update":     {play: func(p *peer, id uint32) { p.ok(p.WriteRawFrame(http2.FrameWindowUpdate, 0, id, make([]byte, 4))) }, sent: true},
		"frame too large":  {play: func(p *peer, id uint32) { _ = p.WriteRawFrame(http2.FrameData, 0, id, make([]byte, 20000)) }, sent: true},
		"not HTTP/2":       {play: func(p *peer, _ uint32) { _, _ = p.nc.Write([]byte("HTTP/1.1 400 Bad Request\r\n\r\n")) }, sent: true},
		"ping of a stream": {play: func(p *peer, _ uint32) { p.ok(p.WriteRawFrame(http2.FramePing, 0, 1, make([]byte, 8))) }, sent: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conn, p := connect(t, Options{})
			done := send(t.Context(), conn, Request{Authorization: "Bearer x", Body: []byte("hello"), Timeout: 10 * time.Second})
			id, body := p.request()
			if body != "hello" {
				t.Errorf("the peer received %q", body)
			}
			c.play(p, id)
			o := <-done
			if o.err == nil {
				wantBody(t, o, c.body)
				return
			}
			wantError(t, o, c.err, c.sent)
		})
	}
}

// data writes n bytes of a response.
func (p *peer) data(id uint32, n int) {
	for ; n > 0; n -= 16384 {
		_ = p.WriteData(id, false, make([]byte, min(n, 16384))) // the connection may reset the stream meanwhile
	}
}

// After a stream of its own is reset, a connection serves the others. After an error of the
// connection, it tells the peer and takes no more.
func TestEndOfStreamAndConnection(t *testing.T) {
	t.Parallel()
	conn, p := connect(t, Options{})
	first := send(t.Context(), conn, Request{Body: []byte("1")})
	id, _ := p.request()
	p.ok(p.WriteData(id, true, []byte("data first")))
	wantError(t, <-first, nil, true)
	if f := await[*http2.RSTStreamFrame](p); f.StreamID != id || f.ErrCode != http2.ErrCodeProtocol {
		t.Errorf("the peer received %v", f)
	}
	second := send(t.Context(), conn, Request{Body: []byte("2")})
	id, _ = p.request()
	p.respond(id, "ok")
	wantBody(t, <-second, "ok")

	p.ok(p.WriteWindowUpdate(0, maxWindow))
	if f := await[*http2.GoAwayFrame](p); f.ErrCode != http2.ErrCodeFlowControl {
		t.Errorf("the peer received %v", f)
	}
	wantError(t, <-send(t.Context(), conn, Request{}), http2.ConnectionError(http2.ErrCodeFlowControl), false)
	if conn.Available() != 0 || conn.Err() == nil {
		t.Errorf("available %d, error %v", conn.Available(), conn.Err())
	}
}

// A body goes out as the windows allow, whatever the peer's settings become meanwhile.
func TestFlowControl(t *testing.T) {
	t.Parallel()
	body := strings.Repeat("0123456789", 10_000)
	conn, p := connect(t, Options{}, http2.Setting{ID: http2.SettingInitialWindowSize, Val: 7})
	done := send(t.Context(), conn, Request{Body: []byte(body)})
	other := send(t.Context(), conn, Request{Body: []byte("small")})
	got := map[uint32]string{}
	read := func(n int) {
		for n > 0 {
			f := await[*http2.DataFrame](p)
			got[f.StreamID] += string(f.Data())
			n -= len(f.Data())
		}
	}
	read(12) // seven bytes, and all of the other
	large := uint32(1)
	if len(got[1]) != 7 {
		large = 3
	}
	p.ok(p.WriteWindowUpdate(large, 1))
	read(1)
	p.ok(p.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 17}, http2.Setting{ID: http2.SettingMaxFrameSize, Val: 1 << 20}))
	read(10)
	p.ok(p.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 2})) // negative now
	p.ok(p.WriteWindowUpdate(large, 16))
	p.ok(p.WriteWindowUpdate(large, 1<<20))
	read(65535 - 23) // what the connection's window has
	p.ok(p.WriteWindowUpdate(0, 1<<20))
	read(len(body) - 65535 + 5)
	if got[large] != body || got[4-large] != "small" {
		t.Errorf("the peer received %d and %d bytes", len(got[large]), len(got[4-large]))
	}
	p.respond(large, "a")
	p.respond(4-large, "b")
	wantBody(t, <-done, "a")
	wantBody(t, <-other, "b")
}

// No more streams are open than the peer allows. The next one begins when one ends.
func TestStreamLimit(t *testing.T) {
	t.Parallel()
	conn, p := connect(t, Options{}, http2.Setting{ID: http2.SettingMaxConcurrentStreams, Val: 1})
	if n := conn.Available(); n != 1 {
		t.Errorf("available %d, want 1", n)
	}
	first, second := send(t.Context(), conn, Request{Body: []byte("x")}), send(t.Context(), conn, Request{Body: []byte("x")})
	id, _ := p.request()
	p.ok(p.WritePing(false, [8]byte{1}))
	if f := await[http2.Frame](p); f.Header().Type != http2.FramePing && f.Header().Type != http2.FrameSettings {
		t.Errorf("%v came before the first stream ended", f)
	}
	p.respond(id, "ok")
	id, _ = p.request()
	p.respond(id, "ok")
	wantBody(t, <-first, "ok")
	wantBody(t, <-second, "ok")
}

// A server may answer before it has read the request, and takes no more of it.
func TestEarlyResponse(t *testing.T) {
	t.Parallel()
	conn, p := connect(t, Options{}, http2.Setting{ID: http2.SettingInitialWindowSize, Val: 1})
	done := send(t.Context(), conn, Request{Body: []byte("long body")})
	await[*http2.DataFrame](p)
	p.respond(1, "early")
	wantBody(t, <-done, "early")
	if f := await[*http2.RSTStreamFrame](p); f.ErrCode != http2.ErrCodeNo {
		t.Errorf("the peer received %v", f)
	}
	p.ok(p.WriteWindowUpdate(1, 100)) // for the stream that is gone
	next := send(t.Context(), conn, Request{})
	id, _ := p.request()
	p.respond(id, "ok")
	wantBody(t, <-next, "ok")
}

// A request ends with its time, its context, or the connection. What never began was not sent.
func TestGivingUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		conn, p := connectOver(t, near, far, Options{}, http2.Setting{ID: http2.SettingMaxConcurrentStreams, Val: 1})
		ctx, cancel := context.WithCancel(t.Context())
		sent := send(ctx, conn, Request{Body: []byte("x"), Timeout: time.Minute})
		id, _ := p.request()
		waiting := send(t.Context(), conn, Request{Body: []byte("y"), Timeout: time.Second})
		wantError(t, <-waiting, ErrTimeout, false)
		cancel()
		wantError(t, <-sent, context.Canceled, true)
		if f := await[*http2.RSTStreamFrame](p); f.StreamID != id || f.ErrCode != http2.ErrCodeCancel {
			t.Errorf("the peer received %v", f)
		}
		p.respond(id, "late") // of a stream that is gone
		late := send(t.Context(), conn, Request{Timeout: time.Second})
		p.request()
		wantError(t, <-late, ErrTimeout, true)
		wantError(t, <-send(ctx, conn, Request{}), context.Canceled, false)

		last := send(t.Context(), conn, Request{})
		p.request()
		_ = conn.Close()
		wantError(t, <-last, ErrClosed, true)
		wantError(t, <-send(t.Context(), conn, Request{}), ErrClosed, false)
		_ = far.Close()
	})
}
