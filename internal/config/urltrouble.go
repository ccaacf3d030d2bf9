package config

import (
	"fmt"
	"strings"
)

// urlError says which character of a user name or a password keeps an address from being read. Nothing else of it is shown.
type urlError struct {
	character rune
	instead   string // another place for the password; may be empty
}

func (e *urlError) Error() string {
	return fmt.Sprintf("its user name or password holds %q, which a URL cannot hold as it is", e.character)
}

func (e *urlError) cure() string {
	escaped := ""
	for _, b := range []byte(string(e.character)) {
		escaped += fmt.Sprintf("%%%02X", b)
	}
	if e.instead == "" {
		return escaped + " in its place"
	}
	return fmt.Sprintf("%s in its place, or leave the password out and set %s", escaped, e.instead)
}

// passwordSettings are where a password may stand that the URL leaves out.
var passwordSettings = map[string]string{"redis.url": "REDIS_PASSWORD"}

// troubleIn finds the character of a user name or a password that ends it too early, or that no URL holds.
func troubleIn(address string) (character rune, found bool) {
	_, rest, isURL := strings.Cut(address, "://")
	if !isURL {
		return 0, false
	}
	at := strings.LastIndexByte(rest, '@')
	end := strings.IndexAny(rest, "/?#")
	if end >= 0 && rest[end] == '#' { // no address of ours has a fragment
		return '#', true
	}
	if end < 0 || at < end {
		return notInUserinfo(rest[:max(at, 0)])
	}
	if beyond := rest[end+1 : at]; !strings.ContainsAny(beyond, "?=") {
		return rune(rest[end]), true
	}
	return 0, false
}

func notInUserinfo(userinfo string) (rune, bool) {
	for i, c := range userinfo {
		switch {
		case c == '%':
			if len(userinfo) < i+3 || strings.Trim(userinfo[i+1:i+3], "0123456789abcdefABCDEF") != "" {
				return c, true
			}
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', strings.ContainsRune("-._:~!$&'()*+,;=@", c):
		default:
			return c, true
		}
	}
	return 0, false
}
