package fcm

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// maxRetryAfter is the longest wait that a server is believed.
const maxRetryAfter = time.Hour

// parseRetryAfter reads seconds or an HTTP date. What cannot be read, or lies in the past, asks for nothing.
func parseRetryAfter(value string, now time.Time) (wait time.Duration, capped bool) {
	value = strings.TrimSpace(value)
	if seconds, err := strconv.ParseInt(value, 10, 64); err == nil || isDigits(value) {
		if err != nil || seconds > int64(maxRetryAfter/time.Second) {
			return maxRetryAfter, true
		}
		return max(0, time.Duration(seconds)*time.Second), false
	}
	at, err := http.ParseTime(value)
	if err != nil {
		return 0, false
	}
	wait = max(0, at.Sub(now))
	return min(wait, maxRetryAfter), wait > maxRetryAfter
}

// isDigits holds for numbers that are too long for an int64 as well.
func isDigits(value string) bool {
	return value != "" && strings.Trim(value, "0123456789") == ""
}
