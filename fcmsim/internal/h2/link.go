package h2

import (
	"net"
	"sync"
)

// readAhead takes in what some hundred requests need, so that one system call serves them all.
const readAhead = 64 << 10

// Link is a TCP connection below its TLS. It reads ahead, since TLS by itself asks the system twice for each record,
// and it knows when a reader is about to wait.
type Link struct {
	net.Conn
	onClose func()
	closed  sync.Once

	beforeWait   func() // nil: nobody asks
	buffer       []byte
	unread, fill int // the buffer's part that was read ahead
}

// NewLink calls onClose once, when the connection is closed.
func NewLink(c net.Conn, onClose func()) *Link { return &Link{Conn: c, onClose: onClose} }

// OnClose adds to what is called when the connection is closed. It is for a listener, before it hands the connection on.
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

// Close the connection.
func (l *Link) Close() error {
	err := l.Conn.Close()
	l.closed.Do(l.onClose)
	return err
}

// Cut closes the connection with a RST, so that its peer cannot take it for an orderly end.
func (l *Link) Abort() {
	if t, ok := l.Conn.(*net.TCPConn); ok {
		_ = t.SetLinger(0) // it fails on closed connections only
	}
	_ = l.Close()
}

// closeWrite ends what the peer can read, and nothing else.
func (l *Link) closeWrite() {
	if t, ok := l.Conn.(*net.TCPConn); ok {
		_ = t.CloseWrite() // a peer that has left already is fine
	}
}
