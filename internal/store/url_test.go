package store

import (
	"bytes"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"
)

// poolOf opens a URL without connecting and returns what was logged.
func poolOf(t *testing.T, url string) (config *pgxpool.Config, logged string) {
	t.Helper()
	var log bytes.Buffer
	s := opened(t, url, Options{Logger: slog.New(slog.NewTextHandler(&log, nil))})
	return s.backend.(*postgres).pool.Config(), log.String()
}

func TestURLsOfOtherDriversAreTranslated(t *testing.T) {
	t.Parallel()
	for _, url := range []string{
		"postgres://u:p@h:6543/d", "postgresql://u:p@h:6543/d", "postgresql+psycopg://u:p@h:6543/d", "postgres+asyncpg://u:p@h:6543/d",
		"jdbc:postgresql://h:6543/d?user=u&password=p", "pgsql://u:p@h:6543/d", "postgis://u:p@h:6543/d", "POSTGRES://u:p@h:6543/d",
	} {
		config, _ := poolOf(t, url)
		c := config.ConnConfig
		if c.Host != "h" || c.Port != 6543 || c.Database != "d" || c.User != "u" || c.Password != "p" {
			t.Errorf("%s leads to %s:%d/%s as %s", url, c.Host, c.Port, c.Database, c.User)
		}
	}
	for url, path := range map[string]string{"sqlite3:db/x.db": "db/x.db", "sqlite+aiosqlite:///x.db": "x.db", "sqlite+aiosqlite:////x.db": "/x.db", "jdbc:sqlite:x.db": "x.db", "sqlite:///x.db": "///x.db"} {
		if kind, rest, err := splitURL(url); err != nil || kind != kindSQLite || rest != path {
			t.Errorf("%s leads to %q (%v)", url, rest, err)
		}
	}
}

func TestParametersOfOtherDriversAreTranslated(t *testing.T) {
	t.Parallel()
	for query, want := range map[string]map[string]string{
		"schema=public":                           {"search_path": `"public"`},
		"schema=Sales+1":                          {"search_path": `"Sales+1"`},
		"currentSchema=app,public":                {"search_path": `"app", "public"`},
		"ApplicationName=shop":                    {"application_name": "shop"},
		"schema=":                                 {},
		"pgbouncer=true&statement_cache_size=0":   {},
		"options=-c search_path=app":              {"search_path": "app"},
		"options=-c%20statement_timeout%3D5s":     {"statement_timeout": "5s"},
		"options=endpoint%3Dep-1":                 {"options": "endpoint=ep-1"},
		"statement_timeout=5000&TimeZone=UTC":     {"statement_timeout": "5000", "TimeZone": "UTC"},
		"socket_timeout=5&pool_timeout=0":         {},
		"serverVersion=15&charset=utf8":           {},
		"keepalives=1&gssencmode=disable":         {},
		"prepareThreshold=0&socketTimeout=30":     {},
		"uselibpqcompat=true&command_timeout=60":  {},
		"fallback_application_name=a&schema=b c'": {"search_path": `"b c'"`, "application_name": "a"},
	} {
		config, _ := poolOf(t, "postgres://u@h/d?"+query)
		got := config.ConnConfig.RuntimeParams
		if want["application_name"] == "" {
			want["application_name"] = "fanfare"
		}
		for name, value := range want {
			if got[name] != value {
				t.Errorf("%s: %s is %q, want %q", query, name, got[name], value)
			}
		}
		if len(got) != len(want) {
			t.Errorf("%s: the server is told %v, want %v", query, got, want)
		}
	}
}

func TestPoolAndTimeoutsOfTheURL(t *testing.T) {
	t.Parallel()
	config, log := poolOf(t, "postgres://u@h/d?connection_limit=7&connect_timeout=3")
	if config.MaxConns != 7 || config.ConnConfig.ConnectTimeout.Seconds() != 3 || log != "" {
		t.Errorf("%d connections, %s to connect, logged %q", config.MaxConns, config.ConnConfig.ConnectTimeout, log)
	}
	config, _ = poolOf(t, "postgres://u@h/d?connectTimeout=0&pool_max_conns=2")
	if config.MaxConns != 2 || config.ConnConfig.ConnectTimeout != 0 {
		t.Errorf("%d connections, %s to connect", config.MaxConns, config.ConnConfig.ConnectTimeout)
	}
}

func TestParametersWithoutMeaningLogOneWarning(t *testing.T) {
	t.Parallel()
	_, log := poolOf(t, "postgres://u@h/d?socket_timeout=5&statement_cache_size=0&serverVersion=15&schema=public")
	if strings.Count(log, "level=WARN") != 1 || !strings.Contains(log, `"socket_timeout statement_cache_size serverVersion"`) {
		t.Errorf("logged %s", log)
	}
}

// The certificate is verified if and only if the URL asks for it.
func TestTLSOfTheURL(t *testing.T) {
	t.Parallel()
	authority := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(authority, []byte(authorityPEM), 0o600); err != nil {
		t.Fatal(err)
	}
	for query, want := range map[string]string{
		"sslmode=disable": "none", "sslmode=no-verify": "unverified", "sslmode=require": "unverified", "sslmode=verify-full": "verified",
		"ssl=true": "unverified", "ssl=false": "none", "ssl=require&sslmode=disable": "none", "sslmode=disable&ssl=require": "none", "sslmode=disable&sslaccept=strict": "none", "sslmode=VerifyFull": "verified",
		"sslaccept=strict": "verified", "sslmode=require&sslaccept=strict": "verified", "sslmode=require&sslaccept=accept_invalid_certs": "unverified",
		"sslmode=require&sslcert=" + authority:                                "of the authority",
		"sslmode=no-verify&sslrootcert=" + authority:                          "unverified",
		"sslmode=require&sslaccept=accept_invalid_certs&sslcert=" + authority: "unverified",
		"sslaccept=strict&sslcert=" + authority:                               "verified",
	} {
		config, _ := poolOf(t, "postgres://u@h/d?"+query)
		c := config.ConnConfig
		got := "none"
		switch {
		case c.TLSConfig == nil:
		case c.TLSConfig.VerifyPeerCertificate != nil:
			got = "of the authority"
		case c.TLSConfig.InsecureSkipVerify:
			got = "unverified"
		default:
			got = "verified"
		}
		if got != want || len(c.Fallbacks) > 0 {
			t.Errorf("%s: the certificate is %s with %d fallbacks, want %s", query, got, len(c.Fallbacks), want)
		}
	}
}

func TestWrongURLsNameTheProblem(t *testing.T) {
	t.Parallel()
	for url, says := range map[string]string{
		"":                              "must begin with postgres: or sqlite:",
		"mysql://u:geheim@h/d":          "begins with mysql:",
		"mongodb+srv://u:geheim@h/d":    "begins with mongodb+srv:",
		"host=h user=u password=geheim": "must begin with",
		"u:geheim@h/d":                  "must begin with",
		"file:./dev.db":                 "sqlite:fanfare.db",
		"prisma://accelerate.prisma.io/?api_key=geheim":                "directUrl",
		`"postgres://u:geheim@h/d"`:                                    "quote",
		"postgres://u:geheim#1@h/d":                                    "%23",
		"postgres://u:geheim@1@h/d":                                    "%40",
		"postgres://u:geheim/1@h/d":                                    "%2F",
		"postgres://u:geheim?1@h/d":                                    "%3F",
		"postgres://u:geheim%1@h/d":                                    "%25",
		"postgres://u:geheim%1@h/d?sslmode=foo":                        "%25",
		"postgres://u:geheim@h:port/d":                                 "port",
		"postgres://u:geheim@h:0/d":                                    "has no valid port",
		"postgres://u:geheim@h:99999/d":                                "port",
		"postgres://u:geheim@h/d?sslmode=foo":                          "sslmode=\"foo\": use disable, allow",
		"postgres://u:geheim@h/d?ssl=maybe":                            "ssl=\"maybe\"",
		"postgres://u:geheim@h/d?connect_timeout=abc":                  "connect_timeout=\"abc\": use a number of seconds",
		"postgres://u:geheim@h/d?connect_timeout=-1":                   "connect_timeout",
		"postgres://u:geheim@h/d?connection_limit=x":                   "connection_limit=\"x\"",
		"postgres://u:geheim@h/d?connection_limit=0":                   "from 1 to 1000",
		"postgres://u:geheim@h/d?connection_limit=1001":                "from 1 to 1000",
		"postgres://u:geheim@h/d?connection_limit=100000000":           "from 1 to 1000",
		"postgres://u:geheim@h/d?pgbouncer=yes":                        "pgbouncer=\"yes\"",
		"postgres://u:geheim@h/d?sslaccept=no":                         "sslaccept",
		"postgres://u:geheim@h/d?sslidentity=a.p12&sslpassword=geheim": "PEM",
		"postgres://u:geheim@h/d?sslkey=/none.pem&sslcert=/none.pem":   "/none.pem",
		"postgres://u:geheim@h/d?sslrootcert=/none.pem":                "/none.pem",
		"postgres://u:geheim@h/d?target_session_attrs=best":            "target_session_attrs",
		"postgres://u:geheim@h/d?schema=%zz":                           "percent sign",
		"postgres://u:geheim@h/d?pool_min_conns=x":                     "pool_min_conns",
	} {
		s, err := Open(t.Context(), url, Options{})
		if err == nil {
			_ = s.Close()
			t.Errorf("%s was accepted", url)
			continue
		}
		if _, ok := errors.AsType[*URLError](err); !ok || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: got %v, want a text with %q", url, err, says)
		}
		if strings.Contains(err.Error(), "geheim") {
			t.Errorf("the error shows the password: %v", err)
		}
	}
}

// Prisma's URL works unchanged on a real server, with and without a pooler, for a schema that needs
// quotes.
func TestPrismasURL(t *testing.T) {
	t.Parallel()
	direct := server.Database(t)
	admin := opened(t, direct, Options{})
	execute(t, admin, `CREATE SCHEMA "Shop-1"`, `CREATE TABLE "Shop-1".users (id text PRIMARY KEY, fcm_token text)`, `INSERT INTO "Shop-1".users VALUES ('u', 't')`)
	const parameters = "&schema=Shop-1&connection_limit=2&pool_timeout=5&connect_timeout=5&socket_timeout=5&pgbouncer=true&statement_cache_size=0"
	for way, url := range map[string]string{"direct": direct, "pooled": pooler.URL(direct)} {
		s := migrated(t, url+parameters, DefaultOptions())
		found, err := s.Tokens(t.Context(), []string{"u"})
		if err != nil || found["u"] != "t" {
			t.Errorf("%s: tokens are %v (%v)", way, found, err)
		}
		apply(t, s, outcome(way, "u", "1", "sent"))
		var there string
		err = plain(t, admin).QueryRowContext(t.Context(), `SELECT status FROM "Shop-1".fanfare_deliveries WHERE campaign_id = $1`, way).Scan(&there)
		if err != nil || there != "sent" {
			t.Errorf("%s: our tables are not in the schema (%v)", way, err)
		}
	}
}

// authorityPEM is a CA certificate that signs nothing.
const authorityPEM = `-----BEGIN CERTIFICATE-----
MIIBdDCCARugAwIBAgIUXsJ21bLuT9XjhQbRP0vI/QUpJJ4wCgYIKoZIzj0EAwIw
DzENMAsGA1UEAwwEdGVzdDAgFw0yNjExMjkxMjI1NDZaGA8yMTI2MTEwNTEyMjU0
NlowDzENMAsGA1UEAwwEdGVzdDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABH//
Qs4hFlXeDkWG3UlPc/jMpwovPYsC90IRTJ8GlUlzVqr3D07ortHkclR3buT7yHea
sBl/IbP+yr6fcxY6HDOjUzBRMB0GA1UdDgQWBBQVTMRkGlS9syHI7XuzwjxbR11B
3DAfBgNVHSMEGDAWgBQVTMRkGlS9syHI7XuzwjxbR11B3DAPBgNVHRMBAf8EBTAD
AQH/MAoGCCqGSM49BAMCA0cAMEQCIHiw7rDNU+sEhY3tOHc879YPyDcGq1jyvJfk
PzMJDhXfAiBXYeEcle5lqHYuh0aqQCrVal8LTxb7rN9Bu6rlkHRFoA==
-----END CERTIFICATE-----
`

// The stores of this test never connect.
func TestPlaintextBeyondThisMachineIsFound(t *testing.T) {
	t.Setenv("PGSSLMODE", "")
	for url, want := range map[string]string{
		"postgres://u:p@db.example/d":                            "db.example",
		"postgres://u:p@db.example/d?sslmode=disable":            "db.example",
		"postgres://u:p@db.example/d?sslmode=allow":              "db.example",
		"postgres://u:p@db.example/d?sslmode=prefer":             "db.example",
		"postgres://u:p@db.example/d?sslmode=require":            "",
		"postgres://u:p@db.example/d?sslmode=verify-full":        "",
		"postgres://u:p@127.0.0.1/d?sslmode=disable":             "",
		"postgres://u:p@[::1]/d":                                 "",
		"postgres://u:p@localhost/d":                             "",
		"postgres://u:p@localhost,db.example/d?sslmode=disable":  "db.example",
		"postgres:///d?host=/var/run/postgresql&sslmode=disable": "",
		"postgres:///d?host=%40fanfare&sslmode=disable":          "", // Linux's abstract sockets
		"sqlite:" + t.TempDir() + "/x.db":                        "",
	} {
		s, err := Open(t.Context(), url, Options{Logger: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		if got := s.PlaintextHost(); got != want {
			t.Errorf("%s: got %q, want %q", url, got, want)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}

// Parts that the URL omits come from the variables of PostgreSQL's own tools.
func TestURLPartsFromEnvironment(t *testing.T) {
	t.Setenv("PGPASSWORD", "p#/@%")
	t.Setenv("PGUSER", "u")
	s, err := Open(t.Context(), "postgres://db.example/d?sslmode=require", Options{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	config := &s.backend.(*postgres).pool.Config().ConnConfig.Config
	if config.Password != "p#/@%" || config.User != "u" || config.Host != "db.example" {
		t.Errorf("connects to %s as %s, with a password of %d characters", config.Host, config.User, len(config.Password))
	}
}

// A parameter that no driver knows goes to the server, which refuses it. The connection works
// without it, and a warning names it.
func TestUnknownParametersOfTheURLAreIgnored(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	url := server.Database(t)
	separator := "?"
	if strings.Contains(url, "?") {
		separator = "&"
	}
	s := opened(t, url+separator+"foo=bar&colour=blue", Options{Logger: slog.New(slog.NewTextHandler(&log, nil))})
	if err := s.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"foo", "colour"} {
		if n := strings.Count(log.String(), "parameter="+name); n != 1 {
			t.Errorf("%d warnings name %s: %s", n, name, &log)
		}
	}
}
