package h2client

import (
	"errors"

	"golang.org/x/net/http2"
)

// Error is why a request has no response, or no complete one. Sent reports whether the peer may
// have acted on the request: at least a part of its frames may have reached the kernel, and the
// peer has not said that it left the request unprocessed.
type Error struct {
	Err  error
	Sent bool
}

func (e *Error) Error() string { return e.Err.Error() }

func (e *Error) Unwrap() error { return e.Err }

// The errors of requests and connections.
var (
	// ErrClosed: Close was called.
	ErrClosed = errors.New("connection is closed")
	// ErrBodyTooLong: the response was longer than Options.MaxBody.
	ErrBodyTooLong = errors.New("response is too long")
	// ErrUnprocessed: the peer says that it did not process the request (RFC 9113, section 8.7).
	ErrUnprocessed = errors.New("the server did not process the request")
	// ErrTimeout: no response within Request.Timeout.
	ErrTimeout = errors.New("no response in time")
	// ErrSilent: the peer sent nothing for too long.
	ErrSilent = errors.New("the server is silent")

	errIdle      = errors.New("connection was idle")
	errIDsUsedUp = errors.New("connection has used up its stream ids")
	errGone      = errors.New("the server closed the connection")
	errNoStreams = errors.New("the server allows no requests")
)

// resetError is a stream that the peer reset.
type resetError struct{ code http2.ErrCode }

func (e resetError) Error() string { return "the server reset the stream: " + e.code.String() }

// goawayError is a connection that the peer is closing.
type goawayError struct{ code http2.ErrCode }

func (e goawayError) Error() string {
	return "the server is closing the connection: " + e.code.String()
}
