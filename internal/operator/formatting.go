package operator

import (
	"fmt"
	"strings"
	"time"
)

// Thousands formats a count with separators.
func Thousands[N int | int64](n N) string {
	if n < 0 {
		return "-" + Thousands(-n)
	}
	if n < 1000 {
		return fmt.Sprint(n)
	}
	return fmt.Sprintf("%s,%03d", Thousands(n/1000), n%1000)
}

// Decimal formats a number of at least 0 with separators, and with as many decimals as it needs,
// at most two.
func Decimal(x float64) string {
	whole, fraction, _ := strings.Cut(fmt.Sprintf("%.2f", x), ".")
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	return strings.TrimSuffix(whole+"."+strings.TrimRight(fraction, "0"), ".")
}

// Span formats a duration without the zeros that Go adds: 1m, not 1m0s.
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

// LocalTime formats a time in the time zone of this process.
func LocalTime(at time.Time) string { return at.Local().Format(time.DateTime) }
