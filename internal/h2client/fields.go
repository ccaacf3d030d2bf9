package h2client

import (
	"errors"

	"golang.org/x/net/http/httpguts"
)

// What RFC 9113 demands of the fields of a response (sections 8.2 and 8.3). A response that breaks
// a rule counts as none: an intermediary could have put other bytes into it. Spaces around a value
// are left alone, as in net/http: they change nothing, and some proxies write them.

var errMalformed = errors.New("malformed header field")

// isFieldName reports whether a name is a token in lower case.
func isFieldName(name string) bool {
	for i := range len(name) {
		if c := name[i]; 'A' <= c && c <= 'Z' || !httpguts.IsTokenRune(rune(c)) {
			return false
		}
	}
	return name != ""
}

// isFieldValue reports whether a value has no control characters but tabs.
func isFieldValue(value string) bool {
	for i := range len(value) {
		if c := value[i]; c < ' ' && c != '\t' || c == 0x7f {
			return false
		}
	}
	return true
}
