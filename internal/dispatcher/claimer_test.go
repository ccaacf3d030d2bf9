package dispatcher

import (
	"maps"
	"testing"
	"time"

	"fanfare/internal/campaign"
	"fanfare/internal/keys"
	"fanfare/internal/queue"
)

// served makes a dispatcher that does not run serve a campaign.
func (w *world) served(d *Dispatcher, id string) *activeCampaign {
	w.t.Helper()
	spec := must(w.deps.Campaigns.Get(w.t.Context(), id))(w.t)
	finder := d.discoverer
	if err := finder.serve(w.t.Context(), spec); err != nil {
		w.t.Fatal(err)
	}
	return d.roster.get(id)
}

// Half of what is held ahead must be free before a claim is worth its round trip.
func TestWorthwhile(t *testing.T) {
	for concurrency, want := range map[int]int{1: 1, 10: 2, 100: 25, 300: 75, 10_000: 100} {
		c := &claimer{opts: Options{Concurrency: concurrency, Claim: 200}}
		if got := c.minSlots(); got != want {
			t.Errorf("a pool of %d waits for %d free slots, want %d", concurrency, got, want)
		}
	}
}

// Places in the canary that ended without a push are given back by the claim that finds none.
func TestClaimGivesBackPlacesInTheCanary(t *testing.T) {
	w := newWorld(t)
	w.useBreakers()
	w.campaign(campaign.Spec{ID: "42"}, audience(30)...)
	d := w.dispatcher()
	camp := w.served(d, "42")
	admit := func(l *lease, n int) int { return must(d.reporter.admit(t.Context(), l, n))(t) }
	first := newLease(camp)
	if n := admit(first, 100); n != canary {
		t.Fatalf("%d admitted, want %d", n, canary)
	}
	d.reporter.countEnded(first, 5)
	if n, err := d.claimer.take(t.Context(), t.Context(), newLease(camp), 10); n != 0 || err != nil {
		t.Fatalf("%d claimed, error %v, want none", n, err)
	}
	if n := admit(newLease(camp), 10); n != 5 {
		t.Errorf("%d admitted, want the five places given back", n)
	}
}

// Recipients past their deadline get no push. So they are claimed while no push of their campaign
// goes, and end as expired.
func TestOverdueRecipientsAreClaimedDuringAnOutage(t *testing.T) {
	w := newWorld(t)
	w.campaign(campaign.Spec{ID: "42"}, audience(1)...)
	d := w.dispatcher()
	camp := w.served(d, "42")
	for range suspectScore {
		camp.outage.observe(noAnswer, 0, 1, time.Now())
	}
	for range trialPushes {
		camp.outage.startPush()
	}
	if n := d.claimer.share(10)[camp]; n != 0 {
		t.Errorf("%d slots before the deadline, want none while no push may go", n)
	}
	past := time.Now().Add(-time.Second)
	must(0, w.deps.Campaigns.Change(t.Context(), "42", campaign.Change{Deadline: &past}))(t)
	w.served(d, "42")
	if n := d.claimer.share(10)[camp]; n != 10 {
		t.Errorf("%d slots after the deadline, want all ten", n)
	}
}

// What a failed claim may have taken is given back, unless the error says that it took nothing.
func TestUndo(t *testing.T) {
	for cause, held := range map[error]int64{
		errDown: 0, reply("NOPERM User app has no permissions to run the 'lpop' command"): 0,
		errCrossSlot: 3, &queue.GateClosedError{}: 3,
	} {
		w := newWorld(t)
		w.campaign(campaign.Spec{ID: "42"}, audience(3)...)
		d := w.dispatcher()
		l := newLease(w.served(d, "42"))
		must(l.camp.queue.Claim(t.Context(), l.Claim, 3))(t)
		d.claimer.undo(t.Context(), l, cause, time.Second)
		if b := w.books("42"); b.InFlight != held {
			t.Errorf("after %v: %d in flight, want %d", cause, b.InFlight, held)
		}
	}
}

// A campaign that is closed is served again, even while the roster still has it.
func TestClosedCampaignIsServedAnew(t *testing.T) {
	w := newWorld(t)
	w.campaign(campaign.Spec{ID: "42"})
	d := w.dispatcher()
	camp := w.served(d, "42")
	if again := w.served(d, "42"); again != camp {
		t.Error("a campaign that did not change is served again")
	}
	camp.close()
	if again := w.served(d, "42"); again == camp || again.isClosed() {
		t.Error("a closed campaign is not served again")
	}
}

// A campaign completes only after its results are out, which the completer sees to.
func TestCompleterForwardsFirst(t *testing.T) {
	w := newWorld(t)
	w.clustered()
	w.campaign(campaign.Spec{ID: "42"}, audience(1)...)
	d := w.dispatcher()
	l := newLease(w.served(d, "42"))
	got := must(l.camp.queue.Claim(t.Context(), l.Claim, 1))(t)
	dl := &delivery{lease: l, element: got.Elements[0]}
	ended := d.preparer.outcomeOf(dl, dl.result("sent", "", "")).settlement
	must(l.camp.queue.Settle(t.Context(), []queue.Settlement{ended}))(t)
	d.completer.completeOne(t.Context(), l.camp)
	if n := len(w.results()); n != 1 || w.stateOf("42") != campaign.Completed {
		t.Errorf("%d results, and the campaign is %s, want one and completed", n, w.stateOf("42"))
	}
}

// What could not be forwarded is owed until the next pass, even if its campaign is served no more
// by then.
func TestFailedForwardIsOwed(t *testing.T) {
	w := newWorld(t)
	w.campaign(campaign.Spec{ID: "42"})
	d := w.dispatcher()
	w.redis.SetError("BUSY Redis is away")
	d.forwarder.forward(t.Context(), w.list("42"))
	w.redis.SetError("")
	if want := map[string]keys.List{w.list("42").Plain(): w.list("42")}; !maps.Equal(d.forwarder.owed, want) {
		t.Errorf("owed: %v, want %v", d.forwarder.owed, want)
	}
}

// A campaign with a cap has a use for what goes in two seconds, and for two recipients at least.
func TestMost(t *testing.T) {
	for rate, want := range map[float64]int{0: 0, 0.01: 2, 1: 2, 1.2: 3, 100: 200} {
		if got := (&settings{rate: rate}).maxSlots(); got != want {
			t.Errorf("at %v a second: %d slots, want %d", rate, got, want)
		}
	}
}

// A campaign is the same only with the same edition and the same message, whatever else changes.
func TestSameCampaign(t *testing.T) {
	s := &activeCampaign{edition: "1", raw: []byte("a")}
	for name, c := range map[string]struct {
		spec campaign.Spec
		want bool
	}{
		"the same":        {campaign.Spec{Edition: "1", Message: []byte("a"), Weight: 7}, true},
		"another edition": {campaign.Spec{Edition: "2", Message: []byte("a")}, false},
		"another message": {campaign.Spec{Edition: "1", Message: []byte("b")}, false},
	} {
		if got := s.hasMessageOf(c.spec); got != c.want {
			t.Errorf("%s: same is %v", name, got)
		}
	}
}

// An edition of a campaign that is dropped late takes the next one off the roster no more.
func TestDropOfAnEarlierEdition(t *testing.T) {
	w := newWorld(t)
	w.campaign(campaign.Spec{ID: "42"})
	d := w.dispatcher()
	first := w.served(d, "42")
	first.close()
	second := w.served(d, "42")
	d.roster.drop(first)
	if d.roster.get("42") != second || second.isClosed() {
		t.Error("the next edition is served no more")
	}
}

// What a lost sender had claimed is given back within half a lease.
func TestReaperLooksWithinHalfALease(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.campaign(campaign.Spec{ID: "42"}, audience(3)...)
		w.loseLease("42", 3)
		stop := w.serve(w.dispatcher())
		<-time.After(w.options.Lease/2 + w.options.Discover)
		stop()
		w.sender.each(t, 3, 1)
	})
}
