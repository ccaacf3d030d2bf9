package dispatcher

import (
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"fanfare/internal/breaker"
	"fanfare/internal/campaign"
	"fanfare/internal/notification"
	"fanfare/internal/store"
)

// A recipient that cannot be sent to after the wait for a turn goes back, waits, or ends as
// expired.
func TestBarred(t *testing.T) {
	w := newWorld(t)
	w.campaign(campaign.Spec{ID: "42"})
	hold := func(dl *delivery) { dl.lease.camp.hold.Store(&breaker.Hold{}) }
	expire := func(dl *delivery) { dl.lease.expiry = time.Unix(1, 0) }
	lose := func(dl *delivery) { dl.lease.ExtendTo(time.Time{}) }
	for name, c := range map[string]struct {
		is       []func(*delivery)
		goesBack bool
		later    bool
		status   notification.Status
		lost     float64
	}{
		"nothing":          {},
		"closed":           {is: []func(*delivery){func(dl *delivery) { dl.lease.camp.close() }, expire}, goesBack: true},
		"on hold":          {is: []func(*delivery){hold}, goesBack: true},
		"on hold, expired": {is: []func(*delivery){hold, expire}, status: notification.StatusExpired},
		"lease lost":       {is: []func(*delivery){lose, expire}, goesBack: true, lost: 1},
		"expired":          {is: []func(*delivery){expire}, status: notification.StatusExpired},
		"kept back": {is: []func(*delivery){func(dl *delivery) {
			dl.lease.camp.setPausedPlatforms(map[string]string{"ios": "keys"})
		}}, later: true},
	} {
		registry := prometheus.NewRegistry()
		w.deps.Registerer = registry
		d := w.dispatcher()
		dl := &delivery{lease: &lease{camp: w.served(d, "42"), claimedAt: time.Now(), claimedAtServer: time.Now()}}
		dl.recipient.Platform = "ios"
		dl.lease.ExtendTo(time.Now().Add(time.Hour))
		for _, change := range c.is {
			change(dl)
		}
		if got, want := d.pusher.finishIfStopped(t.Context(), dl), len(c.is) > 0; got != want {
			t.Errorf("%s: barred is %v", name, got)
			continue
		}
		if got := valueOf(t, registry, "fanfare_dispatcher_lost_leases_total"); got != c.lost {
			t.Errorf("%s: %v counted as lost, want %v", name, got, c.lost)
		}
		if len(c.is) == 0 {
			continue
		}
		if e := <-d.outcomes; e.goesBack != c.goesBack || e.settlement.Later != c.later || e.settlement.Status != string(c.status) {
			t.Errorf("%s: %+v", name, e)
		}
	}
}

// A campaign that is paused for a refused statement is served no more, before anyone looks for
// campaigns again.
func TestRefusedStatementEndsServing(t *testing.T) {
	w := newWorld(t)
	w.campaign(campaign.Spec{ID: "42"})
	d := w.dispatcher()
	camp := w.served(d, "42")
	if d.preparer.pauser.pauseIfRefused(t.Context(), camp, errDown) || camp.isClosed() {
		t.Error("paused for an outage")
	}
	paused := d.preparer.pauser.pauseIfRefused(t.Context(), camp, &store.SettingError{Err: errDown})
	if !paused || !camp.isClosed() || d.roster.get("42") != nil || w.stateOf("42") != campaign.Paused {
		t.Errorf("paused %v, closed %v, and the campaign is %s", paused, camp.isClosed(), w.stateOf("42"))
	}
}

// A probe that is answered lets this process send again for each campaign whose pushes got no
// answers.
func TestSilenceIsForgotten(t *testing.T) {
	w := newWorld(t)
	w.useBreakers()
	w.campaign(campaign.Spec{ID: "42"})
	d := w.dispatcher()
	camp := w.served(d, "42")
	for range suspectForeign + trialForeign {
		trial, _ := camp.outage.startPush()
		d.reporter.trackOutage(&lease{camp: camp}, loginPage, trial)
	}
	if !d.prober.hasOutageOf("42") || !camp.outage.isStopped() {
		t.Fatal("not silent")
	}
	d.prober.clearOutages()
	if d.prober.hasOutageOf("42") || camp.outage.isStopped() {
		t.Error("still silent")
	}
}

// Trips are counted by their scope and kind.
func TestTripsAreCounted(t *testing.T) {
	w := newWorld(t)
	w.useBreakers()
	w.campaign(campaign.Spec{ID: "42"})
	registry := prometheus.NewRegistry()
	w.deps.Registerer = registry
	d := w.dispatcher()
	d.reporter.actOnTrip(t.Context(), w.served(d, "42"), &breaker.Trip{Scope: breaker.Platform, Kind: breaker.ThirdPartyAuth})
	d.metrics.trips.WithLabelValues("platform", "third_party_auth") // which makes another series, unless it is that one
	if n := valueOf(t, registry, "fanfare_dispatcher_trips_total"); n != 1 || seriesOf(t, registry, "fanfare_dispatcher_trips_total") != 1 {
		t.Errorf("%v counted, or in another series", n)
	}
}
