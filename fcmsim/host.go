package fcmsim

import (
	"net"
	"net/http"
	"strings"
	"time"
)

// adminWriteTimeout leaves time for a long ledger.
const adminWriteTimeout = 5 * time.Minute

// onlyFor refuses requests whose Host is a name that is not ours. A web page whose name was made to lead to this machine
// (DNS rebinding) sends its own.
func onlyFor(addr net.Addr, configured string, h http.Handler) http.Handler {
	own, _, err := net.SplitHostPort(configured)
	if err != nil {
		own = ""
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if host := hostname(r.Host); !isLocal(host) && !strings.EqualFold(host, own) && !isAddress(host, addr) {
			http.Error(w, "the admin API answers to loopback names, and to the host that it listens on", http.StatusForbidden)
			return
		}
		h.ServeHTTP(w, r)
	})
}

// hostname is a Host header without its port and brackets.
func hostname(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		return name
	}
	return strings.Trim(host, "[]")
}

func isLocal(host string) bool {
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}

// isAddress reports whether the host is an address of the listener: any, where it listens on all. A page has a name, and no address.
func isAddress(host string, addr net.Addr) bool {
	ip := net.ParseIP(host)
	tcp, _ := addr.(*net.TCPAddr)
	return ip != nil && tcp != nil && (tcp.IP.IsUnspecified() || tcp.IP.Equal(ip))
}
