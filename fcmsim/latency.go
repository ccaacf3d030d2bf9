package fcmsim

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Latency is a distribution of the time between a request and its response, up to 24 hours. The
// zero value is unset. Its text forms are "50ms" (fixed), "20ms..80ms" (uniform) and
// "lognormal(50ms, 0.5)" (median and sigma).
type Latency struct {
	kind  latencyKind
	low   time.Duration // the fixed time, the low end or the median
	high  time.Duration
	sigma float64
}

type latencyKind uint8

const (
	latencyUnset latencyKind = iota
	latencyFixed
	latencyUniform
	latencyLogNormal
)

// Fixed is a latency of exactly d.
func Fixed(d time.Duration) Latency { return Latency{kind: latencyFixed, low: d} }

// Uniform is a latency between low and high, all equally likely.
func Uniform(low, high time.Duration) Latency {
	return Latency{kind: latencyUniform, low: low, high: high}
}

// LogNormal is a latency with this median. Sigma, from 0 to 5 and usually 0.2 to 1, stretches the
// long tail.
func LogNormal(median time.Duration, sigma float64) Latency {
	return Latency{kind: latencyLogNormal, low: median, sigma: sigma}
}

// IsZero reports whether no latency is set. Fixed(0) is a latency that is set.
func (l Latency) IsZero() bool { return l.kind == latencyUnset }

// ParseLatency reads a text form; the empty text is the zero Latency.
func ParseLatency(text string) (Latency, error) {
	var l Latency
	err := l.UnmarshalText([]byte(text))
	return l, err
}

func (l Latency) String() string {
	switch l.kind {
	case latencyFixed:
		return l.low.String()
	case latencyUniform:
		return l.low.String() + ".." + l.high.String()
	case latencyLogNormal:
		return fmt.Sprintf("lognormal(%s, %s)", l.low, strconv.FormatFloat(l.sigma, 'g', -1, 64))
	default:
		return ""
	}
}

// MarshalText returns the text form.
func (l Latency) MarshalText() ([]byte, error) { return []byte(l.String()), nil }

// UnmarshalText reads a text form. Negative times, times above 24 hours and other text are errors.
func (l *Latency) UnmarshalText(text []byte) error {
	parsed, err := parseLatency(strings.TrimSpace(string(text)))
	if err != nil {
		return fmt.Errorf("latency %q: want 50ms, 20ms..80ms or lognormal(50ms, 0.5): %w", text, err)
	}
	if err := parsed.check(); err != nil {
		return fmt.Errorf("latency %q: %w", text, err)
	}
	*l = parsed
	return nil
}

func parseLatency(text string) (Latency, error) {
	if text == "" {
		return Latency{}, nil
	}
	if inner, ok := strings.CutPrefix(text, "lognormal("); ok {
		median, sigma, _ := strings.Cut(strings.TrimSuffix(inner, ")"), ",")
		d, err := time.ParseDuration(strings.TrimSpace(median))
		if err != nil {
			return Latency{}, err
		}
		f, err := strconv.ParseFloat(strings.TrimSpace(sigma), 64)
		return LogNormal(d, f), err
	}
	first, second, ranged := strings.Cut(text, "..")
	low, err := time.ParseDuration(first)
	if err != nil || !ranged {
		return Fixed(low), err
	}
	high, err := time.ParseDuration(second)
	return Uniform(low, high), err
}

func (l Latency) check() error {
	switch {
	case l.low < 0:
		return fmt.Errorf("%s is negative", l.low)
	case max(l.low, l.high) > maxLatency:
		return fmt.Errorf("%s is not between 0 and %s", max(l.low, l.high), maxLatency)
	case l.kind == latencyUniform && l.high < l.low:
		return fmt.Errorf("%s is below %s", l.high, l.low)
	case l.kind == latencyLogNormal && (!(l.sigma >= 0) || l.sigma > 5):
		return fmt.Errorf("sigma %g is not between 0 and 5", l.sigma)
	}
	return nil
}

func (l Latency) draw(d *rng) time.Duration {
	switch l.kind {
	case latencyUniform:
		return l.low + time.Duration(d.float()*float64(l.high-l.low))
	case latencyLogNormal:
		// Box-Muller transform; 1-x keeps the logarithm's argument above zero.
		normal := math.Sqrt(-2*math.Log(1-d.float())) * math.Cos(2*math.Pi*d.float())
		return time.Duration(float64(l.low) * math.Exp(l.sigma*normal))
	default:
		return l.low
	}
}
