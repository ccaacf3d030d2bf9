package dispatcher

import (
	"testing"
	"testing/synctest"
	"time"

	"fanfare/internal/campaign"
)

// The heartbeat says how many leases are held, and how old the oldest one is.
func TestLoadOfADispatcher(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.campaign(campaign.Spec{ID: "42"}, audience(2)...)
		d := w.dispatcher()
		if load := d.Load(); load.Leases != 0 || load.OldestLease != 0 {
			t.Errorf("without leases: %+v", load)
		}
		for _, claim := range []string{"first", "second"} {
			l := newLease(w.served(d, "42"))
			l.Claim = claim
			d.leases.Add(l)
			<-time.After(time.Minute)
			synctest.Wait()
		}
		if load := d.Load(); load.Leases != 2 || load.OldestLease != 2*time.Minute {
			t.Errorf("with two leases: %+v, want the older of two minutes", load)
		}
	})
}
