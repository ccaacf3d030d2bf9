package store

import (
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strconv"
	"strings"
)

// URLError is what is wrong with a database's URL. It holds nothing of the user, the password or the host.
type URLError struct{ Problem string }

func (e *URLError) Error() string { return settingDatabaseURL + " (DATABASE_URL): " + e.Problem }

const (
	postgresForm = "postgres://user:password@host:5432/database"
	sqliteForm   = "sqlite:fanfare.db"
)

// kind is which database a URL names.
type kind uint8

const (
	kindPostgres kind = iota + 1
	kindSQLite
)

// kinds are the schemes of frameworks and drivers that mean the same as ours.
var kinds = map[string]kind{
	"postgres": kindPostgres, "postgresql": kindPostgres, "pgsql": kindPostgres, "pdo-pgsql": kindPostgres, "postgis": kindPostgres,
	"sqlite": kindSQLite, "sqlite3": kindSQLite,
}

// cures are for URLs that are no database's.
var cures = map[string]string{
	"file":            "is a file: use " + sqliteForm,
	"prisma":          "leads to Prisma's own proxy: use the database's URL, as in Prisma's directUrl",
	"prisma+postgres": "leads to Prisma's own proxy: use the database's URL, as in Prisma's directUrl",
}

// splitURL tells the kind of database, and the URL without its scheme. A driver's name, as in postgresql+psycopg: or
// jdbc:postgresql:, is left out.
func splitURL(text string) (kind, string, error) {
	if strings.HasPrefix(text, `"`) || strings.HasPrefix(text, "'") {
		return 0, "", &URLError{"begins with a quote: remove it; a shell takes quotes off, an env file may not"}
	}
	trimmed := strings.TrimPrefix(text, "jdbc:")
	scheme, rest, found := strings.Cut(trimmed, ":")
	scheme = strings.ToLower(scheme)
	if cure := cures[scheme]; found && cure != "" {
		return 0, "", &URLError{cure}
	}
	base, driver, _ := strings.Cut(scheme, "+")
	if kind := kinds[base]; found && kind != 0 {
		if kind == kindSQLite && driver != "" { // SQLAlchemy's: three slashes begin a relative path, four an absolute one
			rest = strings.TrimPrefix(rest, "///")
		}
		return kind, rest, nil
	}
	problem := "must begin with postgres: or sqlite:, as in " + postgresForm + " or " + sqliteForm
	if found && isScheme(scheme) && strings.HasPrefix(rest, "//") {
		problem = "begins with " + scheme + ":, which is no database that we know; it " + problem
	}
	return 0, "", &URLError{problem}
}

// isScheme reports whether a text looks like one: before the colon of something else there may be a user's name.
func isScheme(text string) bool {
	return text != "" && !strings.ContainsFunc(text, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9') && !strings.ContainsRune("+-.", r)
	})
}

// postgresURL is a URL as the driver reads it: parameters of other drivers and frameworks are translated, and those without a
// meaning here are left out, with one warning for all.
func postgresURL(rest string, log *slog.Logger) (string, error) {
	if !strings.HasPrefix(rest, "//") { // jdbc:postgresql:database is one on this machine
		rest = "///" + strings.TrimPrefix(rest, "/")
	}
	address, query, _ := strings.Cut(rest[2:], "?")
	if err := checkAddress(address, query); err != nil {
		return "", err
	}
	given, err := queryParameters(query)
	if err != nil {
		return "", err
	}
	p := translation{to: make(map[string]string)}
	if err := p.translate(given); err != nil {
		return "", err
	}
	if len(p.ignored) > 0 {
		log.Warn("database parameters ignored; they have no meaning here", "parameters", strings.Join(p.ignored, " "))
	}
	translated := make(url.Values, len(p.to))
	for name, value := range p.to {
		translated.Set(name, value)
	}
	// The driver, like PostgreSQL's own library, takes a plus sign for itself.
	return "postgres://" + address + "?" + strings.ReplaceAll(translated.Encode(), "+", "%20"), nil
}

// checkAddress finds characters of a user or a password that end the address early. Their own place in the URL would show a
// part of the password in the driver's error.
func checkAddress(address, query string) error {
	encode := &URLError{"holds a character in its user or password that must be encoded: @ as %40, / as %2F, ? as %3F, # as %23, % as %25"}
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
			return &URLError{"has no valid port; the form is " + postgresForm}
		}
	}
	return nil
}

// parameter is one of a URL's, in its order.
type parameter struct{ name, value string }

// queryParameters reads a query, in which a value may hold an equals sign that is not encoded, as in options=-c work_mem=4MB.
func queryParameters(query string) (all []parameter, err error) {
	for pair := range strings.SplitSeq(query, "&") {
		if pair == "" {
			continue
		}
		name, value, _ := strings.Cut(pair, "=")
		var errs [2]error
		name, errs[0] = url.PathUnescape(name)
		value, errs[1] = url.PathUnescape(value)
		if errors.Join(errs[:]...) != nil {
			return nil, &URLError{"has a parameter with a percent sign that begins no code such as %20: write %25 for it"}
		}
		all = append(all, parameter{name, value})
	}
	return all, nil
}

// openingError hides what a driver's error quotes of the URL.
func openingError(err error) error {
	if err == nil {
		return nil
	}
	text := err.Error()
	if at := strings.LastIndex(text, "`: "); at >= 0 {
		return &URLError{"cannot be used: " + text[at+len("`: "):]}
	}
	return &URLError{fmt.Sprintf("cannot be used; the form is %s", postgresForm)}
}
