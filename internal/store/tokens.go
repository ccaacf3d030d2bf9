package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
)

// RestoresTokens tells whether RestoreTokens has a statement to run.
func (s *Store) RestoresTokens() bool { return s.o.TokenRestore != "" }

// RestoreTokens gives users their tokens (by user) back where they have none, all in one transaction; repeating it is
// harmless. A user whose id the table's type cannot hold is not in the table. It does nothing when the statement is
// turned off.
func (s *Store) RestoreTokens(ctx context.Context, tokens map[string]string) error {
	if !s.RestoresTokens() {
		return nil
	}
	var all []userToken
	for user, token := range tokens {
		if len(askable([]string{user, token})) == 2 {
			all = append(all, userToken{user: user, token: token})
		}
	}
	slices.SortFunc(all, byUser)
	if err := s.within(ctx, func(ctx context.Context) error { return s.backend.restore(ctx, all) }); err != nil {
		return fmt.Errorf("restore tokens: %w", err)
	}
	return nil
}

func (f *sqliteFile) restore(ctx context.Context, tokens []userToken) error {
	tx, err := f.writer.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // does nothing after Commit
	if err := f.each(ctx, tx, f.restoring, tokens); err != nil {
		return err
	}
	return tx.Commit()
}

// each runs a statement for each token.
func (f *sqliteFile) each(ctx context.Context, tx *sql.Tx, s statement, tokens []userToken) error {
	for _, t := range tokens {
		if _, err := tx.ExecContext(ctx, s.text, t.user, t.token); err != nil {
			return settingError(s.setting, err)
		}
	}
	return nil
}
