package notification

import (
	"testing"
	"time"
)

func TestLastSeenIsParsed(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 1, 9, 30, 15, 250e6, time.UTC)
	second := at.Truncate(time.Second)
	for text, want := range map[string]time.Time{
		"2026-03-01T10:30:15.25+01:00": at,
		"2026-03-01 09:30:15.25+00:00": at,
		"2026-03-01 10:30:15.25+01":    at,
		"2026-03-01 09:30:15":          second,
		"2026-03-01":                   time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC),
		"1772357415":                   second,
		"1772357415.25":                at,
		"1772357415250":                at,
		"1772357415250000":             at,
		"99999999999":                  time.Unix(99_999_999_999, 0),
		"100000000000":                 time.UnixMilli(100_000_000_000),
		"99999999999999":               time.UnixMilli(99_999_999_999_999),
		"100000000000000":              time.UnixMicro(100_000_000_000_000),
		"1":                            time.Unix(1, 0),
		"1970-01-01T00:00:00Z":         time.Unix(0, 0),
		"9999-12-31T23:59:59Z":         time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC),
		"0":                            {},
		"-1":                           {},
		"NaN":                          {},
		"1e17":                         {},
		"Inf":                          {},
		"1969-12-31T23:59:59Z":         {},
		"9999-12-31T23:59:59-01:00":    {},
		"1970-01-01T00:00:00+01:00":    {},
		"yesterday":                    {},
		"":                             {},
	} {
		if got := ParseLastSeen(text); !got.Equal(want) || got.Location() != time.UTC {
			t.Errorf("%q is read as %s, want %s", text, got, want)
		}
	}
}
