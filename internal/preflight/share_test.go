package preflight

import (
	"fmt"
	"math"
	"testing"

	"pgregory.net/rapid"

	"fanfare/internal/breaker"
	"fanfare/internal/checks"
	"fanfare/internal/fcm"
)

// The figures are those of Wilson's formula, as published in tables (E. B. Wilson, 1927).
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
	equal(t, "audience", shareOf(3, 200).inAudience(1_000_000), "5,114 to 43,166 of 1,000,000 recipients")
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

// answersOf are FCM's answers to a sample of 200.
func answersOf(class fcm.Class, n int) validation {
	return validation{
		asked: 200, counts: map[fcm.Class]int{class: n, fcm.Sent: 200 - n}, examples: map[fcm.Class]fcm.Answer{},
	}
}

func defaultLimit(kind breaker.Kind) breaker.Threshold {
	return breaker.DefaultOptions().Thresholds[kind]
}

// A campaign that the breaker would stop is a failure. One that it may stop is a warning.
func TestPreflightKnowsTheBreakersLimits(t *testing.T) {
	for name, c := range map[string]struct {
		class    fcm.Class
		n        int
		audience int64
		limit    limits
		finding  string
		grade    checks.Grade
		says     string
	}{
		"dead, beyond":       {fcm.Unregistered, 120, 10_000, defaultLimit, "dead tokens", checks.Failure, "the breaker stops the campaign at 50% and 100 of them"},
		"dead, perhaps":      {fcm.Unregistered, 100, 10_000, defaultLimit, "dead tokens", checks.Warning, "the breaker may stop the campaign, at 50%"},
		"dead, many":         {fcm.Unregistered, 60, 10_000, defaultLimit, "dead tokens", checks.Warning, "60 of 200"},
		"dead, some":         {fcm.Unregistered, 20, 10_000, defaultLimit, "dead tokens", checks.Good, "20 of 200"},
		"dead, too few":      {fcm.Unregistered, 120, 90, defaultLimit, "dead tokens", checks.Warning, "120 of 200"},
		"dead, unwatched":    {fcm.Unregistered, 120, 10_000, nil, "dead tokens", checks.Warning, "120 of 200"},
		"senders, beyond":    {fcm.SenderMismatch, 40, 10_000, defaultLimit, "sender", checks.Failure, "stops the campaign at 10% and 20 of them"},
		"senders, perhaps":   {fcm.SenderMismatch, 20, 10_000, defaultLimit, "sender", checks.Warning, "may stop"},
		"senders, few":       {fcm.SenderMismatch, 1, 10_000, defaultLimit, "sender", checks.Warning, "1 of 200"},
		"no tokens, beyond":  {fcm.BadTarget, 60, 10_000, defaultLimit, "targets", checks.Failure, "stops the campaign at 20% and 20 of them"},
		"no tokens, perhaps": {fcm.BadTarget, 40, 10_000, defaultLimit, "targets", checks.Warning, "may stop"},
		"unknown, beyond":    {fcm.Other, 60, 10_000, defaultLimit, "refusals", checks.Failure, "stops the campaign at 20%"},
	} {
		t.Run(name, func(t *testing.T) {
			wantFinding(t, answersOf(c.class, c.n).findings(c.audience, c.limit), c.finding, c.grade, c.says)
		})
	}
}

// A larger share never gets a milder grade. A failure is beyond the limit in the sample itself.
func TestGradesGrowWithTheShare(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limit := breaker.Threshold{Share: rapid.Float64Range(0, 1).Draw(t, "share"), Least: rapid.Int64Range(1, 200).Draw(t, "least")}
		of := rapid.IntRange(1, 500).Draw(t, "of")
		found := rapid.IntRange(0, of-1).Draw(t, "found")
		audience := rapid.Int64Range(0, 100_000).Draw(t, "audience")
		grade := shareOf(found, of).gradeAgainst(limit, audience)
		if more := shareOf(found+1, of).gradeAgainst(limit, audience); grade.IsWorse(more) {
			t.Errorf("%d of %d is a %s, one more a %s", found, of, grade, more)
		}
		if grade == checks.Failure && shareOf(found, of).value() < limit.Share {
			t.Errorf("%d of %d is a failure at a limit of %g", found, of, limit.Share)
		}
	})
}

// A report shows each share of the sample with its confidence interval.
func ExampleShare() {
	fmt.Println(Share{Found: 3, Of: 200, Low: 0.0051, High: 0.0431})
	// Output: 3 of 200 (1.5%; 0.5% to 4.3% with 95% confidence)
}
