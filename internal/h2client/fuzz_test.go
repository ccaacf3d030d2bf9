package h2client

import (
	"bytes"
	"io"
	"net"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// Whatever a server sends, the request ends once, and the connection ends with it.
func FuzzServer(f *testing.F) {
	var block, frames bytes.Buffer
	encoder := hpack.NewEncoder(&block)
	_ = encoder.WriteField(hpack.HeaderField{Name: ":status", Value: "200"})
	_ = encoder.WriteField(hpack.HeaderField{Name: "retry-after", Value: "7"})
	framer := http2.NewFramer(&frames, nil)
	_ = framer.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: block.Bytes(), EndHeaders: true})
	_ = framer.WriteData(1, true, []byte("{}"))
	f.Add(bytes.Clone(frames.Bytes()))
	for _, write := range []func() error{
		func() error { return framer.WriteGoAway(0, http2.ErrCodeNo, []byte("bye")) },
		func() error { return framer.WriteRSTStream(1, http2.ErrCodeRefusedStream) },
		func() error { return framer.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 0}) },
		func() error { return framer.WriteWindowUpdate(1, maxWindow) },
		func() error { return framer.WritePing(false, [8]byte{1}) },
		func() error { return framer.WriteDataPadded(1, false, []byte("x"), make([]byte, 9)) },
		func() error { return framer.WriteContinuation(1, true, block.Bytes()) },
		func() error {
			return framer.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: block.Bytes(), EndHeaders: true, EndStream: true})
		},
	} {
		frames.Reset()
		_ = write()
		f.Add(bytes.Clone(frames.Bytes()))
	}
	f.Fuzz(func(t *testing.T, sent []byte) {
		near, far := net.Pipe()
		go func() { _, _ = io.Copy(io.Discard, far) }()
		go func() {
			_ = http2.NewFramer(far, nil).WriteSettings()
			_, _ = far.Write(sent)
			_ = far.Close()
		}()
		c, err := New(t.Context(), near, Options{Header: fields})
		if err != nil {
			return // it ended before the first frame was read
		}
		var resp Response
		if err := c.Do(t.Context(), &Request{Body: []byte("{}"), Timeout: time.Minute}, &resp); err == nil && resp.Status == 0 {
			t.Error("a request without a response ended without an error")
		}
		_ = c.Close()
	})
}
