package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"syscall"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"

	sqlite3 "modernc.org/sqlite/lib"
)

// Fault says how to react to an error of the Store.
type Fault uint8

const (
	// Transient: the database was unreachable or overloaded. The same call may succeed later.
	Transient Fault = iota + 1
	// Data: the database refuses a value of one of the results. The others may succeed without it.
	Data
	// Halt: nothing succeeds until a person changes a table, a permission, a password or a setting.
	// Unknown errors are Halt too. Repeating them forever would hide them, and blaming the data
	// would lose results.
	Halt
)

// String returns the fault's name, as in metrics.
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

// FaultOf classifies an error of a Store. It returns 0 for nil.
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
	if isTLSRefused(err) {
		return Halt
	}
	if isConnectionError(err) {
		return Transient
	}
	return Halt
}

func postgresFault(e *pgconn.PgError, err error) Fault {
	fault := sqlstateFault(e.Code)
	_, connecting := errors.AsType[*pgconn.ConnectError](err)
	if postgresRefusal(e) != 0 || connecting && fault == Data { // a connection parameter; no result is involved
		return Halt
	}
	return fault
}

// isConversionError reports whether PostgreSQL could not convert a parameter to its type, or the
// type is too small.
func isConversionError(err error) bool {
	e, ok := errors.AsType[*pgconn.PgError](err)
	return ok && strings.HasPrefix(e.Code, "22")
}

// sqlstateFault classifies a SQLSTATE, by its class (the first two characters) if that decides.
func sqlstateFault(state string) Fault {
	switch state {
	case "21000", // a statement met one row twice
		"54000": // a key is too long for its index
		return Data
	case "55P03", // lock not available in time
		"25006": // read-only: a standby, or a primary that was just promoted
		return Transient
	}
	switch state[:min(2, len(state))] {
	case "08", "40", "53", "57": // connection, serialization and deadlock, resources, operator intervention
		return Transient
	case "22", "23": // a value, a constraint
		return Data
	default:
		return Halt
	}
}

// sqliteFault classifies a result code. Its low byte is the primary code.
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

// isConnectionError reports whether an error arose on the way to the database and not in it.
func isConnectionError(err error) bool {
	for _, known := range []error{
		context.DeadlineExceeded, context.Canceled, os.ErrDeadlineExceeded,
		io.EOF, io.ErrUnexpectedEOF, io.ErrClosedPipe, net.ErrClosed,
		driver.ErrBadConn, sql.ErrConnDone,
		sql.ErrTxDone, // its context ended
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

// unreachableError is the driver's error for a failed connection, in the words of the network. The
// driver adds the user, the database and the address twice.
type unreachableError struct {
	error

	network *net.OpError
}

func (e *unreachableError) Error() string { return e.network.Error() }

func (e *unreachableError) Unwrap() error { return e.error }

// shortenConnectError shortens the text of a failed connection. What the server or TLS refuses
// keeps its text.
func shortenConnectError(err error) error {
	_, connecting := errors.AsType[*pgconn.ConnectError](err)
	network, dialed := errors.AsType[*net.OpError](err)
	if !connecting || !dialed || network.Op != "dial" {
		return err
	}
	return &unreachableError{err, network}
}

// DataError is a Data fault found before the database sees the value.
type DataError struct{ Field, Problem string }

func (e *DataError) Error() string { return e.Field + " " + e.Problem }

// SettingError is a Halt fault of a setting that the database refuses or that cannot work there.
type SettingError struct {
	Setting string // such as "store.token_clear"
	Err     error
	Example string // a statement that works on a table users, or ""
}

func (e *SettingError) Error() string {
	text := fmt.Sprintf("%s cannot work on this database: %v", e.Setting, e.Err)
	if e.Example != "" {
		text += fmt.Sprintf("; set it to a statement for your table, such as %s, or turn it off: %s: off", e.Example, e.Setting)
	}
	return text
}

func (e *SettingError) Unwrap() error { return e.Err }

// TablesError is a Halt fault of Fanfare's own tables.
type TablesError struct {
	Err    error
	Advice string
}

func (e *TablesError) Error() string {
	return fmt.Sprintf("the tables of Fanfare cannot be used: %v; %s", e.Err, e.Advice)
}

func (e *TablesError) Unwrap() error { return e.Err }

// isNoSuchTable reports whether SQLite misses a table. That error has no code of its own.
func isNoSuchTable(err error) bool { return isSQLiteError(err, "no such table") }

// isNoSuchColumn reports whether SQLite misses a column, of a query or of an INSERT.
func isNoSuchColumn(err error) bool {
	return isSQLiteError(err, "no such column") || isSQLiteError(err, "has no column named")
}

func isSQLiteError(err error, text string) bool {
	_, ok := errors.AsType[*sqlite.Error](err)
	return ok && strings.Contains(err.Error(), text)
}

// blameSetting wraps an error that only a change of the setting or of the schema ends.
func blameSetting(setting string, err error) error {
	if _, blamed := errors.AsType[*SettingError](err); blamed || err == nil || !isStatementRefused(err) {
		return err
	}
	return &SettingError{Setting: setting, Err: err}
}

// isStatementRefused reports whether an error is about the statement and not about the connection.
func isStatementRefused(err error) bool {
	if _, ok := errors.AsType[*pgconn.ConnectError](err); ok {
		return false
	}
	if e, ok := errors.AsType[*sqlite.Error](err); ok {
		primary := e.Code() & 0xff
		return primary == sqlite3.SQLITE_ERROR || primary == sqlite3.SQLITE_CONSTRAINT
	}
	return FaultOf(err) != Transient
}
