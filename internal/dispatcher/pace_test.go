package dispatcher

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"fanfare/internal/campaign"
	"fanfare/internal/fcm"
)

// fakePacer counts, and asks a function whether a push may go.
type fakePacer struct {
	waits, observed atomic.Int64
	may             func(ctx context.Context, nth int64) error
}

func (p *fakePacer) Wait(ctx context.Context, _ string) error {
	n := p.waits.Add(1)
	if p.may == nil {
		return ctx.Err()
	}
	return p.may(ctx, n)
}

func (p *fakePacer) Observe(string, fcm.Answer) { p.observed.Add(1) }

func TestPacerIsAskedForEachPush(t *testing.T) {
	w := newWorld(t)
	w.campaign(campaign.Spec{ID: "42"}, audience(50)...)
	pacer := &fakePacer{}
	w.deps.Pacer = pacer
	if err := w.job("42"); err != nil {
		t.Fatal(err)
	}
	if pacer.waits.Load() != 50 || pacer.observed.Load() != 50 {
		t.Errorf("asked %d times, told %d answers, want 50 of each", pacer.waits.Load(), pacer.observed.Load())
	}
}

func TestWhomThePacerRefusesGoesBack(t *testing.T) {
	w := newWorld(t)
	w.campaign(campaign.Spec{ID: "42"}, audience(50)...)
	w.deps.Pacer = &fakePacer{may: func(_ context.Context, nth int64) error {
		if nth%3 == 0 {
			return errors.New("not now")
		}
		return nil
	}}
	if err := w.job("42"); err != nil {
		t.Fatal(err)
	}
	w.sender.each(t, 50, 1)
}

// Those who were held but not sent to come back in the old order, although their leases end one by one.
func TestStopGivesBackInTheOldOrder(t *testing.T) {
	w := newWorld(t)
	w.campaign(campaign.Spec{ID: "42"}, audience(40)...)
	w.options.Concurrency, w.options.Claim, w.options.AckBatch = 20, 4, 1
	pacer := &fakePacer{may: func(ctx context.Context, nth int64) error {
		if nth <= 3 {
			return nil
		}
		<-ctx.Done()
		return ctx.Err()
	}}
	w.deps.Pacer = pacer
	stop := w.serve(w.dispatcher())
	w.eventually(func() bool { return w.books("42").Sent == 3 && pacer.waits.Load() >= 20 })
	stop()
	w.sender.order = nil
	w.deps.Pacer = nil
	w.options.Concurrency = 1
	if err := w.job("42"); err != nil {
		t.Fatal(err)
	}
	if len(w.sender.order) != 37 || !slices.IsSorted(w.sender.order) {
		t.Errorf("sent in the order %v, want the old one", w.sender.order)
	}
	w.sender.each(t, 40, 1)
}

// A lease that another process has reaped meanwhile is not sent from.
func TestLostLeaseIsNotSentFrom(t *testing.T) {
	w := newWorld(t)
	w.campaign(campaign.Spec{ID: "42", OnAmbiguous: campaign.Report}, audience(4)...)
	w.options.Campaign, w.options.Lease = "42", 300*time.Millisecond
	held, release := make(chan struct{}, 4), make(chan struct{})
	w.deps.Pacer = &fakePacer{may: func(context.Context, int64) error {
		held <- struct{}{}
		<-release
		return nil
	}}
	d := w.dispatcher()
	ended := make(chan error)
	go func() { ended <- d.Run(t.Context(), t.Context()) }()
	for range 4 {
		<-held
	}
	mine := slices.Collect(func(yield func(*lease) bool) {
		for _, leases := range d.held.byCampaign() {
			for _, l := range leases {
				yield(l)
			}
		}
	})
	q := must(w.deps.Campaigns.Queue("42"))(t)
	w.eventually(func() bool { // the extender works against us
		for _, l := range mine {
			w.redis.ZAdd("{campaign:42}:leases", 1, l.claim)
		}
		return must(q.Reap(t.Context()))(t) > 0
	})
	w.eventually(func() bool {
		return !slices.ContainsFunc(mine, func(l *lease) bool { return l.valid(time.Now()) })
	})
	close(release)
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	if b := w.books("42"); b.Unknown != 4 || !b.Balanced() || len(w.sender.order) != 0 {
		t.Errorf("sent to %v, books %+v, want nobody sent to and four unknown", w.sender.order, b)
	}
}
