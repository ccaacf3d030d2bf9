package h2

import (
	"net"
	"sync"
)

// readAhead holds about a hundred requests, so that one system call reads them all.
const readAhead = 64 << 10

// Link is a TCP connection, which may carry TLS. It reads ahead, because TLS alone needs two system
// calls for each record. It calls a hook before a read that may block.
type Link struct {
	net.Conn
	onClose func()
	closed  sync.Once

	beforeWait   func() // may be nil
	buffer       []byte
	unread, fill int // bounds of what was read ahead
}

// NewLink returns a link that calls onClose once, when it is closed.
func NewLink(c net.Conn, onClose func()) *Link { return &Link{Conn: c, onClose: onClose} }

// OnClose adds a function to call when the connection is closed. A listener calls it before anyone
// else uses the link.
func (l *Link) OnClose(also func()) {
	first := l.onClose
	l.onClose = func() {
		first()
		also()
	}
}

func (l *Link) Read(p []byte) (int, error) {
	if l.unread == l.fill {
		if l.beforeWait != nil {
			l.beforeWait()
		}
		if l.buffer == nil {
			l.buffer = make([]byte, readAhead)
		}
		n, err := l.Conn.Read(l.buffer)
		l.unread, l.fill = 0, n
		if n == 0 {
			return 0, err
		}
	}
	n := copy(p, l.buffer[l.unread:l.fill])
	l.unread += n
	return n, nil
}

// Close closes the connection.
func (l *Link) Close() error {
	err := l.Conn.Close()
	l.closed.Do(l.onClose)
	return err
}

// Abort closes the connection with a RST, which its peer cannot take for an orderly end.
func (l *Link) Abort() {
	if t, ok := l.Conn.(*net.TCPConn); ok {
		_ = t.SetLinger(0) // fails only on a closed connection
	}
	_ = l.Close()
}

// closeWrite ends the sending direction only.
func (l *Link) closeWrite() {
	if t, ok := l.Conn.(*net.TCPConn); ok {
		_ = t.CloseWrite() // the peer may have left already
	}
}
