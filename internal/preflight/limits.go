package preflight

import (
	"fmt"

	"fanfare/internal/breaker"
	"fanfare/internal/checks"
	"fanfare/internal/operator"
)

// limits are what the breaker stops a campaign at, by kind of answer.
type limits func(breaker.Kind) breaker.Threshold

// of is the zero Threshold, which nothing reaches, where no breaker watches.
func (l limits) of(kind breaker.Kind) breaker.Threshold {
	if l == nil {
		return breaker.Threshold{}
	}
	return l(kind)
}

// against tells how the audience that a sample speaks for stands to a limit: a failure where it is beyond it with 95% confidence,
// a warning where it may be.
func (s Share) against(limit breaker.Threshold, audience int64) checks.Grade {
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

// addLimit adds to a finding what the breaker would do about it.
func addLimit(f *checks.Finding, grade checks.Grade, limit breaker.Threshold) {
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
