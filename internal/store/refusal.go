package store

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// Refusal tells apart the Halt faults by who has to act.
type Refusal uint8

const (
	// Denied: the database refuses who we are, or what we may do.
	Denied Refusal = iota + 1
	// Misconfigured: the settings lead to no database that can be used with them.
	Misconfigured
)

// RefusalOf classifies an error that a Store returned; 0 is any other error, or none.
func RefusalOf(err error) Refusal {
	if refusal := databaseRefusal(err); refusal != 0 {
		return refusal
	}
	_, setting := errors.AsType[*SettingError](err)
	_, tables := errors.AsType[*TablesError](err)
	_, url := errors.AsType[*URLError](err)
	if setting || tables || url || tlsRefused(err) {
		return Misconfigured
	}
	return 0
}

// databaseRefusal reads the database's own error.
func databaseRefusal(err error) Refusal {
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		_, connecting := errors.AsType[*pgconn.ConnectError](err)
		if refusal := postgresRefusal(e); refusal != 0 || !connecting || stateFault(e.Code) == Transient {
			return refusal
		}
		return Misconfigured // a parameter of the address, such as statement_timeout=abc
	}
	if e, ok := errors.AsType[*sqlite.Error](err); ok {
		switch e.Code() & 0xff {
		case sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH, sqlite3.SQLITE_READONLY:
			return Denied
		case sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_NOTADB:
			return Misconfigured
		}
	}
	return 0
}

func postgresRefusal(e *pgconn.PgError) Refusal {
	switch {
	case e.Code == "42501", len(e.Code) == 5 && e.Code[:2] == "28":
		return Denied
	case e.Code == "3D000", e.Code == "3F000": // no such database, no such schema
		return Misconfigured
	case e.Code == "08P01":
		return poolerRefusal(e.Message)
	}
	return 0
}

// poolerRefusal reads a message of PgBouncer, whose errors nearly all have the code of a broken protocol.
func poolerRefusal(message string) Refusal {
	for text, refusal := range map[string]Refusal{
		"authentication failed":  Denied,
		"no such user":           Denied,
		"login rejected":         Denied,
		"no such database":       Misconfigured,
		"does not exist":         Misconfigured, // the server's own words for a database, passed on
		"statement pooling mode": Misconfigured, // which allows no transactions
		"PQexec disallowed":      Misconfigured, // by disable_pqexec
	} {
		if strings.Contains(message, text) {
			return refusal
		}
	}
	return 0
}

// tlsRefused reports that the server offers no TLS, or a certificate that the settings do not trust.
func tlsRefused(err error) bool {
	_, untrusted := errors.AsType[*tls.CertificateVerificationError](err)
	_, unknown := errors.AsType[x509.UnknownAuthorityError](err)
	_, otherHost := errors.AsType[x509.HostnameError](err)
	return untrusted || unknown || otherHost || err != nil && strings.HasSuffix(err.Error(), "server refused TLS connection")
}
