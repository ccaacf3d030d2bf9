package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5/pgconn"
)

// errSeveral refuses a text with more than one statement.
var errSeveral = errors.New("holds more than one statement")

// CheckQueries reports whether the database understands the queries for tokens and profiles, lets us run them, and answers
// in the form that is needed. What is wrong with one is a *SettingError.
func (s *Store) CheckQueries(ctx context.Context) error {
	return s.check(ctx, s.o.querying(), s.o.profiling())
}

// CheckWrites is CheckQueries for what Apply runs: the clearing of tokens, and the statements over our own tables, which
// Migrate has made.
func (s *Store) CheckWrites(ctx context.Context) error {
	if err := s.checkTables(ctx); err != nil {
		return err
	}
	return s.check(ctx, s.clearing())
}

// clearing is the statement that clears tokens, if there is one. The default's is left out where tokens come from Redis only and
// there is no table users: nothing says that SQL has tokens.
func (s *Store) clearing() statement {
	if s.clearingOff.Load() {
		return statement{settingTokenClear, ""}
	}
	return s.o.clearing()
}

// check describes statements, and looks at each for a proof that it cannot work.
func (s *Store) check(ctx context.Context, statements ...statement) error {
	var errs []error
	for _, one := range statements {
		if one.text == "" {
			continue
		}
		err := s.checkOne(ctx, one)
		if s.o.guessed && !one.isQuery() && isMissing(err) {
			s.clearingOff.Store(true)
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
	if one.several() {
		return &SettingError{Setting: one.setting, Err: errSeveral, Form: s.form(one.setting)}
	}
	var d description
	err := s.within(ctx, func(ctx context.Context) (err error) {
		d, err = s.backend.describe(ctx, one.text)
		return err
	})
	if err == nil {
		if problem := one.problem(d); problem != "" {
			err = &SettingError{Setting: one.setting, Err: errors.New(problem)}
		}
	}
	err = settingError(one.setting, err)
	if wrong, ok := errors.AsType[*SettingError](err); ok && wrong.Setting == one.setting {
		wrong.Form = s.form(one.setting)
	}
	return err
}

// form is a statement that works with a table of users.
func (s *Store) form(setting string) string {
	switch setting {
	case settingTokenClear:
		return defaultTokenClear
	case settingTokenRestore:
		return defaultTokenRestore
	case settingProfileQuery:
		return s.backend.profileForm()
	default:
		return s.backend.tokenForm()
	}
}

// isMissing reports that there is no such table.
func isMissing(err error) bool {
	e, ok := errors.AsType[*pgconn.PgError](err)
	return ok && e.Code == "42P01" || err != nil && noSuchTable(err)
}

// checkTables reports whether our own tables are there and may be written: that a version is noted says only that they once
// were made.
func (s *Store) checkTables(ctx context.Context) error {
	for _, text := range s.backend.ownStatements() {
		err := s.within(ctx, func(ctx context.Context) error {
			_, err := s.backend.describe(ctx, text)
			return err
		})
		if err != nil {
			return tablesError(err)
		}
	}
	return nil
}

func tablesError(err error) error {
	switch {
	case isMissing(err):
		return &TablesError{Err: err, Advice: tablesAdvice}
	case RefusalOf(err) == Denied:
		return &TablesError{Err: err, Advice: "let its user select, insert and update in the tables that begin with fanfare_"}
	}
	return fmt.Errorf("look at our own tables: %w", err)
}

const tablesAdvice = "a table was removed after it was made: restore it, or drop all that begins with fanfare_, " +
	"tables and functions, to have it made again at the start of a responder"
