package config

import (
	"fmt"
	"math"
	"net/url"
	"strconv"
	"strings"

	"fanfare/internal/redact"
)

// Secret is a text that is never printed.
type Secret = redact.Secret

// URL is an address that may hold credentials, which are never printed.
type URL string

// Reveal gives the address with its credentials.
func (u URL) Reveal() string { return string(u) }

// String hides the password, a secret in place of the user name, and the whole query, where libraries look for passwords too.
func (u URL) String() string {
	if u == "" {
		return ""
	}
	parsed, err := url.Parse(string(u))
	if err != nil || parsed.Scheme == "" || parsed.Scheme != "sqlite" && parsed.Opaque != "" {
		return redact.Hidden // of another form, with the password anywhere in it
	}
	name := parsed.User.Username()
	if redact.Found(name) { // a secret in the place of the name; escaped as a URL, it would not be found later
		name = "redacted"
	}
	if _, has := parsed.User.Password(); has {
		parsed.User = url.UserPassword(name, "redacted")
	} else if name != "" {
		parsed.User = url.User(name)
	}
	if parsed.RawQuery != "" {
		parsed.RawQuery = "redacted"
	}
	return parsed.String()
}

// GoString hides the credentials from %#v too.
func (u URL) GoString() string { return strconv.Quote(u.String()) }

// MarshalText hides the credentials from JSON and from logs.
func (u URL) MarshalText() ([]byte, error) { return []byte(u.String()), nil }

// Statement is an SQL statement, or one of two words: "default" for the one that the store has, "off" for none.
type Statement string

const (
	statementDefault = "default"
	statementOff     = "off"
)

// Off says that SQL is not to be asked at all.
func (s Statement) Off() bool { return s == statementOff }

// SQL is the statement to use; empty means the store's own, if it is not Off.
func (s Statement) SQL() string {
	if s == statementDefault || s == statementOff {
		return ""
	}
	return string(s)
}

// Address is a host:port to listen on; empty means not to listen. In the settings that is the word "off".
type Address string

const addressOff = "off"

// Size is a number of bytes, written as 65536, 64KiB or 4MiB.
type Size int64

var units = []struct {
	suffix string
	bytes  int64
}{{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}, {"B", 1}, {"", 1}}

// String writes the size in the largest unit that divides it.
func (s Size) String() string {
	for _, unit := range units {
		if n := int64(s); n != 0 && n%unit.bytes == 0 && unit.suffix != "B" {
			return strconv.FormatInt(n/unit.bytes, 10) + unit.suffix
		}
	}
	return "0"
}

func parseSize(text string) (Size, error) {
	for _, unit := range units {
		digits, found := strings.CutSuffix(text, unit.suffix)
		if !found {
			continue
		}
		n, err := strconv.ParseInt(strings.TrimSpace(digits), 10, 64)
		if err != nil {
			return 0, err
		}
		if n < 0 || n > math.MaxInt64/unit.bytes {
			return 0, fmt.Errorf("%d%s is out of range", n, unit.suffix)
		}
		return Size(n * unit.bytes), nil
	}
	return 0, strconv.ErrSyntax
}
