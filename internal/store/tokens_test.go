package store

import (
	"errors"
	"fmt"
	"maps"
	"sync"
	"testing"

	"fanfare/internal/notification"
)

// removed returns the result of FCM's UNREGISTERED.
func removed(user, id, token string) notification.Result {
	r := outcome("42", user, id, notification.StatusFailed)
	r.TokenRemoved, r.Token = true, token
	return r
}

// storedTokens reads the table users. A cleared token is "".
func storedTokens(t *testing.T, s *Store) map[string]string {
	t.Helper()
	rows, err := plain(t, s).QueryContext(t.Context(), `SELECT id, coalesce(fcm_token, '') FROM users`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	tokens := map[string]string{}
	for rows.Next() {
		var id, token string
		if err := rows.Scan(&id, &token); err != nil {
			t.Fatal(err)
		}
		tokens[id] = token
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return tokens
}

func TestADeadTokenIsClearedWhateverTheTypeOfTheIDs(t *testing.T) {
	t.Parallel()
	for _, table := range usersTables {
		t.Run(table.name, func(t *testing.T) {
			onBoth(t, DefaultOptions(), func(t *testing.T, s *Store) {
				table.users(t, s)
				want := maps.Clone(table.known)
				var results []notification.Result
				for id, token := range table.known {
					results, want[id] = append(results, removed(id, "1", token)), ""
				}
				for _, id := range table.strange { // they must not affect the others
					results = append(results, removed(id, "1", "t1"))
				}
				apply(t, s, results...)
				if got := storedTokens(t, s); !maps.Equal(got, want) {
					t.Errorf("tokens are %q, want %q", got, want)
				}
				if summary, err := s.Summary(t.Context(), "42"); err != nil || summary.Total() != int64(len(results)) {
					t.Errorf("%d outcomes (%v), want %d", summary.Total(), err, len(results))
				}
			})
		})
	}
}

func TestOnlyTheTokenThatWasRemovedIsCleared(t *testing.T) {
	t.Parallel()
	onBoth(t, DefaultOptions(), func(t *testing.T, s *Store) {
		usersTable{idType: "text", known: map[string]string{"refreshed": "new", "kept": "k", "worse": "w"}}.users(t, s)
		kept := removed("kept", "2", "k")
		kept.TokenRemoved = false
		apply(t, s, outcome("42", "worse", "3", notification.StatusSent))
		// The result for "worse" changes no row, but the token is proved dead nevertheless.
		apply(t, s, removed("refreshed", "1", "old"), kept, removed("worse", "3", "w"), removed("worse", "4", ""))
		want := map[string]string{"refreshed": "new", "kept": "k", "worse": ""}
		if got := storedTokens(t, s); !maps.Equal(got, want) {
			t.Errorf("tokens are %q, want %q", got, want)
		}
	})
}

func TestClearingCanBeOff(t *testing.T) {
	t.Parallel()
	onBoth(t, Options{TokenQuery: Default}, func(t *testing.T, s *Store) {
		usersTable{idType: "text", known: map[string]string{"u": "t"}}.users(t, s)
		apply(t, s, removed("u", "1", "t"))
		if got := storedTokens(t, s); got["u"] != "t" {
			t.Errorf("the token was cleared, to %q", got["u"])
		}
	})
}

func TestAClearingStatementThatDoesNotSuitHaltsAndWritesNothing(t *testing.T) {
	t.Parallel()
	for name, schema := range map[string]string{
		"no such table":     `CREATE TABLE people (id text)`,
		"token is NOT NULL": `CREATE TABLE users (id text, fcm_token text NOT NULL)`,
	} {
		t.Run(name, func(t *testing.T) {
			onBoth(t, DefaultOptions(), func(t *testing.T, s *Store) {
				execute(t, s, schema)
				if name != "no such table" {
					insertUser(t, s, "u", "t")
				}
				err := s.Apply(t.Context(), []notification.Result{removed("u", "1", "t"), outcome("42", "v", "2", notification.StatusSent)})
				checkSetting(t, err, "store.token_clear")
				checkCampaign(t.Context(), t, s, "42", nil)
				apply(t, s, outcome("42", "v", "2", notification.StatusSent)) // without a token to clear, nothing halts
			})
		})
	}
}

// A batch that SQL refuses clears no token either.
func TestARefusedBatchLeavesNothing(t *testing.T) {
	t.Parallel()
	onBoth(t, DefaultOptions(), func(t *testing.T, s *Store) {
		usersTable{idType: "text", known: map[string]string{"a": "t"}}.users(t, s)
		refuseUser(t, s, "poison")
		good := []notification.Result{removed("a", "1", "t"), outcome("42", "z", "2", notification.StatusSent)}
		err := s.Apply(t.Context(), append(good, outcome("42", "poison", "3", notification.StatusSent)))
		if FaultOf(err) != Data {
			t.Fatalf("got %v (%v), want a data fault", err, FaultOf(err))
		}
		if _, blamed := errors.AsType[*SettingError](err); blamed {
			t.Errorf("%v blames a setting", err)
		}
		checkCampaign(t.Context(), t, s, "42", nil)
		if got := storedTokens(t, s); got["a"] != "t" {
			t.Errorf("the token was cleared, to %q", got["a"])
		}
		apply(t, s, good...)
	})
}

// refuseUser makes the database refuse rows of one user.
func refuseUser(t *testing.T, s *Store, user string) {
	t.Helper()
	if onPostgres(s) {
		execute(t, s, `ALTER TABLE fanfare_deliveries ADD CHECK (user_id <> '`+user+`')`)
		return
	}
	execute(t, s, `CREATE TRIGGER refuse BEFORE INSERT ON fanfare_deliveries WHEN new.user_id = '`+user+`'
		BEGIN SELECT RAISE(ABORT, 'refused'); END`)
}

// A trimmed token is cleared in the table's spelling. A value that cannot be a token was never
// proved dead.
func TestOnlyTokensAreCleared(t *testing.T) {
	t.Parallel()
	onBoth(t, DefaultOptions(), func(t *testing.T, s *Store) {
		table := usersTable{idType: "text", known: map[string]string{"crlf": "t1\r\n", "clean": "t2", "other": "t3\r\n", "spaced": "two words", "word": "null"}}
		table.users(t, s)
		apply(t, s, removed("crlf", "1", "t1\r\n"), removed("clean", "1", "t2\r\n"), removed("other", "1", "t3"),
			removed("spaced", "1", "two words"), removed("word", "1", "null"))
		want := map[string]string{"crlf": "", "clean": "", "other": "t3\r\n", "spaced": "two words", "word": "null"}
		if got := storedTokens(t, s); !maps.Equal(got, want) {
			t.Errorf("tokens are %q, want %q", got, want)
		}
	})
}

func restore(t *testing.T, s *Store, tokens map[string]string) {
	t.Helper()
	all := make(map[string][]string, len(tokens))
	for user, token := range tokens {
		all[user] = []string{token}
	}
	if err := s.RestoreTokens(t.Context(), all); err != nil {
		t.Fatal(err)
	}
}

func TestAClearedTokenIsRestoredWhateverTheTypeOfTheIDs(t *testing.T) {
	t.Parallel()
	for _, table := range usersTables {
		t.Run(table.name, func(t *testing.T) {
			onBoth(t, DefaultOptions(), func(t *testing.T, s *Store) {
				table.users(t, s)
				back := maps.Clone(table.known)
				for id, token := range table.known {
					apply(t, s, removed(id, "1", token))
				}
				for _, id := range append([]string{"with\x00nul", "not \xff utf-8"}, table.strange...) {
					back[id] = "t1" // they must not affect the others
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
	t.Parallel()
	onBoth(t, DefaultOptions(), func(t *testing.T, s *Store) {
		usersTable{idType: "text", known: map[string]string{"refreshed": "new", "emptied": "", "spoiled": ""}}.users(t, s)
		restore(t, s, map[string]string{"refreshed": "old", "emptied": "back", "stranger": "t", "spoiled": "a\x00b"})
		want := map[string]string{"refreshed": "new", "emptied": "back", "spoiled": ""}
		if got := storedTokens(t, s); !maps.Equal(got, want) {
			t.Errorf("tokens are %q, want %q", got, want)
		}
	})
}

// Two restores of the same users lock rows in one order, so they cannot deadlock.
func TestConcurrentRestoresDoNotFail(t *testing.T) {
	t.Parallel()
	onBoth(t, DefaultOptions(), func(t *testing.T, s *Store) {
		const workers, users = 4, 300
		known, back := make(map[string]string), make(map[string][]string)
		for i := range users {
			user := fmt.Sprint(i)
			known[user], back[user] = "", []string{"token " + user}
		}
		usersTable{idType: "text", known: known}.users(t, s)
		for range 5 {
			execute(t, s, `UPDATE users SET fcm_token = NULL`)
			var working sync.WaitGroup
			for range workers {
				working.Go(func() {
					if err := s.RestoreTokens(t.Context(), back); err != nil {
						t.Error(err)
					}
				})
			}
			working.Wait()
		}
		if got := storedTokens(t, s); got["7"] != "token 7" || len(got) != users {
			t.Errorf("%d users, of whom 7 has %q", len(got), got["7"])
		}
	})
}

// A result that was in flight when its token was restored clears it again. The row does not record
// the restoration.
func TestALateResultClearsARestoredToken(t *testing.T) {
	t.Parallel()
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

func TestRestoringIsOffWithCustomClearing(t *testing.T) {
	t.Parallel()
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
				if s.CanRestoreTokens() != (c.want != "") {
					t.Errorf("it says %v", s.CanRestoreTokens())
				}
			})
		})
	}
}

func TestARestoringStatementThatDoesNotSuitNamesItsSetting(t *testing.T) {
	t.Parallel()
	onBoth(t, DefaultOptions(), func(t *testing.T, s *Store) {
		checkSetting(t, s.RestoreTokens(t.Context(), map[string][]string{"u": {"t"}}), "store.token_restore")
	})
}
