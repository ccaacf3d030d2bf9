package store

import (
	"maps"
	"testing"
)

func restore(t *testing.T, s *Store, tokens map[string]string) {
	t.Helper()
	if err := s.RestoreTokens(t.Context(), tokens); err != nil {
		t.Fatal(err)
	}
}

func TestAClearedTokenIsRestoredWhateverTheTypeOfTheIDs(t *testing.T) {
	for _, table := range usersTables {
		t.Run(table.name, func(t *testing.T) {
			onBoth(t, DefaultOptions(), func(t *testing.T, s *Store) {
				table.users(t, s)
				back := maps.Clone(table.known)
				for id, token := range table.known {
					apply(t, s, removed(id, "1", token))
				}
				for _, id := range append([]string{"with\x00nul", "not \xff utf-8"}, table.strange...) {
					back[id] = "t1" // they must not spoil it for the others
				}
				for range 2 {
					restore(t, s, back)
					if got := storedTokens(t, s); !maps.Equal(got, table.known) {
						t.Errorf("tokens are %q, want %q", got, table.known)
					}
				}
			})
		})
	}
}

func TestOnlyAnEmptyPlaceIsRestored(t *testing.T) {
	onBoth(t, DefaultOptions(), func(t *testing.T, s *Store) {
		usersTable{idType: "text", known: map[string]string{"refreshed": "new", "emptied": "", "spoiled": ""}}.users(t, s)
		restore(t, s, map[string]string{"refreshed": "old", "emptied": "back", "stranger": "t", "spoiled": "a\x00b"})
		want := map[string]string{"refreshed": "new", "emptied": "back", "spoiled": ""}
		if got := storedTokens(t, s); !maps.Equal(got, want) {
			t.Errorf("tokens are %q, want %q", got, want)
		}
	})
}

// A result that was on its way when its token was restored clears it again: the row does not tell when it was restored.
func TestALateResultClearsARestoredToken(t *testing.T) {
	onBoth(t, DefaultOptions(), func(t *testing.T, s *Store) {
		usersTable{idType: "text", known: map[string]string{"u": ""}}.users(t, s)
		late := removed("u", "1", "t")
		restore(t, s, map[string]string{"u": "t"})
		apply(t, s, late)
		if got := storedTokens(t, s)["u"]; got != "" {
			t.Errorf("the token is %q", got)
		}
	})
}

func TestRestoringIsOffWithAClearingOfOnesOwn(t *testing.T) {
	const ownClear = `UPDATE people SET token = NULL WHERE id = $1 AND token = $2`
	const ownRestore = `UPDATE people SET token = $2 WHERE id = $1 AND token IS NULL`
	for name, c := range map[string]struct {
		o    Options
		want string
	}{
		"both by default":     {Options{TokenClear: Default, TokenRestore: Default}, "new"},
		"clearing of its own": {Options{TokenClear: ownClear, TokenRestore: Default}, ""},
		"clearing off":        {Options{TokenRestore: Default}, ""},
		"both of its own":     {Options{TokenClear: ownClear, TokenRestore: ownRestore}, "own"},
		"off":                 {Options{TokenClear: Default}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			onBoth(t, c.o, func(t *testing.T, s *Store) {
				execute(t, s, `CREATE TABLE users (id text, fcm_token text)`, `CREATE TABLE people (id text, token text)`,
					`INSERT INTO users VALUES ('u', NULL)`, `INSERT INTO people VALUES ('u', NULL)`)
				restore(t, s, map[string]string{"u": "t"})
				var users, people string
				err := plain(t, s).QueryRowContext(t.Context(), `SELECT coalesce(u.fcm_token, ''), coalesce(p.token, '') FROM users u, people p`).Scan(&users, &people)
				if err != nil {
					t.Fatal(err)
				}
				if got := map[string]string{"t": "new"}[users] + map[string]string{"t": "own"}[people]; got != c.want {
					t.Errorf("restored in %q, want %q", got, c.want)
				}
				if s.RestoresTokens() != (c.want != "") {
					t.Errorf("it says %v", s.RestoresTokens())
				}
			})
		})
	}
}

func TestARestoringStatementThatDoesNotSuitNamesItsSetting(t *testing.T) {
	onBoth(t, DefaultOptions(), func(t *testing.T, s *Store) {
		checkSetting(t, s.RestoreTokens(t.Context(), map[string]string{"u": "t"}), "store.token_restore")
	})
}
