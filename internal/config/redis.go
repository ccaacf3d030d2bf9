package config

import (
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// mergeRedisURL merges redis.url and the settings of its parts, so that every setting shows the
// value in force.
//
// A host from a source that takes precedence over the url's replaces the url: REDIS_HOST in the
// environment over redis.url in the file. Other parts from such a source override those of the url.
// A part that the url leaves open comes from its own setting, whatever its source.
func (s *Settings) mergeRedisURL() error {
	from, host := s.origin("redis.url"), s.origin("redis.host")
	switch {
	case s.Redis.URL == "", s.Redis.Mode == "sentinel": // check refuses a url there
		return nil
	case host.layer > from.layer:
		s.Redis.URL = ""
		s.origins["redis.url"] = origin{layerDefault, "not used: " + host.name + " takes precedence"}
		return nil
	}
	parsed, err := parseRedisURL(s.Redis.URL)
	if err != nil {
		return &Error{
			Key: "redis.url", Origin: from.name, Problem: "this address cannot be read",
			Allowed: "redis://user:password@host:6379/0, with %XX for special characters and a number as database",
		}
	}
	if port := s.origin("redis.port"); parsed.isSocket() && port.layer > from.layer {
		return &Error{Key: "redis.port", Origin: port.name, Problem: "has no effect, because redis.url names a socket", Allowed: "redis.host as well"}
	}
	s.mergeURLParts(parsed, from)
	return nil
}

// mergeURLParts sets each part to the value in force, and rewrites the url if another setting
// overrides it.
func (s *Settings) mergeURLParts(parsed redisURL, from origin) {
	r := &s.Redis
	over := slices.Concat(
		mergePart(s, "redis.host", &r.Host, parsed.host, parsed.has["host"]),
		mergePart(s, "redis.port", &r.Port, parsed.port, parsed.has["port"]),
		mergePart(s, "redis.username", &r.Username, parsed.username, parsed.has["username"]),
		mergePart(s, "redis.password", &r.Password, parsed.password, parsed.has["password"]),
		mergePart(s, "redis.db", &r.DB, parsed.db, parsed.has["db"]),
	)
	if parsed.Scheme == tlsScheme {
		over = append(over, mergePart(s, "redis.tls.enabled", &r.TLS.Enabled, true, true)...)
	}
	if len(over) == 0 {
		return
	}
	r.URL = parsed.rewrite(*r)
	for _, name := range over {
		from.name += ", " + name
	}
	s.origins["redis.url"] = from
}

// mergePart keeps a setting that overrides the url or fills a part that the url leaves open. It
// returns the source of that setting. Otherwise the setting takes the url's part.
func mergePart[V comparable](s *Settings, key string, own *V, parsed V, named bool) (over []string) {
	from, url := s.origin(key), s.origin("redis.url")
	if from.layer > url.layer {
		return []string{from.name}
	}
	if !named && from.layer > layerDefault && *own != parsed {
		return []string{from.name}
	}
	*own = parsed
	if from.layer > layerDefault {
		url.name += "; not used: " + from.name
	}
	s.origins[key] = url
	return nil
}

// redisURL is a parsed redis.url. Parts that it leaves open have their defaults.
type redisURL struct {
	*url.URL
	host, username string
	password       Secret
	port, db       int
	has            map[string]bool // the parts that the url sets
}

const (
	redisPort   = 6379
	redisScheme = "redis"
	tlsScheme   = "rediss"
	unixScheme  = "unix"
	// unixDB is the query parameter for a socket's database, since the path is a file.
	unixDB = "db"
)

// parseRedisURL hides the parser's error, because it quotes the address with its password.
func parseRedisURL(text URL) (parsed redisURL, err error) {
	if parsed.URL, err = url.Parse(string(text)); err != nil || parsed.Opaque != "" {
		return parsed, errForm
	}
	password, _ := parsed.User.Password()
	parsed.username, parsed.password = parsed.User.Username(), Secret(password)
	db := strings.Trim(parsed.Path, "/")
	if parsed.isSocket() {
		db = parsed.Query().Get(unixDB)
	} else {
		parsed.host, parsed.port = parsed.Hostname(), redisPort
		if parsed.host == "" {
			parsed.host = "localhost"
		}
	}
	parsed.has = map[string]bool{
		"host": parsed.Hostname() != "" || parsed.isSocket(), "port": parsed.Port() != "" || parsed.isSocket(),
		"username": parsed.username != "", "password": password != "", "db": db != "",
	}
	if port := parsed.Port(); port != "" {
		parsed.port, err = parseUint16(port)
	}
	if db != "" && err == nil {
		parsed.db, err = parseUint16(db)
	}
	return parsed, err
}

func parseUint16(text string) (int, error) {
	n, err := strconv.ParseUint(text, 10, 16)
	if err != nil {
		return 0, errForm
	}
	return int(n), nil
}

func (u redisURL) isSocket() bool { return u.Scheme == unixScheme }

// rewrite returns the address with the values in force.
func (u redisURL) rewrite(r Redis) URL {
	rewritten := *u.URL
	rewritten.User = nil
	if r.Password != "" {
		rewritten.User = url.UserPassword(r.Username, r.Password.Reveal())
	} else if r.Username != "" {
		rewritten.User = url.User(r.Username)
	}
	if u.isSocket() {
		query := rewritten.Query()
		query.Set(unixDB, strconv.Itoa(r.DB))
		rewritten.RawQuery = query.Encode()
		return URL(rewritten.String())
	}
	if !r.TLS.Enabled {
		rewritten.Scheme = redisScheme
	}
	rewritten.Host = net.JoinHostPort(r.Host, strconv.Itoa(r.Port))
	rewritten.Path, rewritten.RawPath = "/"+strconv.Itoa(r.DB), ""
	return URL(rewritten.String())
}
