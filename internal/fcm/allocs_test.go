package fcm

import (
	"bufio"
	"context"
	"encoding/binary"
	"io"
	"net"
	"testing"

	"golang.org/x/net/http2"

	"fanfare/internal/h2client"
)

// maxAllocs is how many allocations a push may cost, from Send to its Answer. Four is usual; the
// rest is for the race detector, under which pools drop some of what they get.
const maxAllocs = 6

// Buffers, streams and header fields are used again, so that a push costs few allocations. The
// server of this test makes none.
func TestAllocationsPerPush(t *testing.T) {
	s := newSender(t, Options{Endpoint: "https://fcm.test/v1"})
	pool := s.transport.transports.(*connPool)
	pool.dial = func(ctx context.Context) (connection, error) {
		near, far := net.Pipe()
		go answerQuietly(far)
		conn, err := h2client.New(ctx, near, h2client.Options{Header: postFields(s.transport.url)})
		if err != nil {
			return nil, err
		}
		return frameConn{conn}, nil
	}
	message, target := body("token"), to("token")
	push := func() {
		if a := s.Send(t.Context(), message, target); a.Class != Sent {
			t.Fatalf("got %s: %s", a.Class, a.Detail)
		}
	}
	for range 100 {
		push()
	}
	n := testing.AllocsPerRun(1000, push)
	t.Logf("%g allocations a push", n)
	if n > maxAllocs {
		t.Errorf("%g allocations a push, want %d at most", n, maxAllocs)
	}
}

// answerQuietly answers each request with the same frames, without an allocation.
func answerQuietly(conn net.Conn) {
	in := bufio.NewReader(conn)
	if _, err := in.Discard(len(http2.ClientPreface)); err != nil {
		return
	}
	go func() {
		greeting := http2.NewFramer(conn, nil)
		_ = greeting.WriteSettings()
		_ = greeting.WriteWindowUpdate(0, 1<<30) // for all requests of the test
	}()
	const head, status, success = 9, 0x88, `{"name":"projects/demo/messages/1"}`
	answer := append([]byte{0, 0, 1, byte(http2.FrameHeaders), byte(http2.FlagHeadersEndHeaders), 0, 0, 0, 0, status},
		0, 0, byte(len(success)), byte(http2.FrameData), byte(http2.FlagDataEndStream), 0, 0, 0, 0)
	answer = append(answer, success...)
	var frame [head]byte
	for {
		if _, err := io.ReadFull(in, frame[:]); err != nil {
			return
		}
		length := int(frame[0])<<16 | int(frame[1])<<8 | int(frame[2])
		if _, err := in.Discard(length); err != nil {
			return
		}
		if http2.FrameType(frame[3]) != http2.FrameData || !http2.Flags(frame[4]).Has(http2.FlagDataEndStream) {
			continue
		}
		stream := binary.BigEndian.Uint32(frame[5:])
		binary.BigEndian.PutUint32(answer[5:], stream)
		binary.BigEndian.PutUint32(answer[head+1+5:], stream)
		if _, err := conn.Write(answer); err != nil {
			return
		}
	}
}
