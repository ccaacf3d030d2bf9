package fcmsim

import (
	"fmt"
	"strconv"
	"sync/atomic"
	"time"
)

// Quota is what each project may send, as FCM counts it. It is a token bucket that is refilled
// whole each minute; the minutes start at an offset from the clock's. Every request that is read
// takes a token, whatever the response, except those answered with 429.
type Quota struct {
	// PerMinute is the size of the bucket in messages; 0 sets no limit.
	PerMinute int `json:"perMinute"`
	// Offset of the minutes from those of the clock, from 0 to 24 hours.
	Offset Duration `json:"offset,omitzero"`
	// Code is QUOTA_EXCEEDED, as in FCM's reference, or RATE_LIMIT_EXCEEDED, as from Google's front
	// end. Unset is the first.
	Code Code `json:"code,omitzero"`
	// RetryAfter is "seconds" until the refill (the default), its "date", or "none". Any other text
	// is used as in Outcome.RetryAfter.
	RetryAfter string `json:"retryAfter,omitempty"`
}

// maxOffset is longer than any minute a test wants; Options.Speed may stretch minutes.
const maxOffset = 24 * time.Hour

func (q Quota) check() error {
	switch {
	case q.PerMinute < 0 || q.PerMinute > maxCount:
		return fmt.Errorf("perMinute %d is not between 0 and %d", q.PerMinute, maxCount)
	case q.Offset < 0 || time.Duration(q.Offset) > maxOffset:
		return fmt.Errorf("offset %s is not between 0 and %s", q.Offset, maxOffset)
	case q.Code != CodeOK && q.Code != CodeQuotaExceeded && q.Code != CodeRateLimited:
		return fmt.Errorf("code %s: want %s or %s", q.Code, CodeQuotaExceeded, CodeRateLimited)
	}
	return checkRetryAfter(q.RetryAfter)
}

func (q Quota) refusalCode() Code {
	if q.Code == CodeOK {
		return CodeQuotaExceeded
	}
	return q.Code
}

// minuteAt returns the number of the current minute, which wraps around, and the time left in it.
func (q Quota) minuteAt(now time.Time, length time.Duration) (number uint32, left time.Duration) {
	since := now.UnixNano() - int64(q.Offset)
	return uint32(since / int64(length)), length - time.Duration(since%int64(length))
}

// bucket is a counter of tokens. Its upper half is the number of a minute, its lower half the
// tokens used in it.
type bucket struct{ state atomic.Uint64 }

// take uses a token of a minute, if one is left.
func (b *bucket) take(minute uint32, limit int) bool {
	for {
		old := b.state.Load()
		current, spent := uint32(old>>32), uint32(old)
		if old == 0 || int32(minute-current) > 0 {
			current, spent = minute, 0
		}
		// A request of the previous minute that was overtaken counts in the new one.
		if int(spent) >= limit {
			return false
		}
		if b.state.CompareAndSwap(old, uint64(current)<<32|uint64(spent+1)) {
			return true
		}
	}
}

// giveBack returns a token, unless its minute is over.
func (b *bucket) giveBack(minute uint32) {
	for {
		old := b.state.Load()
		if uint32(old>>32) != minute || uint32(old) == 0 || b.state.CompareAndSwap(old, old-1) {
			return
		}
	}
}

// retryAfterHeader returns the Retry-After value of a limit that ends after left.
func retryAfterHeader(form string, now time.Time, left time.Duration) string {
	switch form {
	case "none":
		return ""
	case "date":
		return httpDate(roundUp(now.Add(left)))
	case "", "seconds":
		return strconv.FormatInt(int64((left+time.Second-1)/time.Second), 10)
	default:
		return form
	}
}

// checkRetryAfter refuses a date that cannot be calculated. Every other text is valid.
func checkRetryAfter(form string) error {
	_, err := Outcome{RetryAfter: form}.retryAfterValue(time.Time{})
	return err
}

// roundUp rounds up to a whole second, as an HTTP date has no fraction.
func roundUp(t time.Time) time.Time { return t.Add(time.Second - 1).Truncate(time.Second) }
