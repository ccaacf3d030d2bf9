package h2client

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/http2"
)

// A malformed response is none (RFC 9113, section 8.1.1). It costs its stream, and the next request
// is served.
func TestMalformedResponses(t *testing.T) {
	t.Parallel()
	ok := func(pairs ...string) func(p *peer, id uint32) {
		return func(p *peer, id uint32) {
			p.header(id, false, append([]string{":status", "200"}, pairs...)...)
			p.ok(p.WriteData(id, true, []byte("ok")))
		}
	}
	status := func(value string) func(p *peer, id uint32) {
		return func(p *peer, id uint32) { p.header(id, true, ":status", value) }
	}
	for name, play := range map[string]func(p *peer, id uint32){
		"body too short":         ok("content-length", "3"),
		"body too long":          ok("content-length", "1"),
		"no body":                func(p *peer, id uint32) { p.header(id, true, ":status", "200", "content-length", "1") },
		"two lengths":            ok("content-length", "2", "content-length", "3"),
		"length of letters":      ok("content-length", "two"),
		"signed length":          ok("content-length", "+2"),
		"name in upper case":     ok("X-Upper", "1"),
		"name with a space":      ok("x y", "1"),
		"empty name":             ok("", "1"),
		"value with a line":      ok("x", "a\r\nb: c"),
		"value with a zero":      ok("x", "a\x00"),
		"value with a delete":    ok("x", "a\x7f"),
		"content type with line": ok("content-type", "a\nb"),
		"connection":             ok("connection", "close"),
		"transfer-encoding":      ok("transfer-encoding", "chunked"),
		"signed status":          status("+200"),
		"long status":            status("0200"),
		"small status":           status("099"),
		"trailer with a line": func(p *peer, id uint32) {
			p.header(id, false, ":status", "200")
			p.ok(p.WriteData(id, false, []byte("ok")))
			p.header(id, true, "x", "a\nb")
		},
		"header fields too long": func(p *peer, id uint32) {
			pairs := []string{":status", "200"}
			for range 200 { // they are indexed, so the block itself is short
				pairs = append(pairs, "x", strings.Repeat("y", 500))
			}
			p.header(id, true, pairs...)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conn, p := connect(t, Options{})
			done := send(t.Context(), conn, Request{Body: []byte("x"), Timeout: 10 * time.Second})
			id, _ := p.request()
			play(p, id)
			wantReset(t, <-done, http2.ErrCodeProtocol)
			if f := await[*http2.RSTStreamFrame](p); f.StreamID != id || f.ErrCode != http2.ErrCodeProtocol {
				t.Errorf("the peer received %v", f)
			}
			next := send(t.Context(), conn, Request{Body: []byte("x"), Timeout: 10 * time.Second})
			id, _ = p.request()
			p.respond(id, "ok")
			wantBody(t, <-next, "ok")
		})
	}
}

// wantReset checks that a request ended because we reset its stream.
func wantReset(t *testing.T, o outcome, code http2.ErrCode) {
	t.Helper()
	wantError(t, o, nil, true)
	if e, ok := errors.AsType[http2.StreamError](o.err); !ok || e.Code != code {
		t.Errorf("error %v, want a reset with %s", o.err, code)
	}
}

// What looks unusual is no fault.
func TestUnusualResponses(t *testing.T) {
	t.Parallel()
	for name, pairs := range map[string][]string{
		"length":            {"content-length", "2"},
		"the same twice":    {"content-length", "2", "content-length", "2"},
		"tabs and spaces":   {"x", "a\tb "},
		"letters of Latin1": {"x", "\xe4"},
		"two Retry-After":   {"retry-after", "60", "retry-after", "1"},
	} {
		conn, p := connect(t, Options{})
		done := send(t.Context(), conn, Request{Body: []byte("x")})
		id, _ := p.request()
		p.header(id, false, append([]string{":status", "200"}, pairs...)...)
		p.ok(p.WriteData(id, true, []byte("ok")))
		o := <-done
		wantBody(t, o, "ok")
		if pairs[0] == "retry-after" && !slices.Equal(o.RetryAfter, []string{"60", "1"}) {
			t.Errorf("%s: %q", name, o.RetryAfter)
		}
	}
	conn, p := connect(t, Options{})
	done := send(t.Context(), conn, Request{Body: []byte("x")})
	id, _ := p.request()
	p.header(id, true, ":status", "204", "content-length", "7")
	if o := <-done; o.err != nil || o.Status != 204 {
		t.Errorf("no content: %d, %v", o.Status, o.err)
	}
}

// A HEADERS frame that cannot be parsed ends the connection. Its block is lost, so another response
// would be read with a wrong table.
func TestPaddingOfHeadersThatIsTooLong(t *testing.T) {
	t.Parallel()
	conn, p := connect(t, Options{})
	done := send(t.Context(), conn, Request{Body: []byte("x")})
	id, _ := p.request()
	block := append([]byte{255}, p.encode(":status", "429")...)
	p.ok(p.WriteRawFrame(http2.FrameHeaders, http2.FlagHeadersPadded|http2.FlagHeadersEndHeaders, id, block))
	wantError(t, <-done, http2.ConnectionError(http2.ErrCodeProtocol), true)
	if f := await[*http2.GoAwayFrame](p); f.ErrCode != http2.ErrCodeProtocol {
		t.Errorf("the peer received %v", f)
	}
}

// Frames that carry nothing do not keep a connection for ever.
func TestFramesThatCarryNothing(t *testing.T) {
	t.Parallel()
	for name, write := range map[string]func(p *peer, id uint32) error{
		"CONTINUATION": func(p *peer, id uint32) error { return p.WriteContinuation(id, false, nil) },
		"DATA":         func(p *peer, id uint32) error { return p.WriteData(id, false, nil) },
		"padding":      func(p *peer, id uint32) error { return p.WriteDataPadded(id, false, nil, make([]byte, 9)) },
		"interim":      func(p *peer, id uint32) error { p.header(id, false, ":status", "103"); return nil },
		"PRIORITY":     func(p *peer, id uint32) error { return p.WritePriority(id, http2.PriorityParam{Weight: 1}) },
		"extension":    func(p *peer, id uint32) error { return p.WriteRawFrame(0xbe, 0, id, nil) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conn, p := connect(t, Options{})
			done := send(t.Context(), conn, Request{Body: []byte("x"), Timeout: 30 * time.Second})
			id, _ := p.request()
			switch name {
			case "CONTINUATION":
				p.ok(p.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: []byte{0x88}}))
			case "DATA", "padding":
				p.header(id, false, ":status", "200")
			}
			for range maxIdleFrames + 1 {
				p.ok(write(p, id))
			}
			wantError(t, <-done, errIdleFrames, true)
			if f := await[*http2.GoAwayFrame](p); f.ErrCode != http2.ErrCodeEnhanceYourCalm {
				t.Errorf("the peer received %v", f)
			}
		})
	}
}

// A peer that sends more than a stream's window allows loses the stream.
func TestMoreThanTheWindowAllows(t *testing.T) {
	t.Parallel()
	conn, p := connect(t, Options{})
	done := send(t.Context(), conn, Request{Body: []byte("x"), Timeout: 30 * time.Second})
	id, _ := p.request()
	p.header(id, false, ":status", "200")
	for range streamWindow/257 + 1 {
		p.ok(p.WriteDataPadded(id, false, []byte("x"), make([]byte, 255)))
	}
	wantReset(t, <-done, http2.ErrCodeFlowControl)
	if f := await[*http2.RSTStreamFrame](p); f.StreamID != id || f.ErrCode != http2.ErrCodeFlowControl {
		t.Errorf("the peer received %v", f)
	}
}

// The peer is told which rule a frame breaks, and an earlier GOAWAY is part of what ended a
// connection.
func TestReasonsOfTheEnd(t *testing.T) {
	t.Parallel()
	conn, p := connect(t, Options{})
	done := send(t.Context(), conn, Request{Body: []byte("x")})
	id, _ := p.request()
	_ = p.WriteRawFrame(http2.FrameData, 0, id, make([]byte, 20000))
	wantError(t, <-done, http2.ErrFrameTooLarge, true)
	if f := await[*http2.GoAwayFrame](p); f.ErrCode != http2.ErrCodeFrameSize {
		t.Errorf("the peer received %v", f)
	}

	conn, p = connect(t, Options{})
	done = send(t.Context(), conn, Request{Body: []byte("x")})
	id, _ = p.request()
	p.ok(p.WriteGoAway(id, http2.ErrCodeEnhanceYourCalm, nil))
	_ = p.nc.Close()
	o := <-done
	wantError(t, o, errGone, true)
	if !errors.Is(o.err, goawayError{http2.ErrCodeEnhanceYourCalm}) {
		t.Errorf("error %v does not say what the server had said", o.err)
	}
}
