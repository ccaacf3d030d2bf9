package operator

import (
	"fmt"
	"math"
	"strings"
	"time"

	"fanfare/internal/campaign"
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

// Ago says how long ago a moment was, in its largest unit: "12 min ago".
func Ago(at, now time.Time) string {
	switch age := now.Sub(at); {
	case age < time.Minute:
		return "just now"
	case age < time.Hour:
		return fmt.Sprintf("%d min ago", int(age.Minutes()))
	case age < 48*time.Hour:
		return fmt.Sprintf("%d h ago", int(age.Hours()))
	default:
		return fmt.Sprintf("%d days ago", int(age.Hours())/24)
	}
}

// DescribeEnd says who cancelled an ended campaign, how long ago, and why it ended. A zero now
// leaves out how long ago; the text is empty if there is nothing to add to the state.
func DescribeEnd(s campaign.Spec, now time.Time) string {
	switch {
	case !s.State.HasEnded():
		return ""
	case s.CancelledBy == "":
		return s.Reason
	}
	text := "Cancelled by " + s.CancelledBy
	if !s.FinishedAt.IsZero() && !now.IsZero() {
		text += " " + Ago(s.FinishedAt, now)
	}
	if s.Reason != "" {
		text += ": " + s.Reason
	}
	return text
}

// LocalTime formats a time in the time zone of this process, and names the zone.
func LocalTime(at time.Time) string { return at.Local().Format(time.DateTime + " MST") }

// Share formats n of all in percent: one decimal, two below 1%, and never 0 or 100 for some.
func Share(n, all int64) string {
	switch {
	case all == 0:
		return "–"
	case n == 0:
		return "0%"
	case n >= all:
		return "100%"
	}
	percent := 100 * float64(n) / float64(all)
	switch {
	case percent < 0.01:
		return "<0.01%"
	case percent < 1:
		return fmt.Sprintf("%.2f%%", percent)
	case percent > 99.9:
		return ">99.9%"
	case percent >= 10 && percent == math.Trunc(percent):
		return fmt.Sprintf("%.0f%%", percent)
	}
	return fmt.Sprintf("%.1f%%", percent)
}
