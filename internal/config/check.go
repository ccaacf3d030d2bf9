package config

import (
	"errors"
	"strings"
	"unicode"
)

// check finds settings that are valid one by one but not together.
func (s Settings) check() error {
	var errs []error
	refuse := func(key, problem, allowed string) {
		errs = append(errs, &Error{Key: key, Origin: s.origin(key).name, Problem: problem, Allowed: allowed})
	}
	s.Redis.check(refuse)
	if s.Retry.MaxBackoff < s.Retry.MinBackoff {
		refuse("retry.max_backoff", "is below retry.min_backoff", "at least "+s.Retry.MinBackoff.String())
	}
	if s.Queue.ClaimBytes < s.Queue.MaxElement {
		refuse("queue.claim_bytes", "is below queue.max_element", "at least "+s.Queue.MaxElement.String())
	}
	if s.FCM.Credentials != "" && s.FCM.CredentialsFile != "" {
		refuse("fcm.credentials", "cannot be used together with fcm.credentials_file", "one of them: remove FCM_CREDENTIALS or GOOGLE_APPLICATION_CREDENTIALS")
	}
	if strings.ContainsFunc(s.FCM.ProjectID, isForbiddenInProjectID) {
		refuse("fcm.project_id", "cannot be a Firebase project", "letters, digits, '-', '.' and ':', as in my-project")
	}
	return errors.Join(errs...)
}

func (redis Redis) check(refuse func(key, problem, allowed string)) {
	if redis.Mode == "sentinel" && (len(redis.Addresses) == 0 || redis.SentinelMaster == "") {
		refuse("redis.mode", "sentinel needs redis.addresses and redis.sentinel_master", "")
	}
	if redis.Mode == "sentinel" && redis.URL != "" {
		refuse("redis.url", "cannot be used with redis.mode sentinel", "redis.addresses, redis.username and redis.password")
	}
	if redis.Mode == "cluster" && redis.DB != 0 {
		refuse("redis.db", "a cluster has only database 0", "0")
	}
	if redis.Mode == "cluster" && redis.URL != "" && len(redis.Addresses) > 0 {
		refuse("redis.addresses", "cannot be used together with redis.url", "one of them")
	}
	if redis.Mode == "standalone" && len(redis.Addresses) > 0 {
		refuse("redis.addresses", "are for redis.mode sentinel and cluster only", "redis.host or redis.url")
	}
	if (redis.TLS.CertFile == "") != (redis.TLS.KeyFile == "") {
		refuse("redis.tls.cert_file", "a certificate and its key belong together", "both redis.tls.cert_file and redis.tls.key_file")
	}
	for _, of := range []struct{ key, value string }{
		{"redis.tls.ca_file", redis.TLS.CAFile},
		{"redis.tls.cert_file", redis.TLS.CertFile},
		{"redis.tls.server_name", redis.TLS.ServerName},
	} {
		if of.value != "" && !redis.TLS.Enabled {
			refuse(of.key, "has no effect without TLS", "redis.tls.enabled: true, or a url that begins with rediss://")
		}
	}
}

// isForbiddenInProjectID finds characters outside of project ids. The id of an organisation's
// domain may have a dot and a colon.
func isForbiddenInProjectID(r rune) bool {
	return r > unicode.MaxASCII || !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("-.:", r)
}

// resolveCredentials keeps the credentials of the source that takes precedence, inline or file. If
// both have the same source, check refuses them.
func (s *Settings) resolveCredentials() {
	const inline, file = "fcm.credentials", "fcm.credentials_file"
	unused := func(key, by string) {
		s.origins[key] = origin{layerDefault, "not used: " + s.origin(by).name + " takes precedence"}
	}
	switch own, other := s.origin(inline).layer, s.origin(file).layer; {
	case s.FCM.Credentials == "" || s.FCM.CredentialsFile == "":
	case own > other:
		s.FCM.CredentialsFile = ""
		unused(file, inline)
	case other > own:
		s.FCM.Credentials = ""
		unused(inline, file)
	}
}
