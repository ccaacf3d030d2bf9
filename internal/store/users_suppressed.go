package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/google/uuid"
)

// CanFindSuppressed reports whether Suppressed has a query to run.
func (s *Store) CanFindSuppressed() bool { return s.o.SuppressionQuery != "" }

// Suppressed returns which of the users get no push. An id that the column's type cannot hold is
// not suppressed. A row whose id was not asked for is an error, because the user it means would
// otherwise get a push.
func (s *Store) Suppressed(ctx context.Context, ids []string) (map[string]bool, error) {
	found, asked := make(map[string]bool), newSpellings(ids)
	err := s.lookupRows(ctx, lookupQuery{
		text: s.o.SuppressionQuery,
		check: func(_ askedIDs, values []sql.NullString) error {
			return asked.check(values)
		},
		add: func(_ []string, _ string, values []sql.NullString) {
			for _, id := range asked.find(values[0].String) {
				found[id] = true
			}
		},
	}, ids)
	if err != nil {
		return nil, fmt.Errorf("look up suppressed users: %w", blameSetting(settingSuppressionQuery, err))
	}
	return found, nil
}

// spellings maps the ids of an answer to those of the question. A number or a uuid may return in
// another spelling than it was asked for.
type spellings struct {
	exact map[string]bool
	other map[string][]string // by their usual spelling
}

func newSpellings(ids []string) spellings {
	s := spellings{exact: make(map[string]bool, len(ids)), other: make(map[string][]string)}
	for _, id := range ids {
		s.exact[id] = true
		usual := usualSpelling(id)
		s.other[usual] = append(s.other[usual], id)
	}
	return s
}

// usualSpelling returns what all spellings of an id share in a column of numbers, of uuids or of
// text without case.
func usualSpelling(id string) string {
	id = strings.ToLower(strings.TrimSpace(id))
	if parsed, err := uuid.Parse(id); err == nil {
		return parsed.String()
	}
	if digits := strings.TrimPrefix(id, "+"); digits != "" && strings.Trim(digits, "0123456789") == "" {
		id = strings.TrimLeft(digits[:len(digits)-1], "0") + digits[len(digits)-1:]
	}
	return id
}

// find returns the ids that an answer means.
func (s spellings) find(answer string) []string {
	if s.exact[answer] {
		return []string{answer}
	}
	return s.other[usualSpelling(answer)]
}

var errSeveralColumns = errors.New("returns several columns, but must return one, the id: each row is a suppressed user")

// check refuses a row that names none of the users. Without an id it names no one.
func (s spellings) check(values []sql.NullString) error {
	switch answer := values[0].String; {
	case len(values) > 1:
		return errSeveralColumns
	case answer == "" || len(s.find(answer)) > 0:
		return nil
	default:
		return fmt.Errorf("returns the id %.100q, which is not among those in $1: compare $1 with the column that it returns", answer)
	}
}
