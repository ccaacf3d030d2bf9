package store

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"fanfare/internal/loopback"
)

// URLError is a problem of a database URL. It contains no user, password or host.
type URLError struct{ Problem string }

func (e *URLError) Error() string { return settingDatabaseURL + " (DATABASE_URL): " + e.Problem }

const (
	postgresExample = "postgres://user:password@host:5432/database"
	sqliteExample   = "sqlite:fanfare.db"
)

// kind is the database system that a URL names.
type kind uint8

const (
	kindPostgres kind = iota + 1
	kindSQLite
)

// schemeKinds maps the schemes of frameworks and drivers to a kind.
var schemeKinds = map[string]kind{
	"postgres": kindPostgres, "postgresql": kindPostgres, "pgsql": kindPostgres, "pdo-pgsql": kindPostgres, "postgis": kindPostgres,
	"sqlite": kindSQLite, "sqlite3": kindSQLite,
}

// schemeHints are the problems of schemes that name no database.
var schemeHints = map[string]string{
	"file":            "is a file: use " + sqliteExample,
	"prisma":          "points to Prisma's own proxy: use the database's URL, as in Prisma's directUrl",
	"prisma+postgres": "points to Prisma's own proxy: use the database's URL, as in Prisma's directUrl",
}

// splitURL returns the kind of database and the URL without its scheme. It drops the name of a
// driver, as in postgresql+psycopg: or jdbc:postgresql:.
func splitURL(text string) (kind, string, error) {
	if strings.HasPrefix(text, `"`) || strings.HasPrefix(text, "'") {
		return 0, "", &URLError{"begins with a quote: remove it (a shell strips quotes, an env file may not)"}
	}
	trimmed := strings.TrimPrefix(text, "jdbc:")
	scheme, rest, found := strings.Cut(trimmed, ":")
	scheme = strings.ToLower(scheme)
	if hint := schemeHints[scheme]; found && hint != "" {
		return 0, "", &URLError{hint}
	}
	base, driver, _ := strings.Cut(scheme, "+")
	if kind := schemeKinds[base]; found && kind != 0 {
		if kind == kindSQLite && driver != "" { // in SQLAlchemy, three slashes begin a relative path and four an absolute one
			rest = strings.TrimPrefix(rest, "///")
		}
		return kind, rest, nil
	}
	problem := "must begin with postgres: or sqlite:, as in " + postgresExample + " or " + sqliteExample
	if found && isScheme(scheme) && strings.HasPrefix(rest, "//") {
		problem = "begins with " + scheme + ":, which is not supported; it " + problem
	}
	return 0, "", &URLError{problem}
}

// isScheme reports whether a text looks like a scheme. In other texts a user's name may precede the
// colon.
func isScheme(text string) bool {
	return text != "" && !strings.ContainsFunc(text, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9') && !strings.ContainsRune("+-.", r)
	})
}

// translateURL returns a URL as the driver reads it. It translates parameters of other drivers and
// frameworks. It drops those without a meaning here and logs one warning for all of them.
func translateURL(rest string, log *slog.Logger) (string, error) {
	if !strings.HasPrefix(rest, "//") { // jdbc:postgresql:database is a database on this machine
		rest = "///" + strings.TrimPrefix(rest, "/")
	}
	address, query, _ := strings.Cut(rest[2:], "?")
	if err := checkAddress(address, query); err != nil {
		return "", err
	}
	given, err := parseParameters(query)
	if err != nil {
		return "", err
	}
	p := translator{driverParams: make(map[string]string)}
	if err := p.translate(given); err != nil {
		return "", err
	}
	if len(p.ignored) > 0 {
		log.Warn("database parameters ignored; they have no meaning for Fanfare", "parameters", strings.Join(p.ignored, " "))
	}
	translated := make(url.Values, len(p.driverParams))
	for name, value := range p.driverParams {
		translated.Set(name, value)
	}
	// The driver, like libpq, reads a plus sign literally and not as a space.
	return "postgres://" + address + "?" + strings.ReplaceAll(translated.Encode(), "+", "%20"), nil
}

// checkAddress finds unencoded characters of a user or password that end the address early.
// Otherwise the driver's error could quote part of the password.
func checkAddress(address, query string) error {
	encode := &URLError{"contains a character in its user or password that must be encoded: @ as %40, / as %2F, ? as %3F, # as %23, % as %25"}
	authority, path, _ := strings.Cut(address, "/")
	user, host, has := strings.Cut(authority, "@")
	switch {
	case strings.Contains(host, "@"), !has && strings.Contains(path, "@"), !has && strings.Contains(query, "@") && !strings.Contains(query, "="):
		return encode
	case strings.ContainsAny(authority, "# "):
		return encode
	}
	if !has {
		host = authority
	}
	if _, err := url.PathUnescape(user); has && err != nil {
		return encode
	}
	for one := range strings.SplitSeq(host, ",") {
		colon := strings.LastIndex(one, ":")
		if colon < 0 || colon == len(one)-1 || strings.HasSuffix(one, "]") { // an IPv6 address has colons, too
			continue
		}
		if n, err := strconv.ParseUint(one[colon+1:], 10, 16); err != nil || n == 0 {
			return &URLError{"has no valid port; the form is " + postgresExample}
		}
	}
	return nil
}

// parameter is a parameter of a URL's query.
type parameter struct{ name, value string }

// parseParameters reads a query in its order. A value may contain an unencoded equals sign, as in
// options=-c work_mem=4MB.
func parseParameters(query string) (all []parameter, err error) {
	for pair := range strings.SplitSeq(query, "&") {
		if pair == "" {
			continue
		}
		name, value, _ := strings.Cut(pair, "=")
		var errs [2]error
		name, errs[0] = url.PathUnescape(name)
		value, errs[1] = url.PathUnescape(value)
		if errors.Join(errs[:]...) != nil {
			return nil, &URLError{"has a parameter with a bare percent sign: write it as %25"}
		}
		all = append(all, parameter{name, value})
	}
	return all, nil
}

// redactURL removes what a driver's error quotes of the URL.
func redactURL(err error) error {
	if err == nil {
		return nil
	}
	text := err.Error()
	if at := strings.LastIndex(text, "`: "); at >= 0 {
		return &URLError{"cannot be used: " + text[at+len("`: "):]}
	}
	return &URLError{fmt.Sprintf("cannot be used; the form is %s", postgresExample)}
}

// PlaintextHost returns a PostgreSQL host on another machine that the settings let Fanfare reach
// without TLS, or "".
func (s *Store) PlaintextHost() string {
	p, ok := s.backend.(*postgres)
	if !ok {
		return ""
	}
	return findPlaintextHost(&p.pool.Config().ConnConfig.Config)
}

// findPlaintextHost looks at the first connection attempt and its fallbacks. By default the driver
// tries TLS and continues without it where the server has none.
func findPlaintextHost(config *pgconn.Config) string {
	inClear := func(host string, tls *tls.Config) bool { return tls == nil && !isLocalHost(host) }
	if inClear(config.Host, config.TLSConfig) {
		return config.Host
	}
	for _, fallback := range config.Fallbacks {
		if inClear(fallback.Host, fallback.TLSConfig) {
			return fallback.Host
		}
	}
	return ""
}

// isLocalHost reports whether a host is a socket's directory or a loopback address.
func isLocalHost(host string) bool {
	return host == "" || strings.HasPrefix(host, "/") || strings.HasPrefix(host, "@") || loopback.IsHost(host)
}
