package pacing

import (
	"testing"
	"time"
)

// A permit that is too late is dropped when it is, whether or not a campaign is there that could have spent it.
func TestLatePermitsAreDroppedWithoutCampaigns(t *testing.T) {
	inBubble(t, steady(1000), func(f *fleet) {
		g := f.governor()
		now := time.Now()
		g.quota.shares = []share{{from: now.Add(-time.Minute), span: 10 * time.Millisecond, n: 10}}
		g.turn(f.t.Context(), now)
		wantEqual(t, "held", g.quota.held(), 0)
	})
}
