package config

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
)

// suggestKey returns the known key most like the given one, or "" if none is close.
func suggestKey(name string, known map[string]bool) string {
	const tooFar = 4
	best, distance := "", min(tooFar, len(name)/2+1)
	for candidate := range known {
		candidate = strings.TrimSuffix(candidate, ".")
		d := editDistance(name, candidate)
		if d < distance || d == distance && best != "" && candidate < best {
			best, distance = candidate, d
		}
	}
	if best == "" {
		return ""
	}
	return best + "?"
}

// editDistance is the Levenshtein distance of two short texts.
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		above := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := above
			if a[i] != b[j] {
				change++
			}
			above = row[j+1]
			row[j+1] = slices.Min([]int{change, above + 1, row[j] + 1})
		}
	}
	return row[len(b)]
}

// suggestVariable also recognises the variables that Kubernetes sets for a Service named "fanfare".
func suggestVariable(name, value string, known map[string]bool) string {
	if strings.HasSuffix(name, "_SERVICE_HOST") || strings.HasSuffix(name, "_SERVICE_PORT") || isServiceLink(value) {
		return enableServiceLinks
	}
	return suggestKey(name, known)
}

const enableServiceLinks = "enableServiceLinks: false in the pod, since Kubernetes sets this variable"

// isServiceLink recognises the value that Kubernetes sets in REDIS_PORT for a Service named
// "redis".
func isServiceLink(value string) bool { return strings.HasPrefix(value, "tcp://") }

// detectContent names the kind of content that was pasted in place of a path. It returns "" if the
// text may be a path.
func detectContent(text string) string {
	trimmed := strings.Trim(text, " \t\r\n\"'")
	switch {
	case strings.HasPrefix(trimmed, "{"), strings.HasPrefix(trimmed, "["):
		return "JSON"
	case strings.Contains(trimmed, "-----BEGIN"), strings.Contains(trimmed, "-----END"):
		return "PEM"
	case strings.ContainsAny(trimmed, "\r\n"), strings.Contains(trimmed, `\n`):
		return "text of several lines"
	case isEncodedContent(trimmed):
		return "base64"
	case len(trimmed) > maxPath:
		return "text of " + Size(len(trimmed)).String()
	}
	return ""
}

// maxPath is the longest path that Linux accepts.
const maxPath = 4095

// isEncodedContent reports whether text begins with the base64 of JSON or PEM. No path decodes to
// either.
func isEncodedContent(text string) bool {
	const enough = 40
	if len(text) < enough {
		return false
	}
	begin, err := base64.StdEncoding.DecodeString(strings.NewReplacer("-", "+", "_", "/").Replace(text[:enough]))
	return err == nil && (strings.HasPrefix(strings.TrimSpace(string(begin)), "{") || strings.HasPrefix(string(begin), "-----BEGIN"))
}

// pastedError is the error of a file's content in place of its path.
type pastedError struct{ content string }

func (e *pastedError) Error() string { return "holds " + e.content + ", not the path of a file" }

// urlError names the character in a user name or password that makes a URL invalid. It shows
// nothing else of the URL.
type urlError struct {
	character rune
	instead   string // another setting for the password; may be empty
}

func (e *urlError) Error() string {
	return fmt.Sprintf("its user name or password contains %q, which must be escaped in a URL", e.character)
}

func (e *urlError) advice() string {
	escaped := ""
	for _, b := range []byte(string(e.character)) {
		escaped += fmt.Sprintf("%%%02X", b)
	}
	if e.instead == "" {
		return escaped + " in its place"
	}
	return fmt.Sprintf("%s in its place, or leave the password out and set %s", escaped, e.instead)
}

// passwordVariables take a password that the URL leaves out.
var passwordVariables = map[string]string{"redis.url": "REDIS_PASSWORD"}

// findBadCharacter finds a character in the user name or password that ends it too early or is not
// allowed in a URL.
func findBadCharacter(address string) (character rune, found bool) {
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
		return findNonUserinfo(rest[:max(at, 0)])
	}
	if beyond := rest[end+1 : at]; !strings.ContainsAny(beyond, "?=") {
		return rune(rest[end]), true
	}
	return 0, false
}

func findNonUserinfo(userinfo string) (rune, bool) {
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
