package h2

import (
	"container/heap"
	"time"

	"golang.org/x/net/http2"
)

// stream is one request and its reply. Until the reply is settled it belongs to the reader, from then on to the
// connection's lock.
type stream struct {
	id         uint32
	request    Request
	body       []byte // as far as it came in, if it comes in pieces; the reader's
	hasReply   bool   // decided on: what is left of its body is not looked at; the reader's
	isComplete bool   // the sender has sent all; always the lock's

	reply  Reply
	window int64  // what the peer takes on this stream
	rest   []byte // of the body: what is not sent yet
	then   ending // after the rest
	pieces int    // of a trickled body: how many were sent
	begun  int64  // of a trickled body: when

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

// settle gives a request its reply.
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

// schedule makes something due to a stream.
func (c *conn) schedule(st *stream, due int64) {
	c.scheduled.add(st, due)
	if st.heapIndex == 0 {
		c.armTimer()
	}
}

func (c *conn) armTimer() { c.timer.Reset(time.Duration(c.scheduled[0].dueAt - c.now())) }

// fire does all that is due.
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

// act does to a stream what its reply says.
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

// trickled is the number of pieces of a body that trickles.
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

// finish forgets a stream; left says that its sender went before the reply was out.
func (c *conn) finish(st *stream, left bool) {
	delete(c.streams, st.id)
	c.scheduled.remove(st)
	c.server.handler.Finish(&st.request, left)
	if c.isLeaving && len(c.streams) == 0 {
		c.closeWhenRead()
	}
}

// goAway takes no more streams; the connection ends after those that it has.
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

// tick is the grain of delays: what falls due within the same one leaves in one write. Nothing leaves too early.
const tick = int64(1e6) // nanoseconds

// schedule is a heap of streams by the time at which something is due to them.
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

// nowhere is the place of a stream that waits for no time.
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

// next gives a stream to which something is due by now, nil if there is none.
func (s *schedule) next(now int64) *stream {
	if len(*s) == 0 || (*s)[0].dueAt > now {
		return nil
	}
	return heap.Pop(s).(*stream)
}
