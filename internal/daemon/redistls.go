package daemon

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"

	"github.com/redis/go-redis/v9"
)

// RedisTLS are the certificates of the connection; the server's is always verified.
type RedisTLS struct {
	Enabled                               bool
	CAFile, CertFile, KeyFile, ServerName string
}

// secure adds the certificates, where TLS was asked for by the settings or by the URL's scheme.
func (o RedisOptions) setTLS(universal *redis.UniversalOptions) error {
	if !o.TLS.Enabled && universal.TLSConfig == nil {
		return nil
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: o.TLS.ServerName}
	if universal.TLSConfig != nil && config.ServerName == "" {
		config.ServerName = universal.TLSConfig.ServerName
	}
	if o.TLS.CAFile != "" {
		pem, err := os.ReadFile(o.TLS.CAFile)
		if err != nil {
			return fmt.Errorf("read the authority's certificate: %w", err)
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(pem) {
			return fmt.Errorf("no certificate in %s", o.TLS.CAFile)
		}
	}
	if o.TLS.CertFile != "" {
		pair, err := tls.LoadX509KeyPair(o.TLS.CertFile, o.TLS.KeyFile)
		if err != nil {
			return fmt.Errorf("load our certificate: %w", err)
		}
		config.Certificates = []tls.Certificate{pair}
	}
	universal.TLSConfig = config
	return nil
}
