package store

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

// broken are statements that cannot work over users(id, fcm_token, profile), with the expected
// problem. $ids stands for each database's condition on the ids.
var broken = []struct {
	setting, text, says string
	only                string // the database that can detect it; "" means both
}{
	{settingTokenQuery, `SELECT id, fcm_token FROM people WHERE id $ids`, "people", ""},
	{settingTokenQuery, `SELECT id, push_token FROM users WHERE id $ids`, "push_token", ""},
	{settingTokenQuery, `SELECT fcm_token FROM users WHERE id $ids`, "returns one column, but must return two", ""},
	{settingTokenQuery, `SELECT id, fcm_token, profile FROM users WHERE id $ids`, `the column "profile", which is not one of fid, kind`, ""},
	{settingTokenQuery, `SELECT fcm_token, id FROM users WHERE id $ids`, "returns the token before the id", ""},
	{settingTokenQuery, `SELECT u.fcm_token AS token, u.id AS user_id FROM users u WHERE u.id $ids`, "returns the token before the id", ""},
	{settingTokenQuery, `SELECT fcm_token, name FROM (SELECT id AS name, fcm_token FROM users) AS n WHERE name $ids`, "returns the token before the id", ""},
	{settingTokenQuery, `SELECT id, fcm_token FROM users WHERE id IN ($1)`, "takes one id", ""},
	{settingTokenQuery, `SELECT id, fcm_token FROM users WHERE id = $1`, "takes one id", ""},
	{settingTokenQuery, `SELECT id, fcm_token FROM numbers WHERE id IN ($1)`, "takes one id", ""},
	{settingTokenQuery, `SELECT id, fcm_token FROM users WHERE id IN ($1, $2)`, "has 2 parameters, but needs one", ""},
	{settingTokenQuery, `SELECT id, fcm_token FROM users`, "has no parameter, but needs one", ""},
	{settingTokenQuery, `SELECT id, fcm_token FROM users WHERE id $ids; SELECT 1`, "more than one statement", ""},
	{settingTokenQuery, `UPDATE users SET fcm_token = NULL WHERE id $ids RETURNING id, fcm_token`, "changes rows", ""},
	{settingTokenQuery, `SELECT id, fcm_token FORM users WHERE id $ids`, "syntax", ""},
	{settingTokenQuery, `SELECT id, number FROM numbers WHERE id::text $ids`, "returns integer in its second column", "postgres"},
	{settingTokenQuery, `SELECT id, array_agg(fcm_token) FROM users WHERE id $ids GROUP BY id`, "text[]", "postgres"},
	{settingTokenQuery, `WITH gone AS (DELETE FROM users WHERE id $ids RETURNING *) SELECT id, fcm_token FROM gone`, "changes rows", "postgres"},
	{settingTokenQuery, `SELECT id, fcm_token FROM numbers WHERE id = $1`, "takes one id", ""},
	{settingProfileQuery, `SELECT profile, id FROM users WHERE id $ids`, "returns the profile before the id", ""},
	{settingProfileQuery, `SELECT profile FROM users WHERE id $ids`, "the id, then the profile", ""},
	{settingSuppressionQuery, `SELECT id, fcm_token FROM users WHERE id $ids`, "returns 2 columns, but must return one, the id", ""},
	{settingSuppressionQuery, `SELECT id FROM users WHERE id = $1`, "takes one id", ""},
	{settingSuppressionQuery, `DELETE FROM users WHERE id $ids RETURNING id`, "changes rows", ""},
	{settingSuppressionQuery, `SELECT id FROM opt_outs WHERE id $ids`, "opt_outs", ""},
	{settingTokenClear, `UPDATE people SET fcm_token = NULL WHERE id = $1 AND fcm_token = $2`, "people", ""},
	{settingTokenClear, `UPDATE users SET fcm_token = NULL WHERE id = $1`, "has one parameter, but needs two", ""},
	{settingTokenClear, `UPDATE users SET fcm_token = NULL`, "has no parameter, but needs two", ""},
	{settingTokenClear, `UPDATE users SET fcm_token = NULL WHERE fcm_token = $1 AND id = $2`, "compares a token with $1", ""},
	{settingTokenClear, `UPDATE numbers SET fcm_token = NULL WHERE fcm_token = $1 AND id = $2`, "$1 is the user", ""},
	{settingTokenClear, `UPDATE users SET fcm_token = NULL WHERE id = ANY($1) AND fcm_token = $2`, "array in $1", "postgres"},
	{settingTokenClear, `UPDATE users SET fcm_token = NULL WHERE id = $1 AND fcm_token = $2; DROP TABLE users`, "more than one statement", ""},
	{settingTokenClear, `DO $$BEGIN DELETE FROM users; END$$`, "has no parameter, but needs two", "postgres"},
	{settingTokenClear, `SELECT $1, $2`, "changes no row: use an UPDATE or a DELETE", ""},
	{settingTokenClear, `SELECT count(*) FROM users WHERE id = $1 AND fcm_token = $2`, "changes no row", ""},
	{settingTokenClear, `WITH u AS (SELECT id FROM users WHERE id = $1) SELECT id FROM u WHERE id <> $2 || 'UPDATE users (x)'`, "changes no row", ""},
	{settingTokenRestore, `SELECT id FROM users WHERE id = $1 AND fcm_token = $2`, "changes no row", ""},
	{settingTokenRestore, `UPDATE users SET push = $2 WHERE id = $1`, "push", ""},
}

func options(setting, text string) Options {
	o := Options{}
	*map[string]*string{
		settingTokenQuery: &o.TokenQuery, settingProfileQuery: &o.ProfileQuery, settingTokenClear: &o.TokenClear, settingTokenRestore: &o.TokenRestore, settingSuppressionQuery: &o.SuppressionQuery,
	}[setting] = text
	return o.resolve("")
}

// in returns a statement for one kind of database.
func in(s *Store, text string) string {
	ids := `IN (SELECT value FROM json_each($1))`
	if onPostgres(s) {
		ids = `= ANY($1)`
	}
	return strings.ReplaceAll(text, "$ids", ids)
}

func TestCheckFindsStatementsThatCannotWork(t *testing.T) {
	t.Parallel()
	onBoth(t, Options{}, func(t *testing.T, s *Store) {
		execute(t, s, `CREATE TABLE users (id text PRIMARY KEY, fcm_token text, profile text)`,
			`CREATE TABLE numbers (id bigint PRIMARY KEY, fcm_token text, number integer)`, `INSERT INTO users (id, fcm_token) VALUES ('u', 't')`)
		for _, c := range broken {
			if c.only == "postgres" && !onPostgres(s) {
				continue
			}
			s.o = options(c.setting, in(s, c.text))
			err := s.Check(t.Context())
			wrong, ok := errors.AsType[*SettingError](err)
			if !ok || wrong.Setting != c.setting || !strings.Contains(err.Error(), c.says) || RefusalOf(err) != Misconfigured || FaultOf(err) != Halt {
				t.Errorf("%s: %s\ngot %v (%d), want a setting error with %q", c.setting, in(s, c.text), err, RefusalOf(err), c.says)
				continue
			}
			if !strings.Contains(err.Error(), s.exampleStatement(c.setting)) {
				t.Errorf("%s shows no statement that works: %v", c.setting, err)
			}
		}
		if got := storedTokens(t, s); got["u"] != "t" {
			t.Errorf("a check changed the table: %v", got)
		}
	})
}

func TestCheckAcceptsStatementsThatMayWork(t *testing.T) {
	t.Parallel()
	onBoth(t, DefaultOptions(), func(t *testing.T, s *Store) {
		execute(t, s, `CREATE TABLE users (id text PRIMARY KEY, fcm_token text, profile text)`)
		texts := []string{
			`SELECT id, fcm_token FROM users WHERE id $ids;`,
			`SELECT id, fcm_token FROM users WHERE id $ids -- ; a comment`,
			`SELECT id AS token_user, fcm_token FROM users WHERE id $ids AND fcm_token <> ';'`,
			`WITH u AS (SELECT * FROM users) SELECT id, fcm_token FROM u WHERE id $ids`,
			`SELECT id, max(fcm_token) FROM users WHERE id $ids GROUP BY id`,
			`SELECT fcm_token, fcm_token FROM users WHERE fcm_token $ids`,
		}
		clears := []string{
			`UPDATE users SET fcm_token = NULL WHERE id = $1 AND fcm_token = $2`, `DELETE FROM users WHERE fcm_token = $2 AND id = $1`,
			`INSERT INTO users (id, profile) VALUES ($1, $2)`, `UPDATE users SET fcm_token = NULL WHERE id = $1 AND fcm_token = $2 RETURNING id`,
			`WITH u AS (SELECT $1 AS id) DELETE FROM users WHERE id IN (SELECT id FROM u) AND fcm_token = $2`,
		}
		if onPostgres(s) {
			execute(t, s, `CREATE TABLE numbers (id bigint PRIMARY KEY, fcm_token varchar(300), profile jsonb, uuid uuid)`,
				`CREATE FUNCTION clear_token(text, text) RETURNS void LANGUAGE sql AS 'UPDATE users SET fcm_token = NULL WHERE id = $1 AND fcm_token = $2'`,
				`CREATE PROCEDURE clear_it(text, text) LANGUAGE sql AS 'UPDATE users SET fcm_token = NULL WHERE id = $1 AND fcm_token = $2'`)
			texts = append(texts, `SELECT id, fcm_token FROM numbers WHERE id $ids`, `SELECT uuid, fcm_token FROM numbers WHERE uuid $ids`,
				`SELECT id, fcm_token FROM numbers WHERE id = ANY($1::text::bigint[])`, `SELECT u, 't' FROM unnest($1::text[]) AS u`)
			clears = append(clears, `SELECT clear_token($1, $2)`, `WITH gone AS (DELETE FROM users WHERE id = $1 AND fcm_token = $2 RETURNING id) SELECT id FROM gone`, `CALL clear_it($1, $2)`, `UPDATE numbers SET fcm_token = NULL WHERE id = $1 AND fcm_token = $2`)
			s.o = options(settingProfileQuery, `SELECT id, profile FROM numbers WHERE id = ANY($1)`)
			if err := s.Check(t.Context()); err != nil {
				t.Error(err)
			}
		}
		for _, text := range texts {
			s.o = options(settingTokenQuery, in(s, text))
			if err := s.CheckQueries(t.Context()); err != nil {
				t.Errorf("%s: %v", s.o.TokenQuery, err)
			}
		}
		for _, text := range clears {
			s.o = options(settingTokenClear, text)
			if err := s.CheckWrites(t.Context()); err != nil {
				t.Errorf("%s: %v", text, err)
			}
		}
	})
}

// The defaults need a table users. Without one a token lookup fails. A clearing that cannot work is
// no fault where tokens come from Redis only.
func TestDefaultsWithoutTableUsers(t *testing.T) {
	t.Parallel()
	onBoth(t, DefaultOptions(), func(t *testing.T, s *Store) {
		for name, err := range map[string]error{
			settingTokenQuery: s.CheckQueries(t.Context()), settingTokenClear: s.CheckWrites(t.Context()),
		} {
			if !strings.Contains(fmt.Sprint(err), name+": off") || RefusalOf(err) != Misconfigured {
				t.Errorf("got %v, want an error that says how to turn %s off", err, name)
			}
		}
	})
	o := DefaultOptions()
	o.TokenQuery = ""
	onBoth(t, o, func(t *testing.T, s *Store) {
		if err := errors.Join(s.CheckQueries(t.Context()), s.CheckWrites(t.Context()), s.Check(t.Context())); err != nil {
			t.Error(err)
		}
		apply(t, s, removed("u", "1", "t"))
	})
}

// Answers reveal swapped columns at the latest: an id comes back as a token.
func TestSwappedColumnsAreFoundInAnswers(t *testing.T) {
	t.Parallel()
	o := Options{}
	onBoth(t, o, func(t *testing.T, s *Store) {
		execute(t, s, `CREATE TABLE people (code text PRIMARY KEY, push text)`, `INSERT INTO people VALUES ('u', 't')`)
		s.o.TokenQuery = in(s, `SELECT push, code FROM (SELECT push, code || '' AS code FROM people) AS p WHERE code || '' $ids`)
		_, err := s.Tokens(t.Context(), []string{"u", "v"})
		if wrong, ok := errors.AsType[*SettingError](err); !ok || !strings.Contains(wrong.Error(), "before the id") {
			t.Errorf("got %v, want that the columns are swapped", err)
		}
	})
}

// A recorded version proves only that the tables were created once.
func TestCheckFindsMissingTables(t *testing.T) {
	t.Parallel()
	for _, table := range []string{"fanfare_deliveries", "fanfare_campaign_summary", "fanfare_minutes", "fanfare_history"} {
		onBoth(t, Options{}, func(t *testing.T, s *Store) {
			drop := `DROP TABLE ` + table
			if table == "fanfare_campaign_summary" {
				drop = dropSummary(s)
			}
			execute(t, s, drop)
			if err := s.Migrate(t.Context()); err != nil {
				t.Fatal(err)
			}
			for _, err := range []error{s.CheckWrites(t.Context()), s.Check(t.Context())} {
				if RefusalOf(err) != Misconfigured || !strings.Contains(err.Error(), table) || !strings.Contains(err.Error(), "restore it") {
					t.Errorf("got %v, want that %s is gone", err, table)
				}
			}
		})
	}
}

func TestDryRunLeavesNothing(t *testing.T) {
	t.Parallel()
	for name, url := range map[string]string{"sqlite": sqliteURL(t), "postgres": server.Database(t)} {
		t.Run(name, func(t *testing.T) {
			s := opened(t, url, Options{})
			if err := s.Check(t.Context()); err != nil {
				t.Fatal(err)
			}
			if err := s.CheckWrites(t.Context()); !isMissing(err) {
				t.Errorf("got %v, want no tables", err)
			}
		})
	}
}

func TestReadOnlyDatabaseIsTransient(t *testing.T) {
	t.Parallel()
	url := server.Database(t)
	migrated(t, url, Options{})
	s := opened(t, url+"&default_transaction_read_only=on", Options{})
	for _, err := range []error{s.Migrate(t.Context()), s.Check(t.Context())} {
		if FaultOf(err) != Transient || !strings.Contains(err.Error(), "read-only") {
			t.Errorf("got %v (%v), want a transient fault", err, FaultOf(err))
		}
	}
}

// White space and semicolons behind a statement are no other one.
func TestSeveralStatementsAreFound(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"SELECT 1": false, "SELECT 1;": false, "SELECT 1;\n": false, "SELECT 1 ; ;\r\n\t": false, "SELECT ';'; -- end": false, "SELECT 1; SELECT 2": true,
	} {
		if got := (statement{text: text}).hasSeveral(); got != want {
			t.Errorf("%q has several statements: %t, want %t", text, got, want)
		}
	}
}
