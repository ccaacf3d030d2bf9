package preflight

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

// The figures are those of Wilson's formula as tables have it (E. B. Wilson, 1927).
func TestIntervals(t *testing.T) {
	for _, c := range []struct {
		found, of int
		low, high float64
	}{
		{0, 200, 0, 0.0188}, {3, 200, 0.0051, 0.0432}, {100, 200, 0.4313, 0.5687}, {200, 200, 0.9812, 1}, {1, 1, 0.2065, 1}, {0, 0, 0, 1},
	} {
		s := shareOf(c.found, c.of)
		if math.Abs(s.Low-c.low) > 0.0001 || math.Abs(s.High-c.high) > 0.0001 {
			t.Errorf("%d of %d: got %.4f to %.4f, want %.4f to %.4f", c.found, c.of, s.Low, s.High, c.low, c.high)
		}
	}
	equal(t, "text", shareOf(3, 200).String(), "3 of 200 (1.5%; 0.5% to 4.3% with 95% confidence)")
	equal(t, "audience", shareOf(3, 200).among(1_000_000), "5,114 to 43,166 of 1,000,000 recipients")
}

func TestIntervalsHoldTheShare(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		of := rapid.IntRange(1, 5000).Draw(t, "of")
		found := rapid.IntRange(0, of).Draw(t, "found")
		s := shareOf(found, of)
		if p := s.value(); s.Low > p || p > s.High || s.Low < 0 || s.High > 1 {
			t.Errorf("%d of %d: %.4f to %.4f", found, of, s.Low, s.High)
		}
	})
}
