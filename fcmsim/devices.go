package fcmsim

import (
	"fmt"
	"sync"
	"time"
)

// DeviceLimits is what one registration token or installation may receive. FCM allows 240 a minute
// and 5,000 an hour. A device's minute and hour start with its first message.
type DeviceLimits struct {
	// PerMinute and PerHour are numbers of messages; 0 sets no limit.
	PerMinute int `json:"perMinute,omitempty"`
	PerHour   int `json:"perHour,omitempty"`
	// RetryAfter is used as in Quota.
	RetryAfter string `json:"retryAfter,omitempty"`
}

func (l DeviceLimits) check() error {
	if min(l.PerMinute, l.PerHour) < 0 || max(l.PerMinute, l.PerHour) > maxCount {
		return fmt.Errorf("limits %d and %d: both must be between 0 and %d", l.PerMinute, l.PerHour, maxCount)
	}
	return checkRetryAfter(l.RetryAfter)
}

func (l DeviceLimits) isSet() bool { return l.PerMinute > 0 || l.PerHour > 0 }

// window counts messages since it began.
type window struct {
	began time.Time
	count int
}

// remaining returns how long a full window of this length lasts; 0 means that there is room.
func (w window) remaining(now time.Time, length time.Duration, limit int) time.Duration {
	if limit == 0 || w.count < limit {
		return 0
	}
	return max(0, length-now.Sub(w.began))
}

func (w *window) add(now time.Time, length time.Duration) {
	if now.Sub(w.began) >= length {
		*w = window{began: now}
	}
	w.count++
}

type device struct{ minute, hour window }

// devices counts messages by the target's hash. It forgets a device when its hour is over.
type devices struct {
	minute, hour time.Duration
	shards       [ledgerShards]deviceShard
}

type deviceShard struct {
	mu    sync.Mutex
	swept time.Time
	known map[uint64]device
}

// take counts a message to a device. If a limit is reached, it counts nothing and returns how long
// that lasts.
func (d *devices) take(target uint64, now time.Time, limits DeviceLimits) (left time.Duration) {
	s := &d.shards[target%ledgerShards]
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sweep(now, d.hour)
	known := s.known[target]
	left = max(known.minute.remaining(now, d.minute, limits.PerMinute), known.hour.remaining(now, d.hour, limits.PerHour))
	if left > 0 {
		return left
	}
	known.minute.add(now, d.minute)
	known.hour.add(now, d.hour)
	s.known[target] = known
	return 0
}

func (s *deviceShard) sweep(now time.Time, hour time.Duration) {
	if s.known == nil {
		s.known, s.swept = make(map[uint64]device), now
	}
	if now.Sub(s.swept) < hour {
		return
	}
	s.swept = now
	for target, known := range s.known {
		if now.Sub(known.hour.began) >= hour {
			delete(s.known, target)
		}
	}
}

// installations is a set of devices.
type installations struct{ known sync.Map }

func (i *installations) has(device uint64) bool {
	_, ok := i.known.Load(device)
	return ok
}

func (i *installations) add(device uint64) { i.known.LoadOrStore(device, struct{}{}) }
