package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// Tokens returns the tokens of those ids that have one. An id that the column's type cannot hold
// has none. Tokens returns nothing if the query is off.
func (s *Store) Tokens(ctx context.Context, ids []string) (map[string]string, error) {
	tokens, err := s.lookup(ctx, s.o.TokenQuery, ids)
	if err != nil {
		return nil, fmt.Errorf("look up tokens: %w", blameSetting(settingTokenQuery, err))
	}
	return tokens, nil
}

// Profiles returns the profiles, which are JSON objects, of those ids that have one.
func (s *Store) Profiles(ctx context.Context, ids []string) (map[string]json.RawMessage, error) {
	texts, err := s.lookup(ctx, s.o.ProfileQuery, ids)
	if err != nil {
		return nil, fmt.Errorf("look up profiles: %w", blameSetting(settingProfileQuery, err))
	}
	profiles := make(map[string]json.RawMessage, len(texts))
	for id, text := range texts {
		profiles[id] = json.RawMessage(text)
	}
	return profiles, nil
}

// CanRestoreTokens reports whether RestoreTokens has a statement to run.
func (s *Store) CanRestoreTokens() bool { return s.o.TokenRestore != "" }

// RestoreTokens writes addresses, by user, back to users without any, in one transaction. Repeating
// it is harmless. It skips ids that the column's type cannot hold, and does nothing if the
// statement is off.
func (s *Store) RestoreTokens(ctx context.Context, tokens map[string][]string) error {
	if !s.CanRestoreTokens() {
		return nil
	}
	var all []userToken
	for user, addresses := range tokens {
		for _, token := range addresses {
			if len(filterStorable([]string{user, token})) == 2 {
				all = append(all, userToken{user: user, token: token})
			}
		}
	}
	slices.SortFunc(all, compareUserTokens)
	if err := s.withTimeout(ctx, func(ctx context.Context) error { return s.backend.restore(ctx, all) }); err != nil {
		return fmt.Errorf("restore tokens: %w", err)
	}
	return nil
}

// lookup queries a text for each of many ids. Of several rows the last counts.
func (s *Store) lookup(ctx context.Context, query string, ids []string) (map[string]string, error) {
	found := make(map[string]string, len(ids))
	return found, s.lookupRows(ctx, valueQuery(query, func(_ []string, id string, values []sql.NullString) {
		if text := values[1].String; text != "" {
			found[id] = text
		}
	}), ids)
}

// addRow receives a row with its id as it was asked for. values has all columns, the id first.
type addRow func(columns []string, id string, values []sql.NullString)

// lookupQuery is a query for the rows of many ids.
type lookupQuery struct {
	text  string
	check func(asked askedIDs, values []sql.NullString) error // refuses rows of another form
	add   addRow
}

// valueQuery is a query for an id and a value of it.
func valueQuery(text string, add addRow) lookupQuery {
	return lookupQuery{text: text, check: checkValueRow, add: add}
}

// lookupRows queries many ids at once. One id that the database cannot convert to the column's type
// fails the whole query. lookupRows drops such ids, which belong to no user.
func (s *Store) lookupRows(ctx context.Context, q lookupQuery, ids []string) error {
	ids = filterStorable(ids)
	if q.text == "" || len(ids) == 0 {
		return nil
	}
	err := s.queryRows(ctx, q, ids)
	if FaultOf(err) != Data {
		return err
	}
	err = s.withTimeout(ctx, func(ctx context.Context) (err error) {
		ids, err = s.backend.filterConvertible(ctx, q.text, ids)
		return err
	})
	if err != nil {
		return err
	}
	return s.bisect(ctx, q, ids)
}

// bisect queries halves of the ids, and halves of those, down to the ids at fault. It handles
// column types that filterConvertible does not know.
func (s *Store) bisect(ctx context.Context, q lookupQuery, ids []string) error {
	if len(ids) == 0 {
		return nil
	}
	err := s.queryRows(ctx, q, ids)
	if FaultOf(err) != Data {
		return err
	}
	if len(ids) == 1 {
		return nil
	}
	half := len(ids) / 2
	if err := s.bisect(ctx, q, ids[:half]); err != nil {
		return err
	}
	return s.bisect(ctx, q, ids[half:])
}

// queryRows adds the rows of a query once it has succeeded, because a failed one is repeated.
func (s *Store) queryRows(ctx context.Context, q lookupQuery, ids []string) error {
	var columns []string
	var rows [][]sql.NullString
	err := s.withTimeout(ctx, func(ctx context.Context) (err error) {
		columns, rows, err = s.collect(ctx, q, ids)
		return err
	})
	if err != nil {
		return err
	}
	asked := newAskedIDs(ids)
	for _, values := range rows {
		q.add(columns, asked.originalSpelling(values[0].String), values)
	}
	return nil
}

// collect reads all rows, and checks the form of each.
func (s *Store) collect(ctx context.Context, q lookupQuery, ids []string) (columns []string, rows [][]sql.NullString, err error) {
	asked := newAskedIDs(ids)
	err = s.backend.queryNamed(ctx, q.text, []any{s.backend.encodeIDs(ids)}, func(names []string, scan scanFunc) error {
		if columns == nil {
			columns = lowerAll(names)
		}
		values, into := make([]sql.NullString, len(names)), make([]any, len(names))
		for i := range values {
			into[i] = &values[i]
		}
		if err := scan(into...); err != nil {
			return err
		}
		if err := q.check(asked, values); err != nil {
			return err
		}
		rows = append(rows, values)
		return nil
	})
	return columns, rows, err
}

// checkValueRow refuses rows without a value. If the first column holds none of the ids and the
// second does, the query returns the value before the id.
func checkValueRow(asked askedIDs, values []sql.NullString) error {
	if len(values) < minColumns {
		return errOneColumn
	}
	if !asked.has(values[0].String) && asked.has(values[1].String) {
		return errSwapped
	}
	return nil
}

// minColumns are the id and the value.
const minColumns = 2

var errOneColumn = errors.New("returns one column, but must return the id and the value")

func lowerAll(names []string) []string {
	lower := make([]string, len(names))
	for i, name := range names {
		lower[i] = strings.ToLower(name)
	}
	return lower
}

var errSwapped = errors.New("returns the value before the id: swap its columns")

// filterStorable drops the ids that no text column can hold.
func filterStorable(ids []string) []string {
	fit := make([]string, 0, len(ids))
	for _, id := range ids {
		if utf8.ValidString(id) && strings.IndexByte(id, 0) < 0 {
			fit = append(fit, id)
		}
	}
	return fit
}

// askedIDs maps the ids of an answer to the spelling of the question.
type askedIDs struct{ exact, folded map[string]string }

func newAskedIDs(ids []string) askedIDs {
	s := askedIDs{exact: make(map[string]string, len(ids)), folded: make(map[string]string)}
	for _, id := range ids {
		s.exact[id] = id
		s.folded[strings.ToLower(id)] = id
	}
	return s
}

// has reports whether an id was asked for, ignoring case.
func (s askedIDs) has(id string) bool {
	_, exact := s.exact[id]
	_, folded := s.folded[strings.ToLower(id)]
	return exact || folded
}

// originalSpelling returns an id as it was asked for. A uuid column answers in lower case, whatever
// case the question had. A column without case answers in the case that was stored.
func (s askedIDs) originalSpelling(id string) string {
	if asked, ok := s.exact[id]; ok {
		return asked
	}
	if asked, ok := s.folded[strings.ToLower(id)]; ok {
		return asked
	}
	return id
}
