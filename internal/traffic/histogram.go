package traffic

import (
	"math"
	"slices"
	"time"
)

const (
	shortest = 5 * time.Millisecond
	buckets  = 40
	growth   = 1.26 // 2 to the power of a third: a percentile is off by a quarter at most
)

// bounds are the upper ends of all buckets but the last: 5 ms to 33 s. All processes share them, so
// that their counts can be added.
var bounds = func() (all [buckets - 1]time.Duration) {
	for i := range all {
		all[i] = time.Duration(float64(shortest) * math.Pow(growth, float64(i)))
	}
	return all
}()

// Histogram counts durations by bucket.
type Histogram [buckets]int64

// Observe counts one duration.
func (h *Histogram) Observe(d time.Duration) {
	bucket, _ := slices.BinarySearch(bounds[:], d)
	h[bucket]++
}

// Quantile estimates the duration below which a share of all lie, such as 0.95. It is 0 without
// any.
func (h *Histogram) Quantile(share float64) time.Duration {
	var all int64
	for _, n := range h {
		all += n
	}
	if all == 0 {
		return 0
	}
	rank := share * float64(all)
	below := 0.0
	for i, n := range h[:len(bounds)] {
		if below+float64(n) >= rank && n > 0 {
			from := time.Duration(0)
			if i > 0 {
				from = bounds[i-1]
			}
			return from + time.Duration((rank-below)/float64(n)*float64(bounds[i]-from))
		}
		below += float64(n)
	}
	return bounds[len(bounds)-1]
}
