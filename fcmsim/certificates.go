package fcmsim

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"time"
)

// certificates holds a CA for the lifetime of a server, and a TLS configuration for each fault of a
// certificate.
type certificates struct {
	caPEM   []byte
	configs map[HandshakeFault]*tls.Config
}

func newCertificates() (*certificates, error) {
	trusted, err := newCertAuthority("fcmsim CA")
	if err != nil {
		return nil, err
	}
	other, err := newCertAuthority("unknown CA")
	if err != nil {
		return nil, err
	}
	a := &certificates{
		caPEM:   pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: trusted.der}),
		configs: make(map[HandshakeFault]*tls.Config),
	}
	for fault, by := range map[HandshakeFault]*certAuthority{
		HandshakeGood: trusted, HandshakeExpired: trusted, HandshakeWrongHost: trusted, HandshakeUntrusted: other,
	} {
		signed, err := by.sign(newLeaf(fault))
		if err != nil {
			return nil, fmt.Errorf("sign server certificate: %w", err)
		}
		a.configs[fault] = newTLSConfig(signed, fault)
	}
	return a, nil
}

func newTLSConfig(c tls.Certificate, fault HandshakeFault) *tls.Config {
	return &tls.Config{
		Certificates: []tls.Certificate{c},
		MinVersion:   tls.VersionTLS12,
		NextProtos:   []string{"h2", "http/1.1"},
		// A client that resumes a session does not verify the certificate again.
		SessionTicketsDisabled: fault != HandshakeGood,
		// Small first records would slow down a fast connection more than they help a slow one.
		DynamicRecordSizingDisabled: true,
	}
}

// newLeaf returns an unsigned server certificate with a fault.
func newLeaf(fault HandshakeFault) *x509.Certificate {
	c := newTemplate("fcmsim")
	c.KeyUsage, c.ExtKeyUsage = x509.KeyUsageDigitalSignature, []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	c.DNSNames = []string{"localhost"}
	c.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback}
	switch fault {
	case HandshakeExpired:
		c.NotBefore, c.NotAfter = c.NotBefore.AddDate(-1, 0, 0), c.NotBefore
	case HandshakeWrongHost:
		c.DNSNames, c.IPAddresses = []string{"fcm.invalid"}, nil
	}
	return c
}

func newTemplate(name string) *x509.Certificate {
	now := time.Now()
	return &x509.Certificate{
		SerialNumber: big.NewInt(now.UnixNano()),
		Subject:      pkix.Name{CommonName: name},
		NotBefore:    now.Add(-time.Hour),
		NotAfter:     now.AddDate(1, 0, 0),
	}
}

// certAuthority is a CA.
type certAuthority struct {
	certificate *x509.Certificate
	der         []byte
	key         *ecdsa.PrivateKey
}

func newCertAuthority(name string) (*certAuthority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make CA key: %w", err)
	}
	ca := newTemplate(name)
	ca.IsCA, ca.BasicConstraintsValid, ca.KeyUsage = true, true, x509.KeyUsageCertSign
	der, err := x509.CreateCertificate(rand.Reader, ca, ca, &key.PublicKey, key)
	if err != nil {
		return nil, fmt.Errorf("sign CA certificate: %w", err)
	}
	return &certAuthority{certificate: ca, der: der, key: key}, nil
}

// sign makes a key for the certificate and signs it.
func (s *certAuthority) sign(c *x509.Certificate) (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	der, err := x509.CreateCertificate(rand.Reader, c, s.certificate, &key.PublicKey, s.key)
	return tls.Certificate{Certificate: [][]byte{der, s.der}, PrivateKey: key}, err
}
