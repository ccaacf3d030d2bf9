package operator

import (
	"testing"
	"time"
)

func TestFiguresHaveSeparators(t *testing.T) {
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567", -1000: "-1,000"} {
		equal(t, "count", Thousands(n), want)
	}
	for x, want := range map[float64]string{
		0: "0", 0.5: "0.5", 12.345: "12.35", 100: "100", 999.999: "1,000", 10_000: "10,000", 1_234_567.25: "1,234,567.25",
	} {
		equal(t, "number", Decimal(x), want)
	}
}

func TestSpansHaveNoIdleZeros(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0s", time.Second: "1s", 90 * time.Second: "1m30s", time.Minute: "1m", 10 * time.Minute: "10m", time.Hour: "1h", 168 * time.Hour: "168h",
		time.Hour + 30*time.Second: "1h0m30s", 100 * time.Hour: "100h", 90 * time.Minute: "1h30m", 1500 * time.Millisecond: "1.5s",
	} {
		equal(t, "span", Span(d), want)
	}
}
