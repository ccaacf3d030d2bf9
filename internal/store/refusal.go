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

// Refusal divides Halt faults by the person that must act.
type Refusal uint8

const (
	// Denied: the database refuses the credentials or a permission.
	Denied Refusal = iota + 1
	// Misconfigured: the settings lead to no usable database.
	Misconfigured
)

// RefusalOf classifies an error of a Store. It returns 0 for other errors and for nil.
func RefusalOf(err error) Refusal {
	if refusal := databaseRefusal(err); refusal != 0 {
		return refusal
	}
	_, setting := errors.AsType[*SettingError](err)
	_, tables := errors.AsType[*TablesError](err)
	_, url := errors.AsType[*URLError](err)
	if setting || tables || url || isTLSRefused(err) {
		return Misconfigured
	}
	return 0
}

// databaseRefusal classifies the database's own error.
func databaseRefusal(err error) Refusal {
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		_, connecting := errors.AsType[*pgconn.ConnectError](err)
		if refusal := postgresRefusal(e); refusal != 0 || !connecting || sqlstateFault(e.Code) == Transient {
			return refusal
		}
		return Misconfigured // a parameter of the URL, such as statement_timeout=abc
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

// poolerRefusal classifies a message of PgBouncer, whose errors nearly all carry the code of a
// protocol violation.
func poolerRefusal(message string) Refusal {
	for text, refusal := range map[string]Refusal{
		"authentication failed":  Denied,
		"no such user":           Denied,
		"login rejected":         Denied,
		"no such database":       Misconfigured,
		"does not exist":         Misconfigured, // the server's own message, passed on
		"statement pooling mode": Misconfigured, // it allows no transactions
		"PQexec disallowed":      Misconfigured, // by the setting disable_pqexec
	} {
		if strings.Contains(message, text) {
			return refusal
		}
	}
	return 0
}

// isTLSRefused reports whether the server offers no TLS, or a certificate that the settings do not
// trust.
func isTLSRefused(err error) bool {
	_, untrusted := errors.AsType[*tls.CertificateVerificationError](err)
	_, unknown := errors.AsType[x509.UnknownAuthorityError](err)
	_, otherHost := errors.AsType[x509.HostnameError](err)
	return untrusted || unknown || otherHost || err != nil && strings.HasSuffix(err.Error(), "server refused TLS connection")
}
