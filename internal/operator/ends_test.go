package operator

import (
	"testing"
	"testing/synctest"
	"time"

	"fanfare/internal/campaign"
)

// The delay between attempts never exceeds two seconds.
func TestRetriesGrowToALimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRetry(time.Hour)
		for range 10 {
			equal(t, "again", r.again(t.Context()), true)
		}
		equal(t, "pause", r.pause, longestPause)
	})
}

// The losses of an ended campaign are listed, unless its reason names them.
func TestLossesAfterTheEnd(t *testing.T) {
	books := campaign.Books{Loaded: 3, Sent: 2, Missing: 1}
	equal(t, "without a reason", len(View{Spec: campaign.Spec{State: campaign.Completed}, Books: books}.Losses()), 1)
	equal(t, "with a reason", len(View{Spec: campaign.Spec{State: campaign.Completed, Reason: "1 missing"}, Books: books}.Losses()), 0)
	equal(t, "while it runs", len(View{Spec: campaign.Spec{State: campaign.Running, Reason: "x"}, Books: books}.Losses()), 1)
}
