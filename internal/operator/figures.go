package operator

import (
	"fmt"
	"strings"
	"time"
)

// Thousands writes a count with separators, as a person reads it.
func Thousands[N int | int64](n N) string {
	if n < 0 {
		return "-" + Thousands(-n)
	}
	if n < 1000 {
		return fmt.Sprint(n)
	}
	return fmt.Sprintf("%s,%03d", Thousands(n/1000), n%1000)
}

// Decimal is a number that is not negative, with separators and as many decimals as it needs, two at the most.
func Decimal(x float64) string {
	whole, fraction, _ := strings.Cut(fmt.Sprintf("%.2f", x), ".")
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	return strings.TrimSuffix(whole+"."+strings.TrimRight(fraction, "0"), ".")
}

// Span is a length of time for a person, without the zeros that Go writes: 1m and not 1m0s.
func Span(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

// LocalTime is a time in the time zone of this process, as a person reads it.
func LocalTime(at time.Time) string { return at.Local().Format(time.DateTime) }
