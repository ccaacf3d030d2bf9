package fcm

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
)

// checkPlaintext refuses to send access tokens where anyone on the way can read them.
func (o Options) checkPlaintext() error {
	if o.AllowPlaintext || !o.hasCredentials() || !isCleartext(o.Endpoint) {
		return nil
	}
	return errors.New("access tokens would go to the endpoint over http://, where anyone on the way can read them; use https://, " +
		"leave the credentials out, or set fcm.allow_plaintext")
}

// carriesCredentials reports whether requests carry an access token.
func (o Options) hasCredentials() bool {
	return o.CredentialsFile != "" || o.Credentials != "" || o.Endpoint == ""
}

// checkPlaintext refuses credentials that sign in over http:// beyond this machine: the answer is an access token.
func (a account) checkPlaintext() error {
	for name, value := range a.tokenURLs() {
		if isCleartext(value) {
			return fmt.Errorf("their %s is http://, where anyone on the way can read access tokens; use https://, or set fcm.allow_plaintext", name)
		}
	}
	return nil
}

// leavesInClear reports whether an address is reached over http:// and beyond this machine.
func isCleartext(address string) bool {
	u, err := url.Parse(address)
	return err == nil && strings.EqualFold(u.Scheme, "http") && !isLoopback(u.Hostname())
}

func isLoopback(host string) bool {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	ip := net.ParseIP(host)
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || ip != nil && ip.IsLoopback()
}
