package console

import (
	"fmt"
	"math"
	"strings"
	"time"

	"fanfare/internal/operator"
)

// share formats n of all in percent.
func share(n, all int64) string { return operator.Share(n, all) }

// million formats a large number for a tile: the figure and its unit.
func million(n int64) (figure, unit string) {
	switch {
	case n < 1_000_000:
		return operator.Thousands(n), ""
	case n < 1_000_000_000:
		return fmt.Sprintf("%.2f", float64(n)/1e6), "million"
	}
	return fmt.Sprintf("%.2f", float64(n)/1e9), "billion"
}

// span formats a duration in words that people say, with two units at most.
func span(d time.Duration) string {
	d = max(0, d)
	switch {
	case d < 10*time.Second:
		return fmt.Sprintf("%.1f s", d.Seconds())
	case d < 2*time.Minute:
		return fmt.Sprintf("%.0f s", d.Seconds())
	case d < time.Hour:
		return units(int(d.Minutes()), "min", int(d.Seconds())%60, "s")
	case d < 48*time.Hour:
		return units(int(d.Hours()), "h", int(d.Minutes())%60, "min")
	}
	return units(int(d.Hours())/24, "days", int(d.Hours())%24, "h")
}

// ageText says in the head of a panel how old its figures are.
func ageText(age time.Duration) string { return span(age) + " old" }

func units(large int, name string, small int, smaller string) string {
	if small == 0 {
		return fmt.Sprintf("%d %s", large, name)
	}
	return fmt.Sprintf("%d %s %d %s", large, name, small, smaller)
}

// about formats an estimated span as a band in one unit.
func about(short, long time.Duration) string {
	unit, name := time.Second, "s"
	switch {
	case long >= 48*time.Hour:
		unit, name = 24*time.Hour, "days"
	case long >= 2*time.Hour:
		unit, name = time.Hour, "h"
	case long >= 2*time.Minute:
		unit, name = time.Minute, "min"
	}
	from, to := int(math.Round(float64(short)/float64(unit))), int(math.Ceil(float64(long)/float64(unit)))
	if from >= to || from < 1 {
		return fmt.Sprintf("≈ %d %s", max(1, to), name)
	}
	return fmt.Sprintf("≈ %d to %d %s", from, to, name)
}

// clock formats a moment of today as a time, another one with its date. All are UTC.
func clock(at, now time.Time) string {
	at, now = at.UTC(), now.UTC()
	if at.IsZero() {
		return "–"
	}
	if at.Year() == now.Year() && at.YearDay() == now.YearDay() {
		return at.Format("15:04:05")
	}
	return at.Format("2 Jan 2006 15:04")
}

// rate formats recipients a second.
func rate(perSecond float64) string {
	if perSecond > 0 && perSecond < 10 {
		return strings.TrimSuffix(fmt.Sprintf("%.1f", perSecond), ".0")
	}
	return operator.Thousands(int64(math.Round(perSecond)))
}

// clip shortens a text to a number of bytes, at a rune's border.
func clip(text string, most int) string {
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "")
}

// countOf is plural for templates, whose numbers are of either type.
func countOf(n any, one, many string) (string, error) {
	switch n := n.(type) {
	case int:
		return plural(n, one, many), nil
	case int64:
		return plural(n, one, many), nil
	}
	return "", fmt.Errorf("count %T: want an int or an int64", n)
}

// plural returns the word for a number of things.
func plural[N int | int64](n N, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return operator.Thousands(n) + " " + many
}
