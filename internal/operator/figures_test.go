package operator

import "testing"

func TestFiguresHaveSeparators(t *testing.T) {
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567", -1000: "-1,000"} {
		equal(t, "count", Thousands(n), want)
	}
	for x, want := range map[float64]string{
		0: "0", 0.5: "0.5", 12.345: "12.35", 100: "100", 999.999: "1,000", 10_000: "10,000", 1_234_567.25: "1,234,567.25",
	} {
		equal(t, "number", decimal(x), want)
	}
}
