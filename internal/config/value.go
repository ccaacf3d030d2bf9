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

// URL is an address that may contain credentials, which are never printed.
type URL string

// Reveal returns the address with its credentials.
func (u URL) Reveal() string { return string(u) }

// String hides the password, a secret in place of the user name, and the query, in which libraries
// accept passwords too.
func (u URL) String() string {
	if u == "" {
		return ""
	}
	parsed, err := url.Parse(string(u))
	if err != nil || parsed.Scheme == "" || parsed.Scheme != "sqlite" && parsed.Opaque != "" {
		return redact.Hidden // unknown form; the password may be anywhere
	}
	name := parsed.User.Username()
	if redact.HasCredential(name) { // checked here, because escaping would hide it from later checks
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

// MarshalText hides the credentials from JSON and logs.
func (u URL) MarshalText() ([]byte, error) { return []byte(u.String()), nil }

// HookURL is the address of a webhook. Its path is never printed either: services such as Slack,
// Discord and Zapier have a secret there.
type HookURL string

// Reveal returns the whole address.
func (u HookURL) Reveal() string { return string(u) }

// String shows the scheme and the host.
func (u HookURL) String() string {
	if u == "" {
		return ""
	}
	parsed, err := url.Parse(string(u))
	if err != nil || parsed.Host == "" {
		return redact.Hidden
	}
	shown := url.URL{Scheme: parsed.Scheme, Host: parsed.Host}
	if parsed.Path != "" && parsed.Path != "/" {
		shown.Path = "/redacted"
	}
	return shown.String()
}

// GoString hides the path from %#v too.
func (u HookURL) GoString() string { return strconv.Quote(u.String()) }

// MarshalText hides the path from JSON and logs.
func (u HookURL) MarshalText() ([]byte, error) { return []byte(u.String()), nil }

// Statement is an SQL statement, or one of two words: "default" for the store's own, "off" for
// none.
type Statement string

const (
	statementDefault = "default"
	statementOff     = "off"
)

// IsOff reports whether SQL is not used at all.
func (s Statement) IsOff() bool { return s == statementOff }

// SQL returns the statement. If it is empty and not off, the store uses its own.
func (s Statement) SQL() string {
	if s == statementDefault || s == statementOff {
		return ""
	}
	return string(s)
}

// Address is a host:port to listen on. Empty means not to listen; the settings say "off".
type Address string

const addressOff = "off"

// Size is a number of bytes, written as 65536, 64KiB or 4MiB.
type Size int64

var units = []struct {
	suffix string
	bytes  int64
}{{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}, {"B", 1}, {"", 1}}

// String uses the largest unit that divides the size.
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
