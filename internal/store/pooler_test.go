package store

import (
	"errors"
	"fmt"
	"maps"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"fanfare/internal/notification"
	"fanfare/test/servers"
)

// In transaction mode many clients share few server connections. Each statement must work on any of
// them, whatever ran there before.
func TestPoolerClientsDoNotInterfere(t *testing.T) {
	t.Parallel()
	const clients, rounds = 6, 20
	url := pooler.URL(server.Database(t))
	s := migrated(t, url, DefaultOptions())
	execute(t, s, `CREATE TABLE users (id bigint PRIMARY KEY, fcm_token text)`)
	for user := range clients * rounds {
		insertUser(t, s, fmt.Sprint(user), fmt.Sprint("token", user))
	}
	var running sync.WaitGroup
	for client := range clients {
		running.Go(func() {
			s, err := Open(t.Context(), url, DefaultOptions())
			if err != nil {
				t.Error(err)
				return
			}
			defer s.Close()
			for round := range rounds {
				user := fmt.Sprint(client*rounds + round)
				found, err := s.Tokens(t.Context(), []string{user, "no number"})
				if err != nil || found[user] != "token"+user || len(found) != 1 {
					t.Errorf("tokens %v (%v), want that of %s", found, err, user)
				}
				results := []notification.Result{removed(user, "1", "token"+user), removed("no number", user, "t"), outcome("43", user, "1", "sent")}
				if err := s.Apply(t.Context(), results); err != nil {
					t.Error(err)
				}
			}
		})
	}
	running.Wait()
	for user, token := range storedTokens(t, s) {
		if token != "" {
			t.Errorf("user %s still has a token", user)
		}
	}
	for campaign, want := range map[string]int64{"42": 2 * clients * rounds, "43": clients * rounds} {
		if summary, err := s.Summary(t.Context(), campaign); err != nil || summary.Total() != want {
			t.Errorf("campaign %s has %d outcomes (%v), want %d", campaign, summary.Total(), err, want)
		}
	}
}

// PgBouncer refuses most parameters at the start of a connection. They apply in Fanfare's
// transactions and in no other client's.
func TestParametersHoldThroughAPooler(t *testing.T) {
	t.Parallel()
	direct := server.Database(t)
	through := servers.PgBouncer(t, direct, "pool_mode = transaction", "default_pool_size = 1")
	admin := opened(t, direct, Options{})
	execute(t, admin, `CREATE SCHEMA app`, `CREATE TABLE app.users (id text PRIMARY KEY, fcm_token text)`, `INSERT INTO app.users VALUES ('u', 't')`)
	for name, parameters := range map[string]string{
		"one by one":   `&search_path=app&statement_timeout=60000&extra_float_digits=3`,
		"as options":   `&options=-c%20search_path%3Dapp%20--statement-timeout%3D60000`,
		"of no server": `&search_path=app&socket_timeout=5&serverVersion=15`,
	} {
		t.Run(name, func(t *testing.T) {
			for way, url := range map[string]string{"direct": direct, "through": through} {
				s := migrated(t, url+parameters, DefaultOptions())
				found, err := s.Tokens(t.Context(), []string{"u"})
				if err != nil || found["u"] != "t" {
					t.Errorf("%s: tokens are %v (%v)", way, found, err)
				}
				apply(t, s, removed("v", way+name, "t"))
				restore(t, s, map[string]string{"v": "t"})
				if summary, err := s.Summary(t.Context(), "42"); err != nil || summary.Total() == 0 {
					t.Errorf("%s: %d outcomes (%v)", way, summary.Total(), err)
				}
			}
		})
	}
	other, err := pgx.Connect(t.Context(), through)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close(t.Context())
	var path string
	if err := other.QueryRow(t.Context(), `SHOW search_path`, pgx.QueryExecModeExec).Scan(&path); err != nil || strings.Contains(path, "app") {
		t.Errorf("another client has the search path %s (%v)", path, err)
	}
}

// A refused parameter is a fault of the settings and not of the data.
func TestAWrongParameterHalts(t *testing.T) {
	t.Parallel()
	for _, url := range []string{server.Database(t), pooler.URL(server.Database(t))} {
		s := opened(t, url+"&statement_timeout=soon", DefaultOptions())
		_, err := s.Tokens(t.Context(), []string{"u"})
		refusal, ok := errors.AsType[*pgconn.PgError](err)
		if FaultOf(err) != Halt || !ok || refusal.Code != "22023" {
			t.Errorf("got %v (%v), want a halt for the parameter's value", err, FaultOf(err))
		}
		if RefusalOf(err) != Misconfigured {
			t.Errorf("got the refusal %v for %v, want one of the settings", RefusalOf(err), err)
		}
	}
}

// A separate parameter takes precedence over the same one in options.
func TestOptionsAreSplit(t *testing.T) {
	t.Parallel()
	params := map[string]string{"options": "-c search_path=a --work-mem=4MB", "search_path": "b"}
	splitOptions(params)
	if want := map[string]string{"search_path": "b", "work_mem": "4MB"}; !maps.Equal(params, want) {
		t.Errorf("got %v, want %v", params, want)
	}
}
