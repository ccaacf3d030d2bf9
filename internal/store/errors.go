package store

import (
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// DataError is a Data fault that we found before the database did.
type DataError struct{ Field, Problem string }

func (e *DataError) Error() string { return e.Field + " " + e.Problem }

// SettingError is a Halt fault of a setting: the database refuses it, or it cannot do its work there.
type SettingError struct {
	Setting string // such as "store.token_clear"
	Err     error
	Form    string // a statement that works with a table of users; may be empty
}

func (e *SettingError) Error() string {
	text := fmt.Sprintf("%s cannot work on this database: %v", e.Setting, e.Err)
	if e.Form != "" {
		text += fmt.Sprintf("; set it to a statement for your table, such as %s, or turn it off: %s: off", e.Form, e.Setting)
	}
	return text
}

func (e *SettingError) Unwrap() error { return e.Err }

// TablesError is a Halt fault of our own tables.
type TablesError struct {
	Err    error
	Advice string
}

func (e *TablesError) Error() string {
	return fmt.Sprintf("the tables of Fanfare cannot be used: %v; %s", e.Err, e.Advice)
}

func (e *TablesError) Unwrap() error { return e.Err }

// noSuchTable reports SQLite's error for a table that is not there, which has no code of its own.
func noSuchTable(err error) bool {
	_, ok := errors.AsType[*sqlite.Error](err)
	return ok && strings.Contains(err.Error(), "no such table")
}

// settingError blames the setting for an error that only a change of it, or of the schema, will end.
func settingError(setting string, err error) error {
	if _, blamed := errors.AsType[*SettingError](err); blamed || err == nil || !statementRefused(err) {
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
