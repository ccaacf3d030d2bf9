package config

import (
	"net"
	"net/url"
	"strconv"
	"strings"
)

// redisURL is what a redis.url says, part by part. The parts that it leaves open have their defaults.
type redisURL struct {
	*url.URL
	host, username string
	password       Secret
	port, db       int
	names          map[string]bool // the parts that it does not leave open
}

const (
	redisPort   = 6379
	redisScheme = "redis"
	tlsScheme   = "rediss"
	unixScheme  = "unix"
	// unixDB is where the database of a socket stands, whose path is a file.
	unixDB = "db"
)

// parseRedisURL never passes the parser's error on: it quotes the address, password and all.
func parseRedisURL(text URL) (said redisURL, err error) {
	if said.URL, err = url.Parse(string(text)); err != nil || said.Opaque != "" {
		return said, errForm
	}
	password, _ := said.User.Password()
	said.username, said.password = said.User.Username(), Secret(password)
	db := strings.Trim(said.Path, "/")
	if said.socket() {
		db = said.Query().Get(unixDB)
	} else {
		said.host, said.port = said.Hostname(), redisPort
		if said.host == "" {
			said.host = "localhost"
		}
	}
	said.names = map[string]bool{
		"host": said.Hostname() != "" || said.socket(), "port": said.Port() != "" || said.socket(),
		"username": said.username != "", "password": password != "", "db": db != "",
	}
	if port := said.Port(); port != "" {
		said.port, err = parseUint16(port)
	}
	if db != "" && err == nil {
		said.db, err = parseUint16(db)
	}
	return said, err
}

func parseUint16(text string) (int, error) {
	n, err := strconv.ParseUint(text, 10, 16)
	if err != nil {
		return 0, errForm
	}
	return int(n), nil
}

func (u redisURL) socket() bool { return u.Scheme == unixScheme }

// with writes the address anew, with the parts as they are in force.
func (u redisURL) with(r Redis) URL {
	anew := *u.URL
	anew.User = nil
	if r.Password != "" {
		anew.User = url.UserPassword(r.Username, r.Password.Reveal())
	} else if r.Username != "" {
		anew.User = url.User(r.Username)
	}
	if u.socket() {
		query := anew.Query()
		query.Set(unixDB, strconv.Itoa(r.DB))
		anew.RawQuery = query.Encode()
		return URL(anew.String())
	}
	if !r.TLS.Enabled {
		anew.Scheme = redisScheme
	}
	anew.Host = net.JoinHostPort(r.Host, strconv.Itoa(r.Port))
	anew.Path, anew.RawPath = "/"+strconv.Itoa(r.DB), ""
	return URL(anew.String())
}
