package store

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// translation makes the driver's parameters of those that frameworks and drivers write into a URL.
type translation struct {
	to         map[string]string
	ignored    []string
	cert       string // sslcert, which has two meanings
	unverified bool   // the server's certificate is not to be looked at
}

// maxPool bounds the connections of one process: each costs the server a process.
const maxPool = 1000

// unheeded have a meaning elsewhere that is met here in another way, or not at all.
var unheeded = []string{
	// Prisma
	"socket_timeout", "pool_timeout", "statement_cache_size", "single_use_connections",
	// PostgreSQL's own library
	"keepalives", "keepalives_idle", "keepalives_interval", "keepalives_count", "tcp_user_timeout", "gssencmode", "gssdelegation",
	"sslcompression", "sslcrl", "sslcrldir", "requirepeer", "load_balance_hosts", "ssl_min_protocol_version", "ssl_max_protocol_version",
	// others
	"charset", "encoding", "driver", "pool", "pool_size", "max_overflow", "pool_recycle", "pool_pre_ping", "reconnect", "adapter",
	"prepared_statements", "prepared_statement_cache_size", "prepared_statement_name_func", "command_timeout", "async_fallback",
	"conn_max_age", "uselibpqcompat", "sslfactory", "loglevel", "stringtype", "tcpkeepalive", "prepare_threshold", "variant",
}

// translate takes all parameters over; what is wrong with one is an error.
func (p *translation) translate(given []parameter) error {
	for _, g := range given {
		if g.value == "" && g.name != "password" {
			continue // as if it were not there
		}
		if err := p.one(g); err != nil {
			return err
		}
	}
	switch {
	case p.cert == "":
	case p.to["sslkey"] != "":
		p.to["sslcert"] = p.cert
	case p.to["sslrootcert"] == "": // Prisma's sslcert is the authority's, and comes without a key
		p.to["sslrootcert"] = p.cert
	}
	if p.unverified { // with an authority's certificate, the driver would verify in the mode require, too
		delete(p.to, "sslrootcert")
	}
	return nil
}

func (p *translation) one(g parameter) error {
	switch g.name {
	case "schema", "currentSchema":
		p.to["search_path"] = searchPath(g)
	case "ApplicationName", "fallback_application_name":
		if p.to["application_name"] == "" {
			p.to["application_name"] = g.value
		}
	case "connect_timeout", "connectTimeout", "loginTimeout":
		return p.seconds(g)
	case "connection_limit", "max_connections", "pool_max_conns":
		return p.limit(g)
	case "pgbouncer": // needs nothing: every statement works through it
		return p.truth(g)
	case "sslmode", "ssl":
		return p.sslMode(g)
	case "sslaccept":
		return p.sslAccept(g)
	case "sslcert":
		p.cert = g.value
	case "sslidentity":
		return &URLError{"has sslidentity, a PKCS #12 file: use sslcert and sslkey, which are PEM files"}
	case "targetServerType":
		p.to["target_session_attrs"] = map[string]string{"primary": "primary", "master": "primary", "secondary": "standby"}[g.value]
		if p.to["target_session_attrs"] == "" {
			p.to["target_session_attrs"] = "any"
		}
	case "TimeZone", "DateStyle", "IntervalStyle":
		p.to[g.name] = g.value
	default:
		if slices.Contains(unheeded, g.name) || g.name != strings.ToLower(g.name) {
			p.ignored = append(p.ignored, g.name)
			return nil
		}
		p.to[g.name] = g.value // the driver's, or one of the server's, which says so if it is not
	}
	return nil
}

// searchPath quotes names, or a capital letter in one would be lost.
func searchPath(g parameter) string {
	var names []string
	for name := range strings.SplitSeq(g.value, ",") {
		name = strings.Trim(strings.TrimSpace(name), `"`)
		names = append(names, `"`+strings.ReplaceAll(name, `"`, `""`)+`"`)
	}
	return strings.Join(names, ", ")
}

func (p *translation) seconds(g parameter) error {
	n, err := strconv.Atoi(g.value)
	if err != nil || n < 0 || n > 3600 {
		return &URLError{fmt.Sprintf("has %s=%q: use a number of seconds up to 3600, such as connect_timeout=10", g.name, g.value)}
	}
	p.to["connect_timeout"] = strconv.Itoa(n)
	return nil
}

func (p *translation) limit(g parameter) error {
	n, err := strconv.Atoi(g.value)
	if err != nil || n < 1 || n > maxPool {
		return &URLError{fmt.Sprintf("has %s=%q: use a number of connections from 1 to %d", g.name, g.value, maxPool)}
	}
	p.to["pool_max_conns"] = strconv.Itoa(n)
	return nil
}

func (p *translation) truth(g parameter) error {
	if _, err := strconv.ParseBool(g.value); err != nil {
		return &URLError{fmt.Sprintf("has %s=%q: use true or false", g.name, g.value)}
	}
	return nil
}

// sslModes are PostgreSQL's, and the words that others have for them. no-verify is that of Node.js: TLS whose certificate is
// not looked at.
var sslModes = map[string]string{
	"disable": "disable", "allow": "allow", "prefer": "prefer", "require": "require", "verify-ca": "verify-ca", "verify-full": "verify-full",
	"no-verify": "require", "no_verify": "require", "true": "require", "1": "require", "false": "disable", "0": "disable",
	"verifyca": "verify-ca", "verifyfull": "verify-full",
}

func (p *translation) sslMode(g parameter) error {
	mode := sslModes[strings.ToLower(g.value)]
	if mode == "" {
		return &URLError{fmt.Sprintf("has %s=%q: use disable, allow, prefer, require, verify-ca, verify-full or no-verify", g.name, g.value)}
	}
	if g.name == "sslmode" || p.to["sslmode"] == "" {
		p.to["sslmode"] = mode
		p.unverified = strings.HasPrefix(g.value, "no")
	}
	return nil
}

// sslAccept is Prisma's word for whether the server's certificate is checked.
func (p *translation) sslAccept(g parameter) error {
	switch {
	case g.value == "strict" && p.to["sslmode"] != "disable":
		p.to["sslmode"] = "verify-full"
	case g.value == "accept_invalid_certs":
		p.unverified = true
	case g.value != "strict":
		return &URLError{fmt.Sprintf("has sslaccept=%q: use strict or accept_invalid_certs", g.value)}
	}
	return nil
}
