package inflight

import "time"

// point is what was measured at a limit.
type point struct {
	limit   int
	rate    float64
	latency time.Duration
}

// knee is the limit at which throughput ended to grow: below it, throughput grows with the limit, above it not at all.
func knee(low, high point) float64 { return float64(low.limit) * high.rate / low.rate }

// followed is how much of a step throughput has followed, as a share of it.
func followed(low, high point) float64 {
	return (knee(low, high) - float64(low.limit)) / float64(high.limit-low.limit)
}

// apart tells that one of two figures is shift times the other, or more.
func apart(a, b float64) bool { return a > b*shift || b > a*shift }
