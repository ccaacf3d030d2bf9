package servers

import (
	"bufio"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
)

// Proxy stands between a client and a Redis server and loses replies: the server has executed the command, and the
// client finds its connection closed instead of the answer. It speaks RESP, so that it knows which reply is whose.
type Proxy struct {
	listener net.Listener
	upstream string

	mu      sync.Mutex
	lose    func(n int, command []string) bool
	matched func(command []string) bool
	seen    int
	lost    int
	open    map[net.Conn]struct{}
	closed  bool
	running sync.WaitGroup
}

// NewProxy starts a proxy in front of the server at upstream; it loses nothing yet. It ends with the test.
func NewProxy(t testing.TB, upstream string) *Proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("start proxy: %v", err)
	}
	p := &Proxy{listener: l, upstream: upstream, open: map[net.Conn]struct{}{}}
	p.running.Go(p.accept)
	t.Cleanup(p.stop)
	return p
}

// Addr is where clients connect.
func (p *Proxy) Addr() string { return p.listener.Addr().String() }

// Lose makes the proxy lose a reply whenever lose says so of a command that matches (nil: every one does).
// n counts the matching commands from 1, anew after each call of Lose. A nil lose loses nothing.
func (p *Proxy) Lose(matches func(command []string) bool, lose func(n int, command []string) bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.matched, p.lose, p.seen, p.lost = matches, lose, 0, 0
}

// Seen tells how many matching commands came since the last Lose, and how many of their replies were lost.
func (p *Proxy) Seen() (commands, lost int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.seen, p.lost
}

// Nth loses the reply of the n-th matching command only.
func Nth(n int) func(int, []string) bool { return func(at int, _ []string) bool { return at == n } }

// EveryNth loses the reply of each n-th matching command.
func EveryNth(n int) func(int, []string) bool {
	return func(at int, _ []string) bool { return at%n == 0 }
}

// Scripts matches the commands that run a script.
func Scripts(command []string) bool {
	name := strings.ToUpper(command[0])
	return name == "EVALSHA" || name == "EVAL"
}

func (p *Proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.running.Go(func() { p.serve(client) })
	}
}

// serve carries one connection: commands up in this goroutine, replies down in another.
func (p *Proxy) serve(client net.Conn) {
	server, err := net.Dial("tcp", p.upstream)
	if err != nil {
		_ = client.Close()
		return
	}
	if !p.track(client, server) {
		return
	}
	defer p.untrack(client, server)

	fates := make(chan bool, 1<<16) // for each command on its way: is its reply to be lost
	var down sync.WaitGroup
	down.Go(func() {
		carryReplies(client, bufio.NewReader(server), fates)
		_, _ = client.Close(), server.Close()
	})
	p.carryCommands(bufio.NewReader(client), server, fates)
	_, _ = client.Close(), server.Close()
	down.Wait()
}

func (p *Proxy) carryCommands(client *bufio.Reader, server io.Writer, fates chan<- bool) {
	for {
		frame, err := readFrame(client)
		if err != nil {
			return
		}
		fates <- p.fate(frame.words)
		if _, err := server.Write(frame.raw); err != nil {
			return
		}
	}
}

// fate counts a command and decides whether its reply will be lost.
func (p *Proxy) fate(command []string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.lose == nil || len(command) == 0 || p.matched != nil && !p.matched(command) {
		return false
	}
	p.seen++
	if !p.lose(p.seen, command) {
		return false
	}
	p.lost++
	return true
}

// carryReplies returns, and so closes the connection, at the first reply that is to be lost.
func carryReplies(client io.Writer, server *bufio.Reader, fates <-chan bool) {
	for {
		frame, err := readFrame(server)
		if err != nil {
			return
		}
		if !frame.push && <-fates {
			return
		}
		if _, err := client.Write(frame.raw); err != nil {
			return
		}
	}
}

func (p *Proxy) track(conns ...net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range conns {
		if p.closed {
			_ = c.Close()
			continue
		}
		p.open[c] = struct{}{}
	}
	return !p.closed
}

func (p *Proxy) untrack(conns ...net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range conns {
		delete(p.open, c)
	}
}

func (p *Proxy) stop() {
	_ = p.listener.Close()
	p.mu.Lock()
	p.closed = true
	for c := range p.open {
		_ = c.Close()
	}
	p.mu.Unlock()
	p.running.Wait()
}
