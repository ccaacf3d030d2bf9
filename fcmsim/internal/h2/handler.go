// Package h2 is an HTTP/2 server for small requests with small answers and many faults. The one goroutine of a
// connection reads, asks the handler and writes what it answers at once; a timer writes what is answered later. All
// answers to what one read brought in leave in one write. No goroutine is started for a request.
//
// It is lenient where Google's front end is: pseudo-headers that it has no use for may hold anything.
package h2

import "time"

// Handler decides on requests. It is called by the goroutines of all connections, and should not block: the other
// streams of the connection would wait for it.
type Handler interface {
	// Head sees a request when its headers are in. With true, the reply stands, and the body is not looked at.
	Head(*Request) (Reply, bool)
	// Answer sees a request whole.
	Answer(*Request) Reply
	// Done is called once for each request that Head has seen; left says that its sender, or the connection, went before
	// the reply was out.
	Done(r *Request, left bool)
}

// Request is what a handler needs of a request.
type Request struct {
	Method        string
	Path          string // decoded, without the query
	Authorization string
	Body          []byte // only until Answer returns
	TooLarge      bool   // the body is longer than MaxBody, and left out
}

// Field of a header; its name is in lower case.
type Field struct{ Name, Value string }

// Reply is what becomes of a request at the wire.
type Reply struct {
	Fate   Fate
	Delay  time.Duration // from the decision to the fate; what Trickle takes in all
	Status int
	Header []Field // besides content-length
	Body   []byte  // not to be changed from now on
}

// Fate is a way in which a request ends.
type Fate uint8

// The fates. Answer, Trickle, Truncate and Retire use the reply's status, header and body.
const (
	// Answer in full.
	Answer Fate = iota
	// Trickle sends the headers at once and the body in pieces, the last one after the delay.
	Trickle
	// Truncate promises the whole body by content-length, sends half of it and resets the stream with INTERNAL_ERROR.
	Truncate
	// Hang never answers.
	Hang
	// Reset the stream with INTERNAL_ERROR.
	Reset
	// Refuse the stream with REFUSED_STREAM: it was not processed, and may be repeated.
	Refuse
	// Retire answers in full and sends GOAWAY with the highest stream that came in: all those are still answered, and
	// the connection ends after them.
	Retire
	// TurnAway sends GOAWAY with the stream below this one: those up to it are still answered, this one and all after it
	// are not processed, and may be repeated. Nothing after it is looked at from the decision on. It is meant for Head;
	// given by Answer, streams above this one that came in already are dropped, too.
	TurnAway
	// Cut ends the TCP connection with a RST, and with it all streams that share it.
	Cut
)
