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

// HandshakeFault is what goes wrong when a client connects to the TLS listener. It does not affect
// connections that are already open.
type HandshakeFault string

// The faults of a handshake. With the first three, the client finds the fault in the certificate.
const (
	HandshakeGood      HandshakeFault = ""
	HandshakeExpired   HandshakeFault = "EXPIRED"    // the certificate has expired
	HandshakeWrongHost HandshakeFault = "WRONG_HOST" // the certificate is for fcm.invalid
	HandshakeUntrusted HandshakeFault = "UNTRUSTED"  // an unknown CA signed the certificate
	HandshakeRefused   HandshakeFault = "REFUSED"    // the server ends the handshake with an alert
	HandshakeStalled   HandshakeFault = "STALLED"    // the server accepts the connection and sends nothing
)

// HandshakeFaults returns the names of all faults.
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

// tlsListener accepts TLS connections as the rules of the moment demand.
type tlsListener struct {
	countingListener
	simulator    *Simulator
	certificates *certificates

	mu      sync.Mutex
	stalled map[net.Conn]struct{} // nil: the listener is closed
	stalls  sync.WaitGroup
}

// newTLSListener makes a listener that stalls connections before TLS starts. It also returns the
// TLS configuration, which selects a certificate for all others.
func newTLSListener(ln countingListener, s *Simulator, a *certificates) (*tlsListener, *tls.Config) {
	g := &tlsListener{countingListener: ln, simulator: s, certificates: a, stalled: make(map[net.Conn]struct{})}
	config := a.configs[HandshakeGood].Clone()
	config.GetConfigForClient = g.configFor
	return g, config
}

func (g *tlsListener) currentFault() HandshakeFault {
	return g.simulator.rulesetAt(time.Now()).rules.Handshake
}

// Accept returns the next connection that does not stall.
func (g *tlsListener) Accept() (net.Conn, error) {
	for {
		c, err := g.countingListener.Accept()
		if err != nil || g.currentFault() != HandshakeStalled {
			return c, err
		}
		g.stall(c)
	}
}

// stall keeps a connection open until the client gives up or the listener is closed.
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

// Close closes the listener and the connections that stall.
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
	return g.certificates.configs[fault], nil // nil keeps the default configuration
}
