package h2

import (
	"container/heap"
	"time"

	"golang.org/x/net/http2"
)

// stream is one request and its reply. It belongs to the reader until it has a reply, then to the
// connection's lock.
type stream struct {
	id         uint32
	request    Request
	body       []byte // the part received, if it arrives in pieces; the reader's
	hasReply   bool   // the rest of the body is ignored; the reader's
	isComplete bool   // the whole request was received; the lock's

	reply  Reply
	window int64  // what the peer accepts on this stream
	rest   []byte // of the body: not sent yet
	then   ending // after the rest
	pieces int    // of a trickled body: pieces sent
	begun  int64  // of a trickled body: start time

	dueAt     int64
	heapIndex int // in the schedule
}

// ending is what follows a piece of a body.
type ending uint8

const (
	more ending = iota
	endStream
	resetStream
)

// setReply sets the reply of a request and sends it unless it is delayed.
func (c *conn) setReply(st *stream, reply Reply) {
	st.hasReply, st.body = true, nil
	c.mu.Lock()
	defer c.mu.Unlock()
	st.reply = reply
	switch reply.Fault {
	case FaultTrickle:
		st.begun = c.now()
		c.writeHeaders(st)
		c.scheduleNext(st)
		return
	case FaultGoAwayBefore:
		c.last = min(c.last, max(st.id, 2)-2)
	}
	if reply.Delay > 0 {
		c.schedule(st, c.now()+int64(reply.Delay))
		return
	}
	c.carryOut(st)
}

// schedule makes the reply due at a time.
func (c *conn) schedule(st *stream, due int64) {
	c.scheduled.add(st, due)
	if st.heapIndex == 0 {
		c.armTimer()
	}
}

func (c *conn) armTimer() { c.timer.Reset(time.Duration(c.scheduled[0].dueAt - c.now())) }

// runDue sends all replies that are due.
func (c *conn) runDue() {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.now()
	for st := c.scheduled.next(now); st != nil; st = c.scheduled.next(now) {
		c.carryOut(st)
	}
	if len(c.scheduled) > 0 {
		c.armTimer()
	}
	c.write()
}

// carryOut sends what the reply says.
func (c *conn) carryOut(st *stream) {
	body := st.reply.Body
	switch st.reply.Fault {
	case FaultNone:
		c.respond(st, body, endStream)
	case FaultTrickle:
		c.trickle(st)
	case FaultTruncate:
		c.respond(st, body[:len(body)/2], resetStream)
	case FaultReset:
		c.reset(st, http2.ErrCodeInternal)
	case FaultRefuse:
		c.reset(st, http2.ErrCodeRefusedStream)
	case FaultGoAwayAfter:
		c.goAway()
		c.respond(st, body, endStream)
	case FaultGoAwayBefore:
		c.finish(st, false)
		c.goAway()
	case FaultAbort:
		c.finish(st, false)
		c.link.Abort()
	}
}

// tricklePieces is the number of pieces of a body that trickles.
const tricklePieces = 16

// trickle sends the next piece of a body.
func (c *conn) trickle(st *stream) {
	body := st.reply.Body
	unsent := len(body)*st.pieces/tricklePieces - len(st.rest)
	st.pieces++
	st.rest = body[unsent : len(body)*st.pieces/tricklePieces]
	if st.pieces == tricklePieces {
		st.then = endStream
	} else {
		c.scheduleNext(st)
	}
	c.pump(st)
}

func (c *conn) scheduleNext(st *stream) {
	c.schedule(st, st.begun+int64(st.reply.Delay)*int64(st.pieces+1)/tricklePieces)
}

// finish removes a stream. left reports that its sender was gone before the reply was sent.
func (c *conn) finish(st *stream, left bool) {
	delete(c.streams, st.id)
	c.scheduled.remove(st)
	c.server.handler.Finish(&st.request, left)
	if c.isLeaving && len(c.streams) == 0 {
		c.closeWhenRead()
	}
}

// goAway stops taking streams. The connection ends after those that it has.
func (c *conn) goAway() {
	c.last = min(c.last, c.newest)
	c.isLeaving = true
	_ = c.frames.WriteGoAway(c.last, http2.ErrCodeNo, nil)
	for id, st := range c.streams {
		if id > c.last {
			c.finish(st, true)
		}
	}
	if len(c.streams) == 0 {
		c.closeWhenRead()
	}
}

// tick is the grain of delays: replies due within the same tick are sent in one write. None is sent
// early.
const tick = int64(1e6) // nanoseconds

// schedule is a heap of streams by the time at which they are due.
type schedule []*stream

func (s schedule) Len() int           { return len(s) }
func (s schedule) Less(i, j int) bool { return s[i].dueAt < s[j].dueAt }

func (s schedule) Swap(i, j int) {
	s[i], s[j] = s[j], s[i]
	s[i].heapIndex, s[j].heapIndex = i, j
}

// Push is for container/heap.
func (s *schedule) Push(x any) {
	st := x.(*stream)
	st.heapIndex = len(*s)
	*s = append(*s, st)
}

// Pop is for container/heap.
func (s *schedule) Pop() any {
	old := *s
	st := old[len(old)-1]
	old[len(old)-1] = nil
	*s = old[:len(old)-1]
	st.heapIndex = notScheduled
	return st
}

// notScheduled is the index of a stream outside the heap.
const notScheduled = -1

func (s *schedule) add(st *stream, due int64) {
	st.dueAt = (due + tick - 1) / tick * tick
	heap.Push(s, st)
}

func (s *schedule) remove(st *stream) {
	if st.heapIndex != notScheduled {
		heap.Remove(s, st.heapIndex)
	}
}

// next removes and returns a stream that is due, nil if there is none.
func (s *schedule) next(now int64) *stream {
	if len(*s) == 0 || (*s)[0].dueAt > now {
		return nil
	}
	return heap.Pop(s).(*stream)
}
