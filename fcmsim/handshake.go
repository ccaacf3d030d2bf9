package fcmsim

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"
)

// HandshakeFault is what goes wrong when a client connects to the TLS listener. Connections that stand are left alone.
type HandshakeFault string

// The faults of a handshake. The first three are for the client to find in the certificate.
const (
	HandshakeGood      HandshakeFault = ""
	HandshakeExpired   HandshakeFault = "EXPIRED"    // the certificate has run out
	HandshakeWrongHost HandshakeFault = "WRONG_HOST" // it is made out to fcm.invalid
	HandshakeUntrusted HandshakeFault = "UNTRUSTED"  // another authority has signed it
	HandshakeRefused   HandshakeFault = "REFUSED"    // the server ends the handshake with an alert
	HandshakeStalled   HandshakeFault = "STALLED"    // TCP is accepted, and nothing is ever said
)

// HandshakeFaults lists the text forms of all faults.
func HandshakeFaults() []string {
	return []string{
		string(HandshakeExpired), string(HandshakeWrongHost), string(HandshakeUntrusted),
		string(HandshakeRefused), string(HandshakeStalled),
	}
}

func (f HandshakeFault) check() error {
	switch f {
	case HandshakeGood, HandshakeExpired, HandshakeWrongHost, HandshakeUntrusted, HandshakeRefused, HandshakeStalled:
		return nil
	default:
		return fmt.Errorf("no such fault: %q", string(f))
	}
}

// greeter is the TLS listener: it takes connections in as the rules of their moment say.
type tlsListener struct {
	countingListener
	simulator    *Simulator
	certificates *certificates

	mu      sync.Mutex
	stalled map[net.Conn]struct{} // nil: closed
	stalls  sync.WaitGroup
}

// newGreeter makes a listener that has connections stall before TLS hears of them, and the configuration that tells
// TLS what to show the others.
func newTLSListener(ln countingListener, s *Simulator, a *certificates) (*tlsListener, *tls.Config) {
	g := &tlsListener{countingListener: ln, simulator: s, certificates: a, stalled: make(map[net.Conn]struct{})}
	config := a.configs[HandshakeGood].Clone()
	config.GetConfigForClient = g.configFor
	return g, config
}

func (g *tlsListener) currentFault() HandshakeFault {
	return g.simulator.rulesetAt(time.Now()).rules.Handshake
}

// Accept the next connection that is not to stall.
func (g *tlsListener) Accept() (net.Conn, error) {
	for {
		c, err := g.countingListener.Accept()
		if err != nil || g.currentFault() != HandshakeStalled {
			return c, err
		}
		g.stall(c)
	}
}

// stall keeps a connection open until the client gives up, or the listener is closed.
func (g *tlsListener) stall(c net.Conn) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.stalled == nil {
		_ = c.Close()
		return
	}
	g.stalled[c] = struct{}{}
	g.stalls.Go(func() {
		_, _ = io.Copy(io.Discard, c)
		_ = c.Close()
		g.mu.Lock()
		defer g.mu.Unlock()
		delete(g.stalled, c)
	})
}

// Close the listener and the connections that stall.
func (g *tlsListener) Close() error {
	g.mu.Lock()
	for c := range g.stalled {
		_ = c.Close()
	}
	g.stalled = nil
	g.mu.Unlock()
	err := g.countingListener.Close()
	g.stalls.Wait()
	return err
}

func (g *tlsListener) configFor(*tls.ClientHelloInfo) (*tls.Config, error) {
	fault := g.currentFault()
	if fault == HandshakeRefused {
		return nil, errors.New("the rules refuse handshakes")
	}
	return g.certificates.configs[fault], nil // nil is the one that is there
}
