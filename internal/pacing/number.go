package pacing

import (
	"strconv"
	"time"

	"fanfare/internal/bounds"
)

func micros(n int64) time.Duration { return time.Duration(n) * time.Microsecond }

// instant is what µs of the server's clock mean, within bounds.
func instant(us int64) time.Time { return bounds.Micro(us) }

// number writes all digits of a float.
func number(f float64) string { return strconv.FormatFloat(f, 'g', 17, 64) }

// whole reads what the scripts wrote; what is missing is 0.
func whole(text string) int64 {
	n, _ := strconv.ParseInt(text, 10, 64)
	return n
}

func flag(on bool) string {
	if on {
		return "1"
	}
	return "0"
}

func sooner(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
