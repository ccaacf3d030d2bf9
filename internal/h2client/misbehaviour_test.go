package h2client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/net/http2"
)

// A peer that is silent while a request waits gets a PING, and loses the connection if it does not
// answer. One that answers keeps it.
func TestSilentPeer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		conn, p := connectOver(t, near, far, Options{PingInterval: 15 * time.Second, PingTimeout: 10 * time.Second})
		begun := time.Now()
		done := send(t.Context(), conn, Request{})
		p.request()
		for range 3 {
			ping := await[*http2.PingFrame](p)
			<-time.After(9 * time.Second)
			p.ok(p.WritePing(true, ping.Data))
		}
		await[*http2.PingFrame](p)
		go func() { _, _ = io.Copy(io.Discard, far) }()
		wantError(t, <-done, ErrSilent, true)
		if took := time.Since(begun).Round(time.Second); took != 4*15*time.Second+3*9*time.Second+10*time.Second {
			t.Errorf("the connection ended after %s", took)
		}
		_ = conn.Close()
		_ = far.Close()
	})
}

// A peer that does not read holds up no request for longer than its time.
func TestPeerThatDoesNotRead(t *testing.T) {
	t.Parallel()
	conn, p := connect(t, Options{}, http2.Setting{ID: http2.SettingInitialWindowSize, Val: maxWindow})
	p.ok(p.WriteWindowUpdate(0, maxWindow-initialWindow))
	p.ok(p.WritePing(false, [8]byte{}))
	body := make([]byte, 32<<20)
	wantError(t, <-send(t.Context(), conn, Request{Body: body, Timeout: 200 * time.Millisecond}), ErrTimeout, true)
}

func TestIdleConnection(t *testing.T) {
	t.Parallel()
	conn, p := connect(t, Options{IdleTimeout: time.Millisecond})
	if f := await[*http2.GoAwayFrame](p); f.ErrCode != http2.ErrCodeNo {
		t.Errorf("the peer received %v", f)
	}
	wantError(t, <-send(t.Context(), conn, Request{}), errIdle, false)
}

// A connection whose peer is closing it ends once its requests have.
func TestGoAwayEndsTheConnection(t *testing.T) {
	t.Parallel()
	conn, p := connect(t, Options{})
	first := send(t.Context(), conn, Request{Body: []byte("1")})
	id, _ := p.request()
	second := send(t.Context(), conn, Request{Body: []byte("2")})
	after, _ := p.request()
	p.ok(p.WriteGoAway(id, http2.ErrCodeNo, nil))
	wantError(t, <-second, ErrUnprocessed, false)
	if conn.Available() != 0 || conn.Err() != nil {
		t.Errorf("available %d, error %v, want none", conn.Available(), conn.Err())
	}
	p.respond(after, "too late")
	p.respond(id, "ok")
	wantBody(t, <-first, "ok")
	await[*http2.GoAwayFrame](p)
}

// The rest of a request that the peer will not process is not written.
func TestGoAwayEndsAPartlyWrittenRequest(t *testing.T) {
	t.Parallel()
	conn, p := connect(t, Options{}, http2.Setting{ID: http2.SettingInitialWindowSize, Val: 1})
	done := send(t.Context(), conn, Request{Body: []byte("long body")})
	await[*http2.DataFrame](p)
	p.ok(p.WriteGoAway(0, http2.ErrCodeNo, nil))
	wantError(t, <-done, ErrUnprocessed, false)
	p.ok(p.WriteWindowUpdate(1, 100))
	for {
		switch f := await[http2.Frame](p).(type) {
		case *http2.DataFrame:
			t.Fatalf("the peer received %v", f)
		case *http2.GoAwayFrame: // the end of the connection
			return
		}
	}
}

// A peer that makes us answer without reading is cut off.
func TestControlFlood(t *testing.T) {
	t.Parallel()
	conn, p := connect(t, Options{})
	for range 10_000_000 {
		if p.WritePing(false, [8]byte{}) != nil {
			break
		}
	}
	if err := conn.Err(); !errors.Is(err, errFlood) {
		t.Errorf("the connection ended with %v", err)
	}
}

// A peer that does not begin with SETTINGS, or does not begin at all, gets no request.
func TestNoHTTP2(t *testing.T) {
	t.Parallel()
	near, far := tcp(t)
	go func() { _, _ = fmt.Fprint(far, "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n") }()
	if _, err := New(t.Context(), near, Options{}); err == nil {
		t.Error("HTTP/1.1 is taken for HTTP/2")
	}
	near, _ = tcp(t)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if _, err := New(ctx, near, Options{}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a silent server: %v", err)
	}
}
