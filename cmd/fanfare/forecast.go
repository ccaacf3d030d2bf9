package main

import (
	"fmt"
	"time"

	"fanfare/internal/operator"
)

// estimated marks a figure that is no count.
const estimated = "≈"

// forecastCells are the rate and the remaining time in a list; "–" while unknown or held.
func forecastCells(v operator.View) (rate, left string) {
	f := v.Forecast
	if f == nil || isHeld(v.Reasons) {
		return "–", "–"
	}
	rate, left = estimated+rateOf(f.Rate)+"/s", "–"
	if f.Longest > 0 {
		left = estimated + band(f.Shortest, f.Longest)
	}
	return rate, left
}

// forecastText is the rate and the remaining time in a view; "" while unknown or held.
func forecastText(v operator.View) string {
	rate, left := forecastCells(v)
	switch {
	case rate == "–":
		return ""
	case left == "–":
		return rate
	}
	return rate + ", " + left + " to go"
}

// band formats a span of time that is known roughly.
func band(shortest, longest time.Duration) string {
	short, long := roughly(shortest), roughly(longest)
	if short == long {
		return short
	}
	return short + "–" + long
}

// roughly formats a span in its largest unit, or in hours and minutes below ten hours.
func roughly(d time.Duration) string {
	minutes := int(d.Round(time.Minute).Minutes())
	switch {
	case d < time.Minute:
		return age(d)
	case minutes < 60:
		return fmt.Sprintf("%dm", minutes)
	case minutes < 600:
		return fmt.Sprintf("%dh%02dm", minutes/60, minutes%60)
	}
	return age(d)
}
