package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"syscall"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// Fault tells what to do about an error of the Store.
type Fault uint8

const (
	// Transient: the database could not be reached, or had no room or time. The same call may succeed later.
	Transient Fault = iota + 1
	// Data: the database refuses what one of the results holds. The others may succeed without it.
	Data
	// Halt: nothing will succeed until a person acts: a table, a permission, a password, a setting. An error that nobody
	// foresaw is a Halt too: to repeat it for ever would hide it, and to blame the data would lose results.
	Halt
)

// String is the fault's name, as in metrics.
func (f Fault) String() string {
	switch f {
	case Transient:
		return "transient"
	case Data:
		return "data"
	case Halt:
		return "halt"
	default:
		return "none"
	}
}

// FaultOf classifies an error that a Store returned; nil has no fault.
func FaultOf(err error) Fault {
	if err == nil {
		return 0
	}
	if _, ok := errors.AsType[*SettingError](err); ok {
		return Halt
	}
	if _, ok := errors.AsType[*TablesError](err); ok {
		return Halt
	}
	if errors.Is(err, errReadOnly) {
		return Transient
	}
	if _, ok := errors.AsType[*DataError](err); ok {
		return Data
	}
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		return postgresFault(e, err)
	}
	if e, ok := errors.AsType[*sqlite.Error](err); ok {
		return sqliteFault(e.Code())
	}
	if tlsRefused(err) {
		return Halt
	}
	if connectionTrouble(err) {
		return Transient
	}
	return Halt
}

func postgresFault(e *pgconn.PgError, err error) Fault {
	fault := stateFault(e.Code)
	_, connecting := errors.AsType[*pgconn.ConnectError](err)
	if postgresRefusal(e) != 0 || connecting && fault == Data { // of a parameter: no result has been looked at
		return Halt
	}
	return fault
}

// inconvertible reports that PostgreSQL could not read a parameter as the type it needs, or that the type is too small.
func inconvertible(err error) bool {
	e, ok := errors.AsType[*pgconn.PgError](err)
	return ok && strings.HasPrefix(e.Code, "22")
}

// stateFault reads a SQLSTATE, by its class (the first two characters) where the class decides.
func stateFault(state string) Fault {
	switch state {
	case "21000", // a statement met one row twice
		"54000": // a key is too long for its index
		return Data
	case "55P03", // lock not available in time
		"25006": // read-only: we reached a standby, or a primary that just became one
		return Transient
	}
	switch state[:min(2, len(state))] {
	case "08", "40", "53", "57": // connection, serialization and deadlock, resources, an operator's intervention
		return Transient
	case "22", "23": // a value, a constraint
		return Data
	default:
		return Halt
	}
}

// sqliteFault reads a result code; the low byte is the primary one.
func sqliteFault(code int) Fault {
	switch code & 0xff {
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL, // others hold the lock
		sqlite3.SQLITE_INTERRUPT, sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_FULL: // time, memory, disk
		return Transient
	case sqlite3.SQLITE_CONSTRAINT, sqlite3.SQLITE_TOOBIG, sqlite3.SQLITE_MISMATCH:
		return Data
	default:
		return Halt
	}
}

// connectionTrouble reports an error that came from the way to the database, not from the database.
func connectionTrouble(err error) bool {
	for _, known := range []error{
		context.DeadlineExceeded, context.Canceled, os.ErrDeadlineExceeded,
		io.EOF, io.ErrUnexpectedEOF, io.ErrClosedPipe, net.ErrClosed,
		driver.ErrBadConn, sql.ErrConnDone,
		sql.ErrTxDone, // its context ended it
		syscall.ECONNRESET, syscall.ECONNREFUSED, syscall.EPIPE,
	} {
		if errors.Is(err, known) {
			return true
		}
	}
	if _, ok := errors.AsType[net.Error](err); ok {
		return true
	}
	_, connecting := errors.AsType[*pgconn.ConnectError](err)
	return connecting || pgconn.SafeToRetry(err)
}
