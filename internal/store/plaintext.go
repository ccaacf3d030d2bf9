package store

import (
	"crypto/tls"
	"net"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

// Plaintext returns the host of a PostgreSQL beyond this machine to which the settings allow a connection without TLS; "" if there is none.
func (s *Store) Plaintext() string {
	p, ok := s.backend.(*postgres)
	if !ok {
		return ""
	}
	return plaintextHost(&p.pool.Config().ConnConfig.Config)
}

// plaintextHost looks at the first attempt to connect and at those that follow it: by default the driver tries TLS, and does without
// where the server has none.
func plaintextHost(config *pgconn.Config) string {
	inClear := func(host string, tls *tls.Config) bool { return tls == nil && !onThisMachine(host) }
	if inClear(config.Host, config.TLSConfig) {
		return config.Host
	}
	for _, fallback := range config.Fallbacks {
		if inClear(fallback.Host, fallback.TLSConfig) {
			return fallback.Host
		}
	}
	return ""
}

// onThisMachine reports whether a host is a socket's folder or a loopback address.
func onThisMachine(host string) bool {
	ip := net.ParseIP(host)
	return host == "" || strings.HasPrefix(host, "/") || strings.HasPrefix(host, "@") || strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}
