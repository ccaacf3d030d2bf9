package preflight

import (
	"fmt"
	"math"

	"fanfare/internal/breaker"
	"fanfare/internal/checks"
	"fanfare/internal/operator"
)

// z95 is the 97.5% quantile of the normal distribution. 95% of all values lie within it on both
// sides.
const z95 = 1.959964

// Share is a part of a sample, and its 95% confidence interval for the whole audience. The interval
// is Wilson's (E. B. Wilson, 1927). It also holds for small samples and for shares near 0 and 1.
type Share struct {
	Found int     `json:"found"`
	Of    int     `json:"of"`
	Low   float64 `json:"low"`
	High  float64 `json:"high"`
}

func shareOf(found, of int) Share {
	s := Share{Found: found, Of: of, High: 1}
	if of == 0 {
		return s
	}
	n, p := float64(of), float64(found)/float64(of)
	scale := 1 + z95*z95/n
	centre := (p + z95*z95/(2*n)) / scale
	half := z95 / scale * math.Sqrt(p*(1-p)/n+z95*z95/(4*n*n))
	s.Low, s.High = max(0, centre-half), min(1, centre+half)
	if found == 0 {
		s.Low = 0 // removes a rounding error
	}
	if found == of {
		s.High = 1
	}
	return s
}

// value is the share in the sample, 0 to 1.
func (s Share) value() float64 {
	if s.Of == 0 {
		return 0
	}
	return float64(s.Found) / float64(s.Of)
}

// String is "3 of 200 (1.5%; 0.5% to 4.3% with 95% confidence)".
func (s Share) String() string {
	if s.Of == 0 {
		return "0 of 0"
	}
	return fmt.Sprintf("%s of %s (%.1f%%; %.1f%% to %.1f%% with 95%% confidence)", operator.Thousands(s.Found), operator.Thousands(s.Of), 100*s.value(), 100*s.Low, 100*s.High)
}

// inAudience is the share of an audience: "1,200 to 9,000 of 1,000,000 recipients".
func (s Share) inAudience(audience int64) string {
	low, high := math.Floor(s.Low*float64(audience)), math.Ceil(s.High*float64(audience))
	return fmt.Sprintf("%s to %s of %s recipients", operator.Thousands(int64(low)), operator.Thousands(int64(high)), operator.Thousands(audience))
}

// limits returns the threshold at which the breaker stops a campaign, by kind of answer.
type limits func(breaker.Kind) breaker.Threshold

// thresholdOf returns the zero Threshold, which nothing reaches, if the breaker is off.
func (l limits) thresholdOf(kind breaker.Kind) breaker.Threshold {
	if l == nil {
		return breaker.Threshold{}
	}
	return l(kind)
}

// gradeAgainst compares the audience with a limit. It is a failure if the audience exceeds the
// limit with 95% confidence, and a warning if it may.
func (s Share) gradeAgainst(limit breaker.Threshold, audience int64) checks.Grade {
	beyond := func(share float64) bool {
		return share >= limit.Share && share*float64(audience) >= float64(limit.Least)
	}
	switch {
	case limit.Least == 0 || s.Found == 0:
		return checks.Good
	case beyond(s.Low):
		return checks.Failure
	case beyond(s.High):
		return checks.Warning
	}
	return checks.Good
}

// applyLimit adds to a finding what the breaker would do about it.
func applyLimit(f *checks.Finding, grade checks.Grade, limit breaker.Threshold) {
	if grade.IsWorse(f.Grade) {
		f.Grade = grade
	}
	at := fmt.Sprintf("%s%% and %s of them", operator.Decimal(100*limit.Share), operator.Thousands(limit.Least))
	switch grade {
	case checks.Failure:
		f.Detail += "; the breaker stops the campaign at " + at
	case checks.Warning:
		f.Detail += "; the breaker may stop the campaign, at " + at
	}
}
