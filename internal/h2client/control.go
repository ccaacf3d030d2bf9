package h2client

import (
	"errors"

	"golang.org/x/net/http2"
)

// frameKind is a frame that is no part of a request.
type frameKind uint8

const (
	ackSettings frameKind = iota
	ackPing
	sendPing
	resetStream
	updateWindow
)

// frame is a control frame that waits for the writer.
type frame struct {
	kind frameKind
	id   uint32 // of the stream that is reset
	code http2.ErrCode
	n    uint32 // bytes of a window update
	data [8]byte
}

// controlQueue are control frames in their order.
type controlQueue struct{ frames []frame }

// maxControl limits the queue: a peer that makes us answer more than it reads is hostile or broken.
const maxControl = 1000

var errFlood = errors.New("the server sends more control frames than it reads")

func (q *controlQueue) add(f frame) error {
	if len(q.frames) >= maxControl {
		return errFlood
	}
	q.frames = append(q.frames, f)
	return nil
}

// reset ends an open stream from our side. Caller holds mu.
func (c *Conn) reset(s *stream, code http2.ErrCode, err *Error) {
	c.forget(s)
	_ = c.control.add(frame{kind: resetStream, id: s.id, code: code}) // a full queue ends the connection at its next frame
	c.finish(s, err)
}
