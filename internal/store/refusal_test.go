package store

import (
	"errors"
	"maps"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"fanfare/test/servers"
)

func TestRefusalsAreToldApart(t *testing.T) {
	admin := opened(t, server.Database(t), Options{})
	execute(t, admin, "CREATE ROLE stranger LOGIN", "REVOKE CREATE ON SCHEMA public FROM PUBLIC")
	url := admin.backend.(*postgres).pool.Config().ConnString()
	locked := servers.PgBouncer(t, url, "pool_mode = transaction", "auth_type = plain",
		"auth_query = SELECT usename, passwd FROM pg_shadow WHERE false AND usename = $1")
	for name, c := range map[string]struct {
		url  string
		want Refusal
	}{
		"nobody's name":                 {strings.Replace(url, "postgres@", "nobody@", 1), Denied},
		"no right to create":            {strings.Replace(url, "postgres@", "stranger@", 1), Denied},
		"no such database":              {strings.Replace(url, "?", "-gone?", 1), Misconfigured},
		"no such folder":                {"sqlite:" + t.TempDir() + "/gone/fanfare.db", Misconfigured},
		"no such user of a pooler":      {strings.Replace(locked, "postgres@", "nobody@", 1), Denied},
		"no such database of a pooler":  {strings.Replace(pooler.Through(url), "?", "-gone?", 1), Misconfigured},
		"a pooler without transactions": {servers.PgBouncer(t, url, "pool_mode = statement"), Misconfigured},
		"a server that is off":          {"postgres://postgres@127.0.0.1:1/test", 0},
	} {
		s := opened(t, c.url, Options{})
		err := s.Migrate(t.Context())
		if got := RefusalOf(err); err == nil || got != c.want {
			t.Errorf("%s: got %d for %v, want %d", name, got, err, c.want)
		}
	}
	if got := RefusalOf(errors.New("another")); got != 0 {
		t.Errorf("an error of nobody's is refusal %d", got)
	}
}

func TestRefusalsByTheirWords(t *testing.T) {
	for text, want := range map[string]Refusal{
		"password authentication failed": Denied, "no such user: nobody": Denied, "login rejected": Denied,
		"no such database: gone": Misconfigured, "statement pooling mode": Misconfigured, "PQexec disallowed": Misconfigured, "query_wait_timeout": 0,
	} {
		if got := RefusalOf(&pgconn.PgError{Code: "08P01", Message: text}); got != want {
			t.Errorf("%q is refusal %d, want %d", text, got, want)
		}
	}
	if got := RefusalOf(errors.New("connect: server refused TLS connection")); got != Misconfigured {
		t.Errorf("a server without TLS is refusal %d", got)
	}
}

// A parameter of its own goes before the same one among the options.
func TestOptionsAreSpread(t *testing.T) {
	params := map[string]string{"options": "-c search_path=a --work-mem=4MB", "search_path": "b"}
	spreadOptions(params)
	if want := map[string]string{"search_path": "b", "work_mem": "4MB"}; !maps.Equal(params, want) {
		t.Errorf("got %v, want %v", params, want)
	}
}
