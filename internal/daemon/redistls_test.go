package daemon

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
)

// certificate is a self-signed one, which is its own authority, for 127.0.0.1 and "redis.test".
type certificate struct {
	pair              tls.Certificate
	pool              *x509.CertPool
	certFile, keyFile string
}

func newCertificate(t *testing.T) certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, DNSNames: []string{"redis.test"},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	certPEM := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	keyPEM := pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: keyDER})
	c := certificate{pool: x509.NewCertPool()}
	c.pool.AppendCertsFromPEM(certPEM)
	if c.pair, err = tls.X509KeyPair(certPEM, keyPEM); err != nil {
		t.Fatal(err)
	}
	c.certFile, c.keyFile = filepath.Join(t.TempDir(), "cert.pem"), filepath.Join(t.TempDir(), "key.pem")
	for file, content := range map[string][]byte{c.certFile: certPEM, c.keyFile: keyPEM} {
		if err := os.WriteFile(file, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

func TestTLS(t *testing.T) {
	theirs, ours := newCertificate(t), newCertificate(t)
	server, err := miniredis.RunTLS(&tls.Config{
		Certificates: []tls.Certificate{theirs.pair}, ClientCAs: ours.pool, ClientAuth: tls.RequireAndVerifyClientCert,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	known := RedisTLS{Enabled: true, CAFile: theirs.certFile, CertFile: ours.certFile, KeyFile: ours.keyFile}
	for name, c := range map[string]struct {
		change func(*RedisTLS)
		well   bool
	}{
		"known authority, own certificate": {func(*RedisTLS) {}, true},
		"name in the certificate":          {func(o *RedisTLS) { o.ServerName = "redis.test" }, true},
		"another name":                     {func(o *RedisTLS) { o.ServerName = "other.test" }, false},
		"authority of somebody else":       {func(o *RedisTLS) { o.CAFile = ours.certFile }, false},
		"the system's authorities":         {func(o *RedisTLS) { o.CAFile = "" }, false},
		"no certificate of our own":        {func(o *RedisTLS) { o.CertFile, o.KeyFile = "", "" }, false},
		"no TLS":                           {func(o *RedisTLS) { o.Enabled = false }, false},
	} {
		t.Run(name, func(t *testing.T) {
			options := known
			c.change(&options)
			err := ping(t, RedisOptions{Host: server.Host(), Port: server.Server().Addr().Port, TLS: options})
			if (err == nil) != c.well {
				t.Errorf("got %v", err)
			}
		})
	}
	if err := ping(t, RedisOptions{URL: "rediss://" + server.Addr(), TLS: RedisTLS{CAFile: known.CAFile, CertFile: known.CertFile, KeyFile: known.KeyFile}}); err != nil {
		t.Errorf("rediss:// with certificates: %v", err)
	}
}
