package fcmsim

import (
	"fmt"
	"strconv"
	"sync/atomic"
	"time"
)

// Quota is what each project may send, as FCM counts it: a bucket of tokens that is full again at the end of every
// minute, where the minutes are not those of the clock. Every request that was read costs a token, whatever the answer,
// but for those that are answered 429.
type Quota struct {
	// PerMinute is the size of the bucket; 0 sets no limit.
	PerMinute int `json:"perMinute"`
	// Offset of the minutes from those of the clock.
	Offset Duration `json:"offset,omitzero"`
	// Code of the refusal: QUOTA_EXCEEDED, in the words of the reference, or RATE_LIMIT_EXCEEDED, in those of Google's
	// front end. Unset is the first.
	Code Code `json:"code,omitzero"`
	// RetryAfter is "seconds" until the refill, its "date", or "none"; any other text as in an Outcome. Empty is seconds.
	RetryAfter string `json:"retryAfter,omitempty"`
}

// maxOffset is more than any minute lasts that a test may want: Options may stretch it.
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

// minute tells which minute of so long it is, and when the next begins. The number wraps around.
func (q Quota) minuteAt(now time.Time, length time.Duration) (number uint32, left time.Duration) {
	since := now.UnixNano() - int64(q.Offset)
	return uint32(since / int64(length)), length - time.Duration(since%int64(length))
}

// bucket holds the number of a minute in its upper half and the tokens spent in it in its lower.
type bucket struct{ state atomic.Uint64 }

// take spends a token of a minute, if one is left.
func (b *bucket) take(minute uint32, limit int) bool {
	for {
		old := b.state.Load()
		current, spent := uint32(old>>32), uint32(old)
		if old == 0 || int32(minute-current) > 0 {
			current, spent = minute, 0
		}
		// A request that was overtaken at the minute's turn spends from the new one.
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

// refillHeader is the Retry-After header of a limit that ends so much later.
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

// checkRetryAfter refuses a date that cannot be reckoned; every other text may be sent, garbage included.
func checkRetryAfter(form string) error {
	_, err := Outcome{RetryAfter: form}.retryAfterValue(time.Time{})
	return err
}

// roundUp to the whole second, as an HTTP date has no parts of one.
func roundUp(t time.Time) time.Time { return t.Add(time.Second - 1).Truncate(time.Second) }
