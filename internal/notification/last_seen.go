package notification

import (
	"strconv"
	"time"
)

// Numbers from these on are milliseconds and microseconds. Below, they are seconds.
const (
	firstMilli = 1e11
	firstMicro = 1e14
)

// ParseLastSeen reads the time of a device's last use: RFC 3339, the text of an SQL timestamp, or a
// number of seconds, milliseconds or microseconds since 1970. It returns the zero time for any
// other text.
func ParseLastSeen(text string) time.Time {
	if number, err := strconv.ParseFloat(text, 64); err == nil {
		return epochTime(number)
	}
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02 15:04:05.999999999Z07:00", "2006-01-02 15:04:05.999999999Z07", time.DateTime, time.DateOnly} {
		if at, err := time.Parse(layout, text); err == nil && isPlausible(at.UTC()) {
			return at.UTC()
		}
	}
	return time.Time{}
}

func epochTime(number float64) time.Time {
	switch {
	case number <= 0 || number >= firstMicro*1e3 || number != number:
		return time.Time{}
	case number >= firstMicro:
		return time.UnixMicro(int64(number)).UTC()
	case number >= firstMilli:
		return time.UnixMilli(int64(number)).UTC()
	}
	return time.UnixMilli(int64(number * 1e3)).UTC()
}

// isPlausible reports whether JSON can hold a time.
func isPlausible(at time.Time) bool { return at.Year() >= 1970 && at.Year() <= 9999 }
