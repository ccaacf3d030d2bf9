package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5/pgconn"
)

// errSeveral is the problem of a text with more than one statement.
var errSeveral = errors.New("contains more than one statement")

// CheckQueries checks that the database understands the queries for tokens, profiles and suppressed
// users and permits them. It also checks the form of their rows. A faulty query is a *SettingError.
func (s *Store) CheckQueries(ctx context.Context) error {
	return s.check(ctx, s.o.tokenQuery(), s.o.profileQuery(), s.o.suppressionQuery())
}

// CheckWrites checks the statements that Apply runs: those over Fanfare's tables, which Migrate
// created, and the clearing of tokens.
func (s *Store) CheckWrites(ctx context.Context) error {
	if err := s.checkTables(ctx); err != nil {
		return err
	}
	return s.check(ctx, s.tokenClear())
}

// tokenClear returns the statement that clears tokens, or none. The default statement is off if
// there is no table users and TokenQuery is off: then SQL holds no tokens.
func (s *Store) tokenClear() statement {
	if s.clearOff.Load() {
		return statement{settingTokenClear, ""}
	}
	return s.o.tokenClear()
}

// check describes statements and collects the problems that it can prove.
func (s *Store) check(ctx context.Context, statements ...statement) error {
	var errs []error
	for _, one := range statements {
		if one.text == "" {
			continue
		}
		err := s.checkOne(ctx, one)
		if s.o.optionalClear && !one.isQuery() && isMissing(err) {
			s.clearOff.Store(true)
			s.o.Logger.Info("dead tokens are not cleared in SQL; store.token_query is off, and there is no table users")
			continue
		}
		if FaultOf(err) == Transient {
			return err
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

func (s *Store) checkOne(ctx context.Context, one statement) error {
	if one.hasSeveral() {
		return &SettingError{Setting: one.setting, Err: errSeveral, Example: s.exampleStatement(one.setting)}
	}
	var d description
	err := s.withTimeout(ctx, func(ctx context.Context) (err error) {
		d, err = s.backend.describe(ctx, one.text)
		return err
	})
	if err == nil {
		if problem := one.findProblem(d); problem != "" {
			err = &SettingError{Setting: one.setting, Err: errors.New(problem)}
		}
	}
	err = blameSetting(one.setting, err)
	if wrong, ok := errors.AsType[*SettingError](err); ok && wrong.Setting == one.setting {
		wrong.Example = s.exampleStatement(one.setting)
	}
	return err
}

// exampleStatement returns a statement that works on a table users.
func (s *Store) exampleStatement(setting string) string {
	switch setting {
	case settingTokenClear:
		return defaultTokenClear
	case settingTokenRestore:
		return defaultTokenRestore
	case settingProfileQuery:
		return s.backend.exampleProfileQuery()
	case settingSuppressionQuery:
		return "SELECT id FROM opt_outs WHERE id " + s.backend.inIDs()
	default:
		return s.backend.exampleTokenQuery()
	}
}

// isMissing reports whether a table does not exist.
func isMissing(err error) bool {
	e, ok := errors.AsType[*pgconn.PgError](err)
	return ok && e.Code == "42P01" || err != nil && isNoSuchTable(err)
}

// isColumnMissing reports whether a table is of an older version and lacks a column.
func isColumnMissing(err error) bool {
	e, ok := errors.AsType[*pgconn.PgError](err)
	return ok && e.Code == "42703" || err != nil && isNoSuchColumn(err)
}

// checkTables checks that Fanfare's tables exist and may be written. A recorded version proves only
// that they were created once.
func (s *Store) checkTables(ctx context.Context) error {
	for _, text := range s.backend.ownStatements() {
		err := s.withTimeout(ctx, func(ctx context.Context) error {
			_, err := s.backend.describe(ctx, text)
			return err
		})
		if err != nil {
			return blameTables(err)
		}
	}
	return nil
}

func blameTables(err error) error {
	switch {
	case isMissing(err):
		return &TablesError{Err: err, Advice: tablesAdvice}
	case isColumnMissing(err):
		return &TablesError{Err: err, Advice: "start a responder, which updates them"}
	case RefusalOf(err) == Denied:
		return &TablesError{Err: err, Advice: "grant the database user SELECT, INSERT and UPDATE on the tables that begin with fanfare_"}
	}
	return fmt.Errorf("check the tables of Fanfare: %w", err)
}

const tablesAdvice = "a table was dropped after it was created: restore it, or drop all tables and functions that " +
	"begin with fanfare_; the next responder that starts creates them again"
