package store

import (
	"errors"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// Refusal tells apart the Halt faults that say who has to act.
type Refusal uint8

const (
	// Denied: the database refuses who we are, or what we ask of it with that.
	Denied Refusal = iota + 1
	// Missing: there is no such database, so its address is wrong.
	Missing
)

// RefusalOf classifies an error that a Store returned; 0 is any other error, or none.
func RefusalOf(err error) Refusal {
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		switch {
		case e.Code == "42501", len(e.Code) == 5 && e.Code[:2] == "28":
			return Denied
		case e.Code == "3D000":
			return Missing
		}
	}
	if e, ok := errors.AsType[*sqlite.Error](err); ok {
		switch e.Code() & 0xff {
		case sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH, sqlite3.SQLITE_READONLY:
			return Denied
		case sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_NOTADB:
			return Missing
		}
	}
	return 0
}
