// Package bounds keeps what others wrote within what we can work with: Redis, SQL, FCM and an application may hold any number
// where we expect a moment or a small count. A moment outside the years 1970 to 9999 can be neither shown as JSON nor stored
// in SQL, and its distance to another one overflows.
package bounds

import "time"

// The first and the last moment that are taken.
var (
	first = time.UnixMilli(0).UTC()
	last  = time.Date(9999, time.December, 31, 23, 59, 59, 999_000_000, time.UTC)
)

// Milli is a moment given in ms since 1970, or the nearest one within the bounds.
func Milli(ms int64) time.Time {
	return time.UnixMilli(min(max(ms, first.UnixMilli()), last.UnixMilli())).UTC()
}

// Micro is a moment given in µs since 1970, or the nearest one within the bounds.
func Micro(us int64) time.Time {
	return time.UnixMicro(min(max(us, first.UnixMicro()), last.UnixMicro())).UTC()
}

// Contains reports whether a moment lies within the bounds.
func Contains(t time.Time) bool { return !t.Before(first) && !t.After(last) }

// Count is a number of things, or the nearest one from 0 to a million.
func Count(n int) int { return min(max(n, 0), 1_000_000) }

// Span is a duration given in ms, or the nearest one from 0 to a hundred years.
func Span(ms int64) time.Duration {
	const most = 100 * 365 * 24 * time.Hour
	return time.Duration(min(max(ms, 0), most.Milliseconds())) * time.Millisecond
}
