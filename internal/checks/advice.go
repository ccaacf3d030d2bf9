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

// UntrustedRedis reports whether Redis showed a certificate that the settings do not trust, or speaks no TLS. No waiting cures it.
func IsUntrustedRedis(err error) bool {
	_, authority := errors.AsType[x509.UnknownAuthorityError](err)
	_, host := errors.AsType[x509.HostnameError](err)
	_, plain := errors.AsType[tls.RecordHeaderError](err)
	return authority || host || plain
}

// RedisAdvice says what to do about an error of Redis that was met before any work.
func RedisAdvice(err error) string {
	if _, wrongHost := errors.AsType[x509.HostnameError](err); wrongHost {
		return "name the host in the server's certificate with redis.tls.server_name, or connect to that host"
	}
	if _, plain := errors.AsType[tls.RecordHeaderError](err); plain {
		return "the server speaks no TLS on this port: use its TLS port, or redis:// and redis.tls.enabled: false"
	}
	if IsUntrustedRedis(err) {
		return "name the authority that signed the server's certificate with redis.tls.ca_file"
	}
	text := ""
	if err != nil {
		text = err.Error()
	}
	switch {
	case strings.Contains(text, "WRONGPASS"), strings.Contains(text, "invalid password"):
		return "the user name or the password is wrong: check REDIS_URL, or REDIS_USERNAME and REDIS_PASSWORD, and ACL LIST in Redis"
	case strings.Contains(text, "NOAUTH"):
		return "Redis wants a password: set REDIS_PASSWORD, or put it into REDIS_URL"
	case redisx.IsDenied(err):
		return "the user may not do this: grant it in Redis with ACL SETUSER " + missingGrant(text) + "; deploy/README.md lists all that is needed"
	}
	return "check REDIS_URL, or REDIS_HOST, REDIS_PORT and REDIS_PASSWORD"
}

var deniedTo = regexp.MustCompile(`(?:User (\S+)|this user) has no permissions to run the '([^']+)' command`)

// grant is what ACL SETUSER takes to allow what an error says is denied.
func missingGrant(text string) string {
	if found := deniedTo.FindStringSubmatch(text); found != nil {
		return cmp.Or(found[1], "USER") + " +" + found[2]
	}
	return "USER"
}
