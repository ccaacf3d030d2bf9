package campaign

import (
	"fmt"
	"math"
	"strconv"
	"time"
)

// The bounds of a campaign's weight, priority and rate.
const (
	MaxWeight   = 1000
	MaxPriority = 9
	MinRate     = 0.01 // a push in 100 s
	MaxRate     = 1e6  // pushes a second
)

// notBefore is what no deadline can be before: a moment in seconds, taken for milliseconds, lies in January 1970, and would end
// everybody as expired at once.
var notBefore = time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)

// within takes a whole number between two bounds.
func within(field *int, value string, low, high int) (problem string) {
	n, err := strconv.Atoi(value)
	if err != nil || n < low || n > high {
		return fmt.Sprintf("is %s, want %d to %d", shorten(value), low, high)
	}
	*field = n
	return ""
}

// setRate takes a decimal number; "" is no cap.
func (s *Spec) setRate(value string) (problem string) {
	if value == "" {
		s.Rate = 0
		return ""
	}
	rate, err := strconv.ParseFloat(value, 64)
	if err != nil || math.IsNaN(rate) || rate < MinRate || rate > MaxRate {
		return fmt.Sprintf("is %s, want %v to %.0f pushes a second, such as 0.5; leave it out for none", shorten(value), MinRate, MaxRate)
	}
	s.Rate = rate
	return ""
}

// setDeadline takes milliseconds since 1970 or RFC 3339; "" is none.
func (s *Spec) setDeadline(value string) (problem string) {
	s.Deadline = time.Time{}
	if value == "" {
		return ""
	}
	at := parseTime(value)
	if at.Before(notBefore) {
		return fmt.Sprintf("is %s, want a moment such as 2030-01-31T18:00:00+07:00, or milliseconds since 1970", shorten(value))
	}
	s.Deadline = at
	return ""
}

func formatRate(rate float64) string {
	if rate == 0 {
		return ""
	}
	return strconv.FormatFloat(rate, 'f', -1, 64)
}

func formatDeadline(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return strconv.FormatInt(at.UnixMilli(), 10)
}

// Earliest is the first of some deadlines, where zero means none.
func Earliest(deadlines ...time.Time) time.Time {
	var first time.Time
	for _, at := range deadlines {
		if !at.IsZero() && (first.IsZero() || at.Before(first)) {
			first = at
		}
	}
	return first
}
