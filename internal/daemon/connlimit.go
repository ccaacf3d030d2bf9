package daemon

import (
	"container/list"
	"net"
	"sync"
)

// maxConns bounds the connections to health and metrics. A prober and a scraper need two.
const maxConns = 128

// connLimit is a listener that keeps a bounded number of connections: a new one beyond it ends the oldest. Unlike a listener that stops
// accepting, it lets a prober through however many connections others hold open.
type connLimit struct {
	net.Listener
	max int

	mu    sync.Mutex
	conns *list.List // of *limitedConn, the oldest first
}

func newConnLimit(l net.Listener, most int) *connLimit {
	return &connLimit{Listener: l, max: most, conns: list.New()}
}

// Accept waits for the next connection.
func (l *connLimit) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	limited := &limitedConn{Conn: conn, limit: l}
	if oldest := l.add(limited); oldest != nil {
		_ = oldest.Close() // it was held open too long
	}
	return limited, nil
}

// add returns the connection that has to go.
func (l *connLimit) add(conn *limitedConn) (oldest *limitedConn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	conn.element = l.conns.PushBack(conn)
	if l.conns.Len() > l.max {
		oldest, _ = l.conns.Front().Value.(*limitedConn)
	}
	return oldest
}

type limitedConn struct {
	net.Conn
	limit   *connLimit
	element *list.Element
}

// Close ends the connection and frees its place.
func (c *limitedConn) Close() error {
	c.limit.mu.Lock()
	c.limit.conns.Remove(c.element) // it does nothing a second time
	c.limit.mu.Unlock()
	return c.Conn.Close()
}
