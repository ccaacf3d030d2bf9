package fcm

import (
	"math"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// maxRetryAfter is the longest wait that a server is believed.
const maxRetryAfter = time.Hour

// seconds is how HTTP writes a delay. Some proxies add a fraction.
var seconds = regexp.MustCompile(`^\d+(\.\d*)?$`)

// parseRetryAfter reads seconds or an HTTP date. A negative delay, a moment in the past and what cannot be read ask for
// nothing, so that the caller takes its own wait. Anything above an hour is an hour, and capped.
func parseRetryAfter(value string, now time.Time) (wait time.Duration, capped bool) {
	value = strings.TrimSpace(value)
	if seconds.MatchString(value) {
		n, err := strconv.ParseFloat(value, 64)
		if err != nil || n > maxRetryAfter.Seconds() {
			return maxRetryAfter, true
		}
		return time.Duration(math.Ceil(n)) * time.Second, false
	}
	at, err := http.ParseTime(value)
	if err != nil {
		return 0, false
	}
	wait = max(0, at.Sub(now))
	return min(wait, maxRetryAfter), wait > maxRetryAfter
}
