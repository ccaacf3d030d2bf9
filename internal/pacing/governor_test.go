package pacing

import (
	"fmt"
	"testing"
	"time"
)

// Whatever the number of replicas, the quota is used, and each second and each tenth of one has its share.
func TestReplicasShareEvenly(t *testing.T) {
	for _, replicas := range []int{1, 4, 8, 32} {
		t.Run(fmt.Sprint(replicas), func(t *testing.T) {
			inBubble(t, steady(2000), func(f *fleet) {
				all := f.replicas(replicas, 100)
				f.pass(11 * time.Second)
				for s := range 10 {
					from := time.Duration(s+1) * time.Second
					wantBetween(t, fmt.Sprintf("second %d", s), f.count(from, from+time.Second), 1960, 2040)
					wantBetween(t, fmt.Sprintf("tenth of second %d", s), f.count(from, from+time.Second/10), 180, 220)
				}
				f.stop(all)
			})
		})
	}
}

// A failover to a server whose clock is behind costs a few seconds, not the time until that clock has caught up; and nobody sends
// more for it.
func TestServerClockIsPutBack(t *testing.T) {
	inBubble(t, steady(2000), func(f *fleet) {
		all := f.replicas(4, 100)
		f.pass(5 * time.Second)
		f.mem.putBack(time.Hour)
		f.pass(10 * time.Second)
		f.stop(all)
		for s := range 10 {
			from := time.Duration(s+5) * time.Second
			wantBetween(t, fmt.Sprintf("second %d after it", s), f.count(from, from+time.Second), 0, 2040)
		}
		wantBetween(t, "pushes in the last seconds", f.count(8*time.Second, 15*time.Second), 7*1960, 7*2040)
	})
}
