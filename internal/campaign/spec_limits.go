package campaign

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// The bounds of a campaign's weight, priority and rate.
const (
	MaxWeight   = 1000
	MaxPriority = 9
	MinRate     = 0.01 // a push in 100 s
	MaxRate     = 1e6  // pushes a second
)

// notBefore is the earliest deadline that is accepted. A deadline in seconds that is read as
// milliseconds lies in January 1970, and would expire every recipient at once.
var notBefore = time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)

// within parses a whole number between two limits.
func within(field *int, value string, low, high int) (problem string) {
	n, err := strconv.Atoi(value)
	if err != nil || n < low || n > high {
		return fmt.Sprintf("is %s, want %d to %d", shorten(value), low, high)
	}
	*field = n
	return ""
}

// ParseRate parses a decimal number of pushes a second; "" means no cap. The error text follows
// the word "rate".
func ParseRate(value string) (float64, error) {
	if value == "" {
		return 0, nil
	}
	rate, err := strconv.ParseFloat(value, 64)
	if err != nil || math.IsNaN(rate) || rate < MinRate || rate > MaxRate {
		return 0, fmt.Errorf("is %s, want %v to %.0f pushes a second, such as 0.5", shorten(value), MinRate, MaxRate)
	}
	return rate, nil
}

// ParseDeadline parses a moment in RFC 3339 or in milliseconds since 1970; "" means none. The
// error text follows the word "deadline".
func ParseDeadline(value string) (time.Time, error) {
	if value == "" {
		return time.Time{}, nil
	}
	at := parseTime(value)
	if at.Before(notBefore) {
		return time.Time{}, fmt.Errorf("is %s, want a moment from 2020 on, such as 2030-01-31T18:00:00+07:00, or milliseconds (not seconds) since 1970", shorten(value))
	}
	return at, nil
}

// maxProject is far above the 30 characters of a Firebase project's id.
const maxProject = 100

// ParseProject parses the id of a Firebase project; "" means none. The error text follows the
// word "project".
func ParseProject(value string) (string, error) {
	strange := func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("-_.:", r)
	}
	if len(value) > maxProject || strings.ContainsFunc(value, strange) {
		return "", fmt.Errorf("is %s, want the id of a Firebase project, such as my-project-1234", shorten(value))
	}
	return value, nil
}

// take parses the value of a field, and returns the problem as text.
func take[T any](field *T, value string, parse func(string) (T, error)) (problem string) {
	parsed, err := parse(value)
	if err != nil {
		return err.Error()
	}
	*field = parsed
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

// Earliest returns the first of the deadlines; zero ones are ignored.
func Earliest(deadlines ...time.Time) time.Time {
	var first time.Time
	for _, at := range deadlines {
		if !at.IsZero() && (first.IsZero() || at.Before(first)) {
			first = at
		}
	}
	return first
}
