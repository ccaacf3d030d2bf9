package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"regexp"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
	sqlite3 "modernc.org/sqlite/lib"

	"fanfare/internal/notification"
	"fanfare/test/servers"
)

func state(code string) error { return &pgconn.PgError{Code: code} }

// connectError is the driver's error for an unexpected failure to connect.
func connectError(t *testing.T) error {
	t.Helper()
	config, err := pgconn.ParseConfig("postgres://127.0.0.1/d?sslmode=disable")
	if err != nil {
		t.Fatal(err)
	}
	config.DialFunc = func(context.Context, string, string) (net.Conn, error) { return nil, errors.New("strange") }
	_, err = pgconn.ConnectConfig(t.Context(), config)
	if _, ok := errors.AsType[*pgconn.ConnectError](err); !ok {
		t.Fatalf("got %v", err)
	}
	return err
}

func TestFaults(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		err  error
		want Fault
	}{
		{nil, 0},
		{state("08006"), Transient}, {state("40001"), Transient}, {state("40P01"), Transient}, {state("53300"), Transient},
		{state("55P03"), Transient}, {state("57P01"), Transient}, {state("57014"), Transient}, {state("25006"), Transient},
		{context.DeadlineExceeded, Transient}, {context.Canceled, Transient}, {io.ErrUnexpectedEOF, Transient},
		{&net.OpError{Op: "dial", Err: errors.New("refused")}, Transient},
		{state("22021"), Data}, {state("22P02"), Data}, {state("23514"), Data}, {state("21000"), Data}, {state("54000"), Data},
		{&DataError{Field: "userId", Problem: "holds a NUL"}, Data},
		{connectError(t), Transient},
		{state("42P01"), Halt}, {state("42501"), Halt}, {state("28P01"), Halt}, {state("3D000"), Halt}, {state("XX000"), Halt},
		{&pgconn.PgError{Code: "08P01", Message: "no more connections allowed (max_client_conn)"}, Transient},
		{&pgconn.PgError{Code: "08P01", Message: "server login has been failing, try again later (server_login_retry)"}, Transient},
		{&pgconn.PgError{Code: "08P01", Message: "password authentication failed"}, Halt},
		{&pgconn.PgError{Code: "08P01", Message: "no such database: nodb"}, Halt},
		{state(""), Halt}, {errors.New("nobody foresaw this"), Halt},
		{&SettingError{Setting: "store.token_clear", Err: state("23502")}, Halt},
	} {
		if got := FaultOf(c.err); got != c.want {
			t.Errorf("%v is %v, want %v", c.err, got, c.want)
		}
		if c.err != nil && FaultOf(fmt.Errorf("apply: %w", c.err)) != c.want {
			t.Errorf("%v loses its fault when wrapped", c.err)
		}
	}
}

func TestCodesOfSQLite(t *testing.T) {
	t.Parallel()
	for code, want := range map[int]Fault{
		sqlite3.SQLITE_BUSY: Transient, sqlite3.SQLITE_LOCKED: Transient, sqlite3.SQLITE_PROTOCOL: Transient, sqlite3.SQLITE_INTERRUPT: Transient,
		sqlite3.SQLITE_NOMEM: Transient, sqlite3.SQLITE_FULL: Transient, sqlite3.SQLITE_BUSY_SNAPSHOT: Transient,
		sqlite3.SQLITE_CONSTRAINT_CHECK: Data, sqlite3.SQLITE_TOOBIG: Data, sqlite3.SQLITE_MISMATCH: Data,
		sqlite3.SQLITE_ERROR: Halt, sqlite3.SQLITE_CORRUPT: Halt, sqlite3.SQLITE_READONLY: Halt,
	} {
		if got := sqliteFault(code); got != want {
			t.Errorf("code %d: got %v, want %v", code, got, want)
		}
	}
}

func TestResultsThatNoDatabaseTakesAreData(t *testing.T) {
	t.Parallel()
	onBoth(t, Options{}, func(t *testing.T, s *Store) {
		for field, spoil := range map[string]func(r *notification.Result){
			"userId":      func(r *notification.Result) { r.UserID = "a\x00b" },
			"campaignId":  func(r *notification.Result) { r.CampaignID = "\xff" },
			"resultId":    func(r *notification.Result) { r.ResultID = "\x00" },
			"messageId":   func(r *notification.Result) { r.MessageID = "\x00" },
			"errorCode":   func(r *notification.Result) { r.ErrorCode = "\xc3" },
			"error":       func(r *notification.Result) { r.Error = "\x00" },
			"fcmToken":    func(r *notification.Result) { r.Token = "\x00" },
			"status":      func(r *notification.Result) { r.Status = "delivered" },
			"attempts":    func(r *notification.Result) { r.Attempts = 1 << 31 },
			"attempts is": func(r *notification.Result) { r.Attempts = -1 },
		} {
			bad := outcome("42", "u", "1", notification.StatusSent)
			spoil(&bad)
			err := s.Apply(t.Context(), []notification.Result{outcome("42", "v", "2", notification.StatusSent), bad})
			if FaultOf(err) != Data || !strings.Contains(err.Error(), field) {
				t.Errorf("%s: got %v (%v), want a data fault that names it", field, err, FaultOf(err))
			}
			checkCampaign(t.Context(), t, s, "42", nil)
		}
	})
}

// PostgreSQL's index takes no key above about 2,700 bytes. One such user must not stop all others.
func TestAKeyThatIsTooLongIsData(t *testing.T) {
	t.Parallel()
	s := migrated(t, server.Database(t), Options{})
	long := make([]rune, 10_000)
	for i := range long { // random text, because PostgreSQL compresses the rest
		long[i] = rune('!' + rand.IntN(90))
	}
	err := s.Apply(t.Context(), []notification.Result{outcome("42", string(long), "1", notification.StatusSent)})
	if FaultOf(err) != Data {
		t.Errorf("got %v (%v), want a data fault", err, FaultOf(err))
	}
}

func TestMissingTablesHalt(t *testing.T) {
	t.Parallel()
	for name, url := range map[string]string{"sqlite": sqliteURL(t), "postgres": server.Database(t)} {
		t.Run(name, func(t *testing.T) {
			s := opened(t, url, Options{})
			if err := s.Apply(t.Context(), []notification.Result{outcome("42", "u", "1", notification.StatusSent)}); FaultOf(err) != Halt {
				t.Errorf("got %v (%v), want a halt", err, FaultOf(err))
			}
		})
	}
}

func TestACallThatIsCutOffIsTransient(t *testing.T) {
	t.Parallel()
	onBoth(t, DefaultOptions(), func(t *testing.T, s *Store) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := s.Apply(ctx, []notification.Result{outcome("42", "u", "1", notification.StatusSent)}); FaultOf(err) != Transient {
			t.Errorf("apply: %v (%v), want transient", err, FaultOf(err))
		}
		_, err := s.Tokens(ctx, []string{"u"})
		if FaultOf(err) != Transient {
			t.Errorf("tokens: %v (%v), want transient", err, FaultOf(err))
		}
		checkCampaign(t.Context(), t, s, "42", nil)
	})
}

func TestALostServerIsTransientAndBlamesNoSetting(t *testing.T) {
	t.Parallel()
	own, err := servers.StartPostgres(servers.PostgresOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer own.Stop()
	s := migrated(t, own.Database(t), DefaultOptions())
	execute(t, s, `CREATE TABLE users (id text, fcm_token text)`)
	own.Stop()
	for range 3 { // the first calls use dead connections, the last a closed port
		if err := s.Apply(t.Context(), []notification.Result{removed("u", "1", "t")}); FaultOf(err) != Transient {
			t.Errorf("apply: %v (%v), want transient", err, FaultOf(err))
		}
		_, err = s.Tokens(t.Context(), []string{"u"})
		if FaultOf(err) != Transient {
			t.Errorf("tokens: %v (%v), want transient", err, FaultOf(err))
		}
	}
	if err := s.Ping(t.Context()); err == nil || !unreachable.MatchString(err.Error()) {
		t.Errorf("a closed port: %v, want it in few words", err)
	}
}

// unreachable is all that is said of a database that does not run.
var unreachable = regexp.MustCompile(`^reach database: dial (tcp|unix) \S+: connect: [a-z ]+$`)

func TestAnUnknownRoleHaltsAndBlamesNoSetting(t *testing.T) {
	t.Parallel()
	url := strings.Replace(server.Database(t), "postgres@", "stranger@", 1)
	_, err := opened(t, url, DefaultOptions()).Tokens(t.Context(), []string{"u"})
	_, blamed := errors.AsType[*SettingError](err)
	if FaultOf(err) != Halt || blamed {
		t.Errorf("got %v (%v), want a halt that blames no setting", err, FaultOf(err))
	}
}

func TestAStatementThatTakesTooLongIsTransient(t *testing.T) {
	t.Parallel()
	url := server.Database(t)
	migrated(t, url, Options{})
	s := opened(t, url+"&statement_timeout=50", Options{TokenQuery: `SELECT 'u', 't' FROM pg_sleep(60) WHERE 'u' = ANY($1)`})
	_, err := s.Tokens(t.Context(), []string{"u"})
	if FaultOf(err) != Transient {
		t.Errorf("got %v (%v), want transient", err, FaultOf(err))
	}
}

func TestALockedSQLiteFileIsTransient(t *testing.T) {
	t.Parallel()
	url := sqliteURL(t)
	s := migrated(t, url, Options{})
	other := opened(t, url, Options{})
	tx, err := plain(t, other).BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback() }()
	if _, err := s.backend.(*sqliteFile).writer.ExecContext(t.Context(), `PRAGMA busy_timeout = 1`); err != nil {
		t.Fatal(err)
	}
	if err := s.Apply(t.Context(), []notification.Result{outcome("42", "u", "1", notification.StatusSent)}); FaultOf(err) != Transient {
		t.Errorf("got %v (%v), want transient", err, FaultOf(err))
	}
}

func TestRefusalOf(t *testing.T) {
	t.Parallel()
	admin := opened(t, server.Database(t), Options{})
	execute(t, admin, "CREATE ROLE newcomer LOGIN", "CREATE ROLE crowd LOGIN CONNECTION LIMIT 0", "REVOKE CREATE ON SCHEMA public FROM PUBLIC")
	url := admin.backend.(*postgres).pool.Config().ConnString()
	locked := servers.PgBouncer(t, url, "pool_mode = transaction", "auth_type = plain",
		"auth_query = SELECT usename, passwd FROM pg_shadow WHERE false AND usename = $1")
	for name, c := range map[string]struct {
		url  string
		want Refusal
	}{
		"nobody's name":                 {strings.Replace(url, "postgres@", "nobody@", 1), Denied},
		"no right to create":            {strings.Replace(url, "postgres@", "newcomer@", 1), Denied},
		"no such database":              {strings.Replace(url, "?", "-gone?", 1), Misconfigured},
		"no such folder":                {"sqlite:" + t.TempDir() + "/gone/fanfare.db", Misconfigured},
		"no such user of a pooler":      {strings.Replace(locked, "postgres@", "nobody@", 1), Denied},
		"no such database of a pooler":  {strings.Replace(pooler.URL(url), "?", "-gone?", 1), Misconfigured},
		"a pooler without transactions": {servers.PgBouncer(t, url, "pool_mode = statement"), Misconfigured},
		"too many connections":          {strings.Replace(url, "postgres@", "crowd@", 1), 0},
		"a server that is off":          {"postgres://postgres@127.0.0.1:1/test", 0},
	} {
		s := opened(t, c.url, Options{})
		err := s.Migrate(t.Context())
		if got := RefusalOf(err); err == nil || got != c.want {
			t.Errorf("%s: got %d for %v, want %d", name, got, err, c.want)
		}
	}
	if got := RefusalOf(errors.New("another")); got != 0 {
		t.Errorf("an unrelated error is refusal %d", got)
	}
}

func TestRefusalsByTheirWords(t *testing.T) {
	t.Parallel()
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
