package fcmsim

import "fmt"

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
