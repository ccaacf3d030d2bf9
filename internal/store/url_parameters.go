package store

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// translator turns the parameters of other frameworks and drivers into the driver's own.
type translator struct {
	driverParams map[string]string
	ignored      []string
	cert         string // sslcert, which has two meanings
	unverified   bool   // accept any server certificate
}

// maxPool limits the connections of one process, because each costs the server a process.
const maxPool = 1000

// ignoredParams have a meaning for other drivers only.
var ignoredParams = []string{
	// Prisma
	"socket_timeout", "pool_timeout", "statement_cache_size", "single_use_connections",
	// libpq
	"keepalives", "keepalives_idle", "keepalives_interval", "keepalives_count", "tcp_user_timeout", "gssencmode", "gssdelegation",
	"sslcompression", "sslcrl", "sslcrldir", "requirepeer", "load_balance_hosts", "ssl_min_protocol_version", "ssl_max_protocol_version",
	// others
	"charset", "encoding", "driver", "pool", "pool_size", "max_overflow", "pool_recycle", "pool_pre_ping", "reconnect", "adapter",
	"prepared_statements", "prepared_statement_cache_size", "prepared_statement_name_func", "command_timeout", "async_fallback",
	"conn_max_age", "uselibpqcompat", "sslfactory", "loglevel", "stringtype", "tcpkeepalive", "prepare_threshold", "variant",
}

// translate translates all parameters and fails at the first wrong one.
func (p *translator) translate(given []parameter) error {
	for _, g := range given {
		if g.value == "" && g.name != "password" {
			continue // like a missing parameter
		}
		if err := p.translateOne(g); err != nil {
			return err
		}
	}
	switch {
	case p.cert == "":
	case p.driverParams["sslkey"] != "":
		p.driverParams["sslcert"] = p.cert
	case p.driverParams["sslrootcert"] == "": // Prisma's sslcert is the CA certificate and comes without a key
		p.driverParams["sslrootcert"] = p.cert
	}
	if p.unverified { // with a CA certificate the driver verifies even in mode require
		delete(p.driverParams, "sslrootcert")
	}
	return nil
}

func (p *translator) translateOne(g parameter) error {
	switch g.name {
	case "schema", "currentSchema":
		p.driverParams["search_path"] = quoteSearchPath(g)
	case "ApplicationName", "fallback_application_name":
		if p.driverParams["application_name"] == "" {
			p.driverParams["application_name"] = g.value
		}
	case "connect_timeout", "connectTimeout", "loginTimeout":
		return p.setConnectTimeout(g)
	case "connection_limit", "max_connections", "pool_max_conns":
		return p.setPoolSize(g)
	case "pgbouncer": // has no effect, because every statement works through a pooler
		return p.checkBool(g)
	case "sslmode", "ssl":
		return p.setSSLMode(g)
	case "sslaccept":
		return p.setSSLAccept(g)
	case "sslcert":
		p.cert = g.value
	case "sslidentity":
		return &URLError{"has sslidentity, a PKCS #12 file: use sslcert and sslkey, which are PEM files"}
	case "targetServerType":
		p.driverParams["target_session_attrs"] = map[string]string{"primary": "primary", "master": "primary", "secondary": "standby"}[g.value]
		if p.driverParams["target_session_attrs"] == "" {
			p.driverParams["target_session_attrs"] = "any"
		}
	case "TimeZone", "DateStyle", "IntervalStyle":
		p.driverParams[g.name] = g.value
	default:
		if slices.Contains(ignoredParams, g.name) || g.name != strings.ToLower(g.name) {
			p.ignored = append(p.ignored, g.name)
			return nil
		}
		p.driverParams[g.name] = g.value // the driver's own, or one that the server checks
	}
	return nil
}

// quoteSearchPath quotes the names of schemas, which keeps their capital letters.
func quoteSearchPath(g parameter) string {
	var names []string
	for name := range strings.SplitSeq(g.value, ",") {
		name = strings.Trim(strings.TrimSpace(name), `"`)
		names = append(names, `"`+strings.ReplaceAll(name, `"`, `""`)+`"`)
	}
	return strings.Join(names, ", ")
}

func (p *translator) setConnectTimeout(g parameter) error {
	n, err := strconv.Atoi(g.value)
	if err != nil || n < 0 || n > 3600 {
		return &URLError{fmt.Sprintf("has %s=%q: use a number of seconds up to 3600, such as connect_timeout=10", g.name, g.value)}
	}
	p.driverParams["connect_timeout"] = strconv.Itoa(n)
	return nil
}

func (p *translator) setPoolSize(g parameter) error {
	n, err := strconv.Atoi(g.value)
	if err != nil || n < 1 || n > maxPool {
		return &URLError{fmt.Sprintf("has %s=%q: use a number of connections from 1 to %d", g.name, g.value, maxPool)}
	}
	p.driverParams["pool_max_conns"] = strconv.Itoa(n)
	return nil
}

func (p *translator) checkBool(g parameter) error {
	if _, err := strconv.ParseBool(g.value); err != nil {
		return &URLError{fmt.Sprintf("has %s=%q: use true or false", g.name, g.value)}
	}
	return nil
}

// sslModes are PostgreSQL's modes and other drivers' words for them. Node.js says no-verify for TLS
// that accepts any certificate.
var sslModes = map[string]string{
	"disable": "disable", "allow": "allow", "prefer": "prefer", "require": "require", "verify-ca": "verify-ca", "verify-full": "verify-full",
	"no-verify": "require", "no_verify": "require", "true": "require", "1": "require", "false": "disable", "0": "disable",
	"verifyca": "verify-ca", "verifyfull": "verify-full",
}

func (p *translator) setSSLMode(g parameter) error {
	mode := sslModes[strings.ToLower(g.value)]
	if mode == "" {
		return &URLError{fmt.Sprintf("has %s=%q: use disable, allow, prefer, require, verify-ca, verify-full or no-verify", g.name, g.value)}
	}
	if g.name == "sslmode" || p.driverParams["sslmode"] == "" {
		p.driverParams["sslmode"] = mode
		p.unverified = strings.HasPrefix(g.value, "no")
	}
	return nil
}

// setSSLAccept reads Prisma's word for whether the server's certificate is verified.
func (p *translator) setSSLAccept(g parameter) error {
	switch {
	case g.value == "strict" && p.driverParams["sslmode"] != "disable":
		p.driverParams["sslmode"] = "verify-full"
	case g.value == "accept_invalid_certs":
		p.unverified = true
	case g.value != "strict":
		return &URLError{fmt.Sprintf("has sslaccept=%q: use strict or accept_invalid_certs", g.value)}
	}
	return nil
}
