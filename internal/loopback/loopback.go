// Package loopback says what only this machine can reach. Warnings about passwords in clear text,
// refusals of public addresses and guards against foreign host names share this one answer.
package loopback

import (
	"net"
	"strings"
)

// IsHost reports whether a host is this machine: localhost, a name below it (RFC 6761), or a
// loopback address. Brackets of IPv6 and the dot of an absolute name may be there; a port may not.
func IsHost(host string) bool {
	name := strings.ToLower(strings.TrimSuffix(strings.Trim(host, "[]"), "."))
	return name == "localhost" || strings.HasSuffix(name, ".localhost") || net.ParseIP(name).IsLoopback()
}

// IsHostPort is IsHost for a host that may have a port, as in a Host header.
func IsHostPort(address string) bool { return IsHost(StripPort(address)) }

// IsAddr reports whether only this machine can reach a TCP address.
func IsAddr(addr net.Addr) bool {
	tcp, ok := addr.(*net.TCPAddr)
	return ok && tcp.IP.IsLoopback()
}

// StripPort returns a host without its port, and without the brackets of IPv6.
func StripPort(address string) string {
	if host, _, err := net.SplitHostPort(address); err == nil {
		return host
	}
	return strings.Trim(address, "[]")
}
