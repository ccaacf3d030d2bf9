package store

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"strings"
	"testing"
)

// usersTable is an application's table with ids of some type.
type usersTable struct {
	name, idType string
	known        map[string]string // id → token
	strange      []string          // ids that no table contains
}

const (
	someUUID  = "0190a5b2-7c1e-7abc-8def-0123456789ab"
	otherUUID = "0190a5b2-7c1e-7abc-8def-0123456789ac"
)

var usersTables = []usersTable{
	{"text ids", "text", map[string]string{"u1": "t1", `o'"\{},\"`: "t2", "ü☃": "t3", "": "t4", "NULL": "t5"}, []string{"U1", "u1 ", "nobody"}},
	{"bigint ids", "bigint", map[string]string{"7": "t7", "9007199254740993": "big", "-1": "t1"}, []string{"seven", "", "99999999999999999999", "8"}},
	{"uuid ids", "uuid", map[string]string{someUUID: "t1", otherUUID: "t2"}, []string{"not-a-uuid", "7", "0190a5b2-7c1e-7abc-8def-000000000000"}},
}

// users creates and fills the table. SQLite has no uuid type and stores it as text.
func (u usersTable) users(t *testing.T, s *Store) {
	t.Helper()
	idType := u.idType
	if !onPostgres(s) && idType == "uuid" {
		idType = "text"
	}
	execute(t, s, `CREATE TABLE users (id `+idType+` PRIMARY KEY, fcm_token text, profile text)`)
	for id, token := range u.known {
		insertUser(t, s, id, token)
	}
}

func insertUser(t *testing.T, s *Store, id, token string) {
	t.Helper()
	if _, err := plain(t, s).ExecContext(t.Context(), `INSERT INTO users (id, fcm_token) VALUES ($1, $2)`, id, token); err != nil {
		t.Fatal(err)
	}
}

func TestTokensAreFoundWhateverTheTypeOfTheIDs(t *testing.T) {
	t.Parallel()
	for _, table := range usersTables {
		t.Run(table.name, func(t *testing.T) {
			onBoth(t, DefaultOptions(), func(t *testing.T, s *Store) {
				table.users(t, s)
				ids := append([]string{"with\x00nul", "not \xff utf-8"}, table.strange...)
				for id := range table.known {
					ids = append(ids, id)
				}
				got, err := s.Tokens(t.Context(), ids)
				if err != nil {
					t.Fatal(err)
				}
				if !maps.Equal(got, table.known) {
					t.Errorf("got %q, want %q", got, table.known)
				}
			})
		})
	}
}

func TestAnIDInAnotherCaseIsAnsweredAsItWasAsked(t *testing.T) {
	t.Parallel()
	s := migrated(t, server.Database(t), DefaultOptions())
	usersTables[2].users(t, s)
	asked := strings.ToUpper(someUUID)
	got, err := s.Tokens(t.Context(), []string{asked, otherUUID})
	if err != nil {
		t.Fatal(err)
	}
	if want := map[string]string{asked: "t1", otherUUID: "t2"}; !maps.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestAnIDOfAColumnWithoutCaseIsAnsweredAsItWasAsked(t *testing.T) {
	t.Parallel()
	s := migrated(t, sqliteURL(t), Options{})
	execute(t, s, `CREATE TABLE users (id text COLLATE NOCASE, fcm_token text)`, `INSERT INTO users VALUES ('Anna', 't1'), ('ben', 't2')`)
	s.o.TokenQuery = "SELECT id, fcm_token FROM users WHERE id " + s.backend.inIDs()
	got, err := s.Tokens(t.Context(), []string{"anna", "BEN"})
	if want := map[string]string{"anna": "t1", "BEN": "t2"}; err != nil || !maps.Equal(got, want) {
		t.Errorf("got %q, want %q; error %v", got, want, err)
	}
}

func TestAUserWithoutATokenHasNone(t *testing.T) {
	t.Parallel()
	onBoth(t, DefaultOptions(), func(t *testing.T, s *Store) {
		execute(t, s, `CREATE TABLE users (id text, fcm_token text)`, `INSERT INTO users VALUES ('null', NULL), ('empty', '')`)
		got, err := s.Tokens(t.Context(), []string{"null", "empty", "absent"})
		if err != nil || len(got) != 0 {
			t.Errorf("got %q, %v", got, err)
		}
		if got, err := s.Tokens(t.Context(), nil); err != nil || len(got) != 0 {
			t.Errorf("of nobody: got %q, %v", got, err)
		}
	})
}

func TestManyInconvertibleIDsDoNotHideTheOthers(t *testing.T) {
	t.Parallel()
	// The types smallint, integer and bigint show what fits. For numeric only a query does.
	for _, idType := range []string{"smallint", "integer", "bigint", "numeric"} {
		t.Run(idType, func(t *testing.T) {
			s := migrated(t, server.Database(t), DefaultOptions())
			execute(t, s, `CREATE TABLE users (id `+idType+` PRIMARY KEY, fcm_token text)`,
				`INSERT INTO users SELECT id, 'token ' || id FROM generate_series(1, 200) AS id`)
			want := map[string]string{}
			var ids []string
			for i := range 200 {
				id := fmt.Sprint(i + 1)
				if i%10 == 0 {
					ids = append(ids, "guest-"+id, id+"00000000000000000000")
					continue
				}
				ids = append(ids, id)
				want[id] = "token " + id
			}
			got, err := s.Tokens(t.Context(), ids)
			if err != nil || !maps.Equal(got, want) {
				t.Errorf("got %d tokens (%v), want %d", len(got), err, len(want))
			}
		})
	}
}

func TestDisabledQueryFindsNothing(t *testing.T) {
	t.Parallel()
	onBoth(t, Options{}, func(t *testing.T, s *Store) {
		tokens, err := s.Tokens(t.Context(), []string{"u"})
		if err != nil || len(tokens) != 0 {
			t.Errorf("tokens: %v, %v", tokens, err)
		}
		profiles, err := s.Profiles(t.Context(), []string{"u"})
		if err != nil || len(profiles) != 0 {
			t.Errorf("profiles: %v, %v", profiles, err)
		}
	})
}

func TestProfilesComeAsJSON(t *testing.T) {
	t.Parallel()
	for _, columnType := range []string{"text", "jsonb"} {
		t.Run(columnType, func(t *testing.T) {
			onBoth(t, Options{ProfileQuery: `SELECT id, profile FROM people WHERE id = ANY($1)`}, func(t *testing.T, s *Store) {
				if !onPostgres(s) {
					s.o.ProfileQuery = `SELECT id, profile FROM people WHERE id IN (SELECT value FROM json_each($1))`
				}
				execute(t, s, `CREATE TABLE people (id integer, profile `+columnType+`)`,
					`INSERT INTO people VALUES (1, '{"name": "Ann"}'), (2, NULL), (3, '{}')`)
				got, err := s.Profiles(t.Context(), []string{"1", "2", "3", "x"})
				if err != nil {
					t.Fatal(err)
				}
				want := map[string]json.RawMessage{"1": json.RawMessage(`{"name": "Ann"}`), "3": json.RawMessage(`{}`)}
				if !reflect.DeepEqual(got, want) {
					t.Errorf("got %s, want %s", got, want)
				}
			})
		})
	}
}

// A query may return several rows of a user. The last one counts, so that ORDER BY decides.
func TestTheLastOfSeveralRowsCounts(t *testing.T) {
	t.Parallel()
	onBoth(t, Options{ProfileQuery: `SELECT id, profile FROM people WHERE id = ANY($1) ORDER BY updated`}, func(t *testing.T, s *Store) {
		if !onPostgres(s) {
			s.o.ProfileQuery = `SELECT id, profile FROM people WHERE id IN (SELECT value FROM json_each($1)) ORDER BY updated`
		}
		execute(t, s, `CREATE TABLE people (id text, profile text, updated integer)`,
			`INSERT INTO people VALUES ('1', '{"name": "new"}', 2), ('1', '{"name": "old"}', 1), ('1', NULL, 3)`)
		got, err := s.Profiles(t.Context(), []string{"1"})
		if err != nil {
			t.Fatal(err)
		}
		if want := map[string]json.RawMessage{"1": json.RawMessage(`{"name": "new"}`)}; !reflect.DeepEqual(got, want) {
			t.Errorf("got %s, want %s", got, want)
		}
	})
}

func TestAQueryOverAMissingTableNamesItsSetting(t *testing.T) {
	t.Parallel()
	onBoth(t, Options{TokenQuery: Default, ProfileQuery: `SELECT id, profile FROM people WHERE id = $1`}, func(t *testing.T, s *Store) {
		_, tokens := s.Tokens(t.Context(), []string{"u"})
		_, profiles := s.Profiles(t.Context(), []string{"u"})
		checkSetting(t, tokens, "store.token_query")
		checkSetting(t, profiles, "store.profile_query")
	})
}

func checkSetting(t *testing.T, err error, setting string) {
	t.Helper()
	blamed, ok := errors.AsType[*SettingError](err)
	if !ok || blamed.Setting != setting || !strings.Contains(err.Error(), setting) || FaultOf(err) != Halt {
		t.Errorf("got %v (%v), want a halt that names %s", err, FaultOf(err), setting)
	}
}

func TestCheckFindsUnsuitableStatement(t *testing.T) {
	t.Parallel()
	for _, bad := range []struct {
		setting string
		o       Options
	}{
		{"store.token_query", Options{TokenQuery: `SELECT id, token FROM elsewhere WHERE id = $1`, TokenClear: Default}},
		{"store.token_clear", Options{TokenQuery: Default, TokenClear: `UPDATE users SET nothing = NULL WHERE id = $1 AND fcm_token = $2`}},
		{"store.token_restore", Options{TokenQuery: Default, TokenRestore: `UPDATE users SET nothing = $2 WHERE id = $1`}},
		{"store.profile_query", Options{TokenQuery: Default, ProfileQuery: `SELEKT`}},
	} {
		t.Run(bad.setting, func(t *testing.T) {
			onBoth(t, bad.o, func(t *testing.T, s *Store) {
				execute(t, s, `CREATE TABLE users (id text, fcm_token text)`)
				checkSetting(t, s.Check(t.Context()), bad.setting)
			})
		})
	}
}

func TestCheckAcceptsSuitableStatements(t *testing.T) {
	t.Parallel()
	onBoth(t, DefaultOptions(), func(t *testing.T, s *Store) {
		execute(t, s, `CREATE TABLE users (id text, fcm_token text)`)
		if err := s.Check(t.Context()); err != nil {
			t.Error(err)
		}
	})
}
