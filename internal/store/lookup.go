package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// Tokens returns the tokens of those ids that have one. An id that the table's type cannot hold has none. It returns
// nothing when the query is turned off.
func (s *Store) Tokens(ctx context.Context, ids []string) (map[string]string, error) {
	tokens, err := s.lookup(ctx, s.o.TokenQuery, ids)
	if err != nil {
		return nil, fmt.Errorf("look up tokens: %w", settingError(settingTokenQuery, err))
	}
	return tokens, nil
}

// Profiles returns the profiles, JSON objects, of those ids that have one, like Tokens.
func (s *Store) Profiles(ctx context.Context, ids []string) (map[string]json.RawMessage, error) {
	texts, err := s.lookup(ctx, s.o.ProfileQuery, ids)
	if err != nil {
		return nil, fmt.Errorf("look up profiles: %w", settingError(settingProfileQuery, err))
	}
	profiles := make(map[string]json.RawMessage, len(texts))
	for id, text := range texts {
		profiles[id] = json.RawMessage(text)
	}
	return profiles, nil
}

// lookup asks for many ids at once. When the database cannot convert one of them to its column's type, the whole query
// fails; the ids that do not fit are no user's and are left out.
func (s *Store) lookup(ctx context.Context, query string, ids []string) (map[string]string, error) {
	found := make(map[string]string, len(ids))
	ids = askable(ids)
	if query == "" || len(ids) == 0 {
		return found, nil
	}
	err := s.ask(ctx, found, query, ids)
	if FaultOf(err) != Data {
		return found, err
	}
	err = s.within(ctx, func(ctx context.Context) (err error) {
		ids, err = s.backend.fitting(ctx, query, ids)
		return err
	})
	if err != nil {
		return nil, err
	}
	return found, s.bisect(ctx, found, query, ids)
}

// bisect asks for halves, and halves of them, down to an id at fault: a column may have a type that we cannot foresee.
func (s *Store) bisect(ctx context.Context, found map[string]string, query string, ids []string) error {
	if len(ids) == 0 {
		return nil
	}
	err := s.ask(ctx, found, query, ids)
	if FaultOf(err) != Data {
		return err
	}
	if len(ids) == 1 {
		return nil
	}
	half := len(ids) / 2
	if err := s.bisect(ctx, found, query, ids[:half]); err != nil {
		return err
	}
	return s.bisect(ctx, found, query, ids[half:])
}

func (s *Store) ask(ctx context.Context, found map[string]string, query string, ids []string) error {
	return s.within(ctx, func(ctx context.Context) error { return s.read(ctx, found, query, ids) })
}

// read notes what each row tells. Where the first column holds none of the ids and the second one does, the query returns the
// value before the id.
func (s *Store) read(ctx context.Context, found map[string]string, query string, ids []string) error {
	asked := spellings(ids)
	return s.backend.query(ctx, query, []any{s.backend.idList(ids)}, func(scan scanFunc) error {
		var id, value sql.NullString
		if err := scan(&id, &value); err != nil {
			return err
		}
		if !asked.has(id.String) && asked.has(value.String) {
			return errSwapped
		}
		if value.String != "" {
			found[asked.of(id.String)] = value.String
		}
		return nil
	})
}

var errSwapped = errors.New("returns the value before the id: swap its columns")

// askable leaves out the ids that no text column can hold.
func askable(ids []string) []string {
	fit := make([]string, 0, len(ids))
	for _, id := range ids {
		if utf8.ValidString(id) && strings.IndexByte(id, 0) < 0 {
			fit = append(fit, id)
		}
	}
	return fit
}
