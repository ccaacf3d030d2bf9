package responses

import (
	"errors"
	"fmt"
	"testing"
)

// A moment that SQL cannot hold is refused here, as one that cannot be read: a whole batch would fail for it.
func TestMomentsOutOfBoundsAreMalformed(t *testing.T) {
	for at, want := range map[string]bool{
		"2026-01-31T10:00:00.000Z": true, "1970-01-01T00:00:00Z": true, "9999-12-31T23:59:59Z": true,
		"0000-01-01T00:00:00Z": false, "0000-01-01T00:00:00+14:00": false, "1969-12-31T23:59:59Z": false,
		"9999-12-31T23:59:59-14:00": false, "10000-01-01T00:00:00Z": false, "0001-01-01T00:00:00Z": false, "-0001-01-01T00:00:00Z": false,
	} {
		for _, form := range []string{
			`{"campaignId":"42","userId":"u1","status":"sent","attempts":1,"at":%q,"resultId":"r"}`,
			`{ "at": %q, "campaignId": 42, "userId": "u1", "status": "sent", "attempts": 99999999999999 }`,
		} {
			r, err := Decode(fmt.Appendf(nil, form, at))
			if _, malformed := errors.AsType[*MalformedError](err); malformed == want || err == nil != want {
				t.Errorf("%s: %v, want it taken: %t", at, err, want)
			}
			if err == nil && (r.Attempts < 0 || r.Attempts > 1_000_000) {
				t.Errorf("%d attempts", r.Attempts)
			}
		}
	}
}
