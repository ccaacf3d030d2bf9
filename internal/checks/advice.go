package checks

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"regexp"
	"strings"

	"fanfare/internal/redisx"
)

// IsUntrustedRedis reports whether Redis has a certificate that the settings do not trust, or does
// not use TLS. Waiting does not help.
func IsUntrustedRedis(err error) bool {
	_, authority := errors.AsType[x509.UnknownAuthorityError](err)
	_, host := errors.AsType[x509.HostnameError](err)
	_, plain := errors.AsType[tls.RecordHeaderError](err)
	return authority || host || plain
}

// RedisAdvice says what to do about an error of Redis at the start.
func RedisAdvice(err error) string {
	if _, wrongHost := errors.AsType[x509.HostnameError](err); wrongHost {
		return "set redis.tls.server_name to the host in the server's certificate, or connect to that host"
	}
	if _, plain := errors.AsType[tls.RecordHeaderError](err); plain {
		return "the server does not use TLS on this port; use its TLS port, or redis:// and redis.tls.enabled: false"
	}
	if IsUntrustedRedis(err) {
		return "set redis.tls.ca_file to the authority that signed the server's certificate"
	}
	text := ""
	if err != nil {
		text = err.Error()
	}
	switch {
	case strings.Contains(text, "WRONGPASS"), strings.Contains(text, "invalid password"):
		return "the user name or the password is wrong; check REDIS_URL, or REDIS_USERNAME and REDIS_PASSWORD, and ACL LIST in Redis"
	case strings.Contains(text, "NOAUTH"):
		return "Redis requires a password; set REDIS_PASSWORD or put it into REDIS_URL"
	case redisx.IsDenied(err):
		return "the Redis user lacks a permission; grant it with ACL SETUSER " + missingGrant(text) + "; deploy/README.md lists all of them"
	}
	return "check REDIS_URL, or REDIS_HOST, REDIS_PORT and REDIS_PASSWORD"
}

var deniedTo = regexp.MustCompile(`(?:User (\S+)|this user) has no permissions to run the '([^']+)' command`)

// missingGrant returns the arguments of ACL SETUSER that allow what an error denies.
func missingGrant(text string) string {
	if found := deniedTo.FindStringSubmatch(text); found != nil {
		return cmp.Or(found[1], "USER") + " +" + found[2]
	}
	return "USER"
}
