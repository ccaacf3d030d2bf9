package store

import (
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// DataError is a Data fault that we found before the database did.
type DataError struct{ Field, Problem string }

func (e *DataError) Error() string { return e.Field + " " + e.Problem }

// SettingError is a Halt fault of a configured statement.
type SettingError struct {
	Setting string // such as "store.token_clear"
	Err     error
}

func (e *SettingError) Error() string {
	return fmt.Sprintf("%s does not suit this database, change the setting or turn it off: %v", e.Setting, e.Err)
}

func (e *SettingError) Unwrap() error { return e.Err }

// settingError blames the setting for an error that nothing but a change of it, or of the schema, will mend.
func settingError(setting string, err error) error {
	if err == nil || !statementRefused(err) {
		return err
	}
	return &SettingError{Setting: setting, Err: err}
}

// statementRefused tells an error about a statement from one about the way to the database.
func statementRefused(err error) bool {
	if _, ok := errors.AsType[*pgconn.ConnectError](err); ok {
		return false
	}
	if e, ok := errors.AsType[*sqlite.Error](err); ok {
		primary := e.Code() & 0xff
		return primary == sqlite3.SQLITE_ERROR || primary == sqlite3.SQLITE_CONSTRAINT
	}
	return FaultOf(err) != Transient
}
