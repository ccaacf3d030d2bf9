package servers

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
)

// Proxy sits between a client and a Redis server and loses replies. The server has executed the
// command, and the client sees its connection closed. The proxy speaks RESP, so it knows which
// reply belongs to which command.
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

// NewProxy starts a proxy in front of upstream, which loses nothing at first. It ends with the
// test.
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

// Addr returns the address for clients.
func (p *Proxy) Addr() string { return p.listener.Addr().String() }

// Lose loses replies to the commands that match (nil: all) whenever lose returns true. n counts the
// matching commands from 1, and restarts with each call of Lose. If lose is nil, nothing is lost.
func (p *Proxy) Lose(matches func(command []string) bool, lose func(n int, command []string) bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.matched, p.lose, p.seen, p.lost = matches, lose, 0, 0
}

// CountMatches returns the number of matching commands since the last Lose, and of lost replies.
func (p *Proxy) CountMatches() (commands, lost int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.seen, p.lost
}

// Nth loses the reply to the n-th matching command only.
func Nth(n int) func(int, []string) bool { return func(at int, _ []string) bool { return at == n } }

// EveryNth loses the reply to each n-th matching command.
func EveryNth(n int) func(int, []string) bool {
	return func(at int, _ []string) bool { return at%n == 0 }
}

// IsScript reports whether a command runs a script.
func IsScript(command []string) bool {
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

// serve handles one connection: commands in this goroutine, replies in another.
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

	losses := make(chan bool, 1<<16) // for each command under way: whether to lose its reply
	var down sync.WaitGroup
	down.Go(func() {
		p.carryReplies(client, bufio.NewReader(server), losses)
		_, _ = client.Close(), server.Close()
	})
	p.carryCommands(bufio.NewReader(client), server, losses)
	_, _ = client.Close(), server.Close()
	down.Wait()
}

func (p *Proxy) carryCommands(client *bufio.Reader, server io.Writer, losses chan<- bool) {
	for {
		frame, err := readFrame(client)
		if err != nil {
			return
		}
		losses <- p.shouldLose(frame.words)
		if _, err := server.Write(frame.raw); err != nil {
			return
		}
	}
}

// shouldLose counts a command and decides whether to lose its reply.
func (p *Proxy) shouldLose(command []string) bool {
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

// carryReplies returns at the first reply to lose. That closes the connection. A server that does
// not know a script has executed nothing: its reply passes, and the command that loads the script
// takes the number.
func (p *Proxy) carryReplies(client io.Writer, server *bufio.Reader, losses <-chan bool) {
	for {
		frame, err := readFrame(server)
		if err != nil {
			return
		}
		if !frame.push && <-losses {
			if !bytes.HasPrefix(frame.raw, []byte("-NOSCRIPT")) {
				return
			}
			p.uncount()
		}
		if _, err := client.Write(frame.raw); err != nil {
			return
		}
	}
}

// uncount forgets a command that was counted as one to lose.
func (p *Proxy) uncount() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.seen--
	p.lost--
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
