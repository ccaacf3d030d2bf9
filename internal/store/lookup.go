package store

import (
	"context"
	"database/sql"
	"encoding/json"
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

// lookup asks for many ids at once. When the database cannot convert one of them to its column's type, the whole
// query fails; then halves are asked, down to the id at fault, so that it costs the others nothing but time.
func (s *Store) lookup(ctx context.Context, query string, ids []string) (map[string]string, error) {
	found := make(map[string]string, len(ids))
	if query == "" {
		return found, nil
	}
	return found, s.lookupInto(ctx, found, query, askable(ids))
}

func (s *Store) lookupInto(ctx context.Context, found map[string]string, query string, ids []string) error {
	if len(ids) == 0 {
		return nil
	}
	err := s.ask(ctx, found, query, ids)
	if err == nil || FaultOf(err) != Data {
		return err
	}
	if len(ids) == 1 {
		return nil
	}
	half := len(ids) / 2
	if err := s.lookupInto(ctx, found, query, ids[:half]); err != nil {
		return err
	}
	return s.lookupInto(ctx, found, query, ids[half:])
}

func (s *Store) ask(ctx context.Context, found map[string]string, query string, ids []string) error {
	rows, err := s.db.QueryContext(ctx, query, s.backend.idList(ids))
	if err != nil {
		return err
	}
	defer rows.Close()
	asked := spellings(ids)
	for rows.Next() {
		var id, value sql.NullString
		if err := rows.Scan(&id, &value); err != nil {
			return err
		}
		if value.String != "" {
			found[asked.of(id.String)] = value.String
		}
	}
	return rows.Err()
}

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

// spelling maps ids to the way they were asked for.
type spelling struct{ exact, folded map[string]string }

func spellings(ids []string) spelling {
	s := spelling{exact: make(map[string]string, len(ids)), folded: make(map[string]string)}
	for _, id := range ids {
		s.exact[id] = id
		if lower := strings.ToLower(id); lower != id {
			s.folded[lower] = id
		}
	}
	return s
}

// of returns the id that was asked for. A uuid column answers in lower case, whatever case the question had.
func (s spelling) of(id string) string {
	if asked, ok := s.exact[id]; ok {
		return asked
	}
	if asked, ok := s.folded[strings.ToLower(id)]; ok {
		return asked
	}
	return id
}
