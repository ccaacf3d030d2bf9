// Package bounds clamps numbers that other programs wrote. Redis, SQL, FCM and an application may
// hold any number in the place of a time or a small count. A time outside the years 1970 to 9999
// fits neither JSON nor SQL, and its distance to another time overflows.
package bounds

import "time"

// The first and the last valid time.
var (
	first = time.UnixMilli(0).UTC()
	last  = time.Date(9999, time.December, 31, 23, 59, 59, 999_000_000, time.UTC)
)

// Milli converts ms since 1970 to a time within the bounds.
func Milli(ms int64) time.Time {
	return time.UnixMilli(min(max(ms, first.UnixMilli()), last.UnixMilli())).UTC()
}

// Micro converts µs since 1970 to a time within the bounds.
func Micro(us int64) time.Time {
	return time.UnixMicro(min(max(us, first.UnixMicro()), last.UnixMicro())).UTC()
}

// Contains reports whether a time is within the bounds.
func Contains(t time.Time) bool { return !t.Before(first) && !t.After(last) }

// Count clamps a count to the range from 0 to a million.
func Count(n int) int { return min(max(n, 0), 1_000_000) }

// Span converts ms to a duration from 0 to a hundred years.
func Span(ms int64) time.Duration {
	const longest = 100 * 365 * 24 * time.Hour
	return time.Duration(min(max(ms, 0), longest.Milliseconds())) * time.Millisecond
}
