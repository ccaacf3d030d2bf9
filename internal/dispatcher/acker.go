package dispatcher

import (
	"context"
	"time"

	"fanfare/internal/notification"
	"fanfare/internal/queue"
	"fanfare/internal/responses"
)

// event tells the acker what became of one element of a lease.
type event struct {
	lease      *lease
	settlement queue.Settlement
	goesBack   bool // unsent: the settlement is empty, the element returns with its lease
}

// acker writes outcomes in groups. It alone decides when a lease is finished: after the outcomes of all its
// elements are written, so that what goes back is only what was never sent.
type acker struct {
	d         *Dispatcher
	events    chan event // short: what waits here is repeated after a crash, beside what is on the wire
	groups    map[*served][]queue.Settlement
	waiting   int
	finished  []*lease
	returning map[*served][]*lease // finished, to be given back
}

func newAcker(d *Dispatcher) *acker {
	return &acker{
		d:         d,
		events:    make(chan event, d.opts.AckBatch),
		groups:    make(map[*served][]queue.Settlement),
		returning: make(map[*served][]*lease),
	}
}

// run flushes by count and by time until the events end.
func (a *acker) run(fetch, keep context.Context) {
	var due <-chan time.Time
	for {
		select {
		case e, more := <-a.events:
			if !more {
				a.flush(keep)
				a.giveBack(keep, func(*served) bool { return true })
				return
			}
			if due == nil {
				due = time.After(a.d.opts.AckInterval)
			}
			a.add(e)
			if a.waiting < a.d.opts.AckBatch {
				continue
			}
		case <-due:
		}
		a.flush(keep)
		a.giveBack(keep, func(camp *served) bool { return fetch.Err() == nil && !a.owesMore(camp) })
		due = nil
	}
}

func (a *acker) add(e event) {
	if e.goesBack {
		e.lease.returned = true
	} else {
		a.groups[e.lease.camp] = append(a.groups[e.lease.camp], e.settlement)
	}
	a.waiting++
	if e.lease.open--; e.lease.open == 0 {
		a.finished = append(a.finished, e.lease)
	}
}

// flush writes the outcomes, per campaign in one script, and lets go of the leases that are done with.
func (a *acker) flush(keep context.Context) {
	for camp, group := range a.groups {
		a.settle(keep, camp, group)
		clear(group)
		a.groups[camp] = group[:0]
		if camp.closed() && camp.inflight.Load() == 0 {
			delete(a.groups, camp)
		}
	}
	for _, l := range a.finished {
		if l.returned {
			a.returning[l.camp] = append(a.returning[l.camp], l)
		} else {
			a.d.held.remove(l)
		}
	}
	clear(a.finished)
	a.finished, a.waiting = a.finished[:0], 0
}

// settle keeps trying: the outcomes are known to nobody else. Meanwhile the pool fills up and claiming stops.
func (a *acker) settle(keep context.Context, camp *served, group []queue.Settlement) {
	if len(group) == 0 {
		return
	}
	err := a.d.persist(keep, "write outcomes", camp, func(ctx context.Context) error {
		applied, err := camp.queue.Settle(ctx, group)
		if lost := len(group) - applied; err == nil && lost > 0 {
			a.d.metrics.lost.Add(float64(lost))
			a.d.log.Info("outcomes were not applied: their lease was lost, or they had been written by a command whose reply was",
				"campaign", camp.id, "recipients", lost)
		}
		return err
	})
	if err == nil {
		if !camp.queue.Direct() {
			a.d.forwarder.wake(camp.queue.List())
		}
		return
	}
	for _, s := range group {
		a.d.held.get(s.Claim).unwritten = true
	}
	a.d.log.Error("outcomes not written: their recipients count as lost when the lease ends",
		"campaign", camp.id, "recipients", len(group), "error", err)
	if queue.Permanent(err) {
		a.pause(keep, camp, err)
	}
}

// pause stops a campaign whose outcomes cannot be written: it would be sent to the same people again and again.
func (a *acker) pause(keep context.Context, camp *served, cause error) {
	a.d.roster.drop(camp)
	if err := a.d.jury.pause(keep, camp, cause.Error()); err != nil {
		a.d.log.Error("pause campaign: pause it by hand until its outcomes can be written", "campaign", camp.id, "error", err)
	}
}

// giveBack returns the leases of campaigns whose recipients were not all sent to, where it is time. It follows a flush:
// whoever has an outcome is out of the lease by then.
func (a *acker) giveBack(keep context.Context, now func(*served) bool) {
	for camp, leases := range a.returning {
		if !now(camp) {
			continue
		}
		delete(a.returning, camp)
		a.release(keep, camp, leases)
		for _, l := range leases {
			a.d.held.remove(l)
		}
	}
}

// owesMore tells that more leases of a campaign which is served no more are to be given back. They wait for each other, and
// in a stop for the end of the pool: only together do they come into the old order.
func (a *acker) owesMore(camp *served) bool {
	return camp.closed() && len(a.returning[camp]) < a.d.held.of(camp)
}

// release leaves out the leases of which an outcome is not written: nobody of them goes back as if unsent.
func (a *acker) release(keep context.Context, camp *served, leases []*lease) {
	claims := make([]string, 0, len(leases))
	for _, l := range leases {
		if !l.unwritten {
			claims = append(claims, l.claim)
		}
	}
	err := a.d.persist(keep, "give back", camp, func(ctx context.Context) error {
		_, err := camp.queue.GiveBack(ctx, claims...)
		return err
	})
	if err != nil {
		a.d.log.Warn("recipients not given back: they return when their lease ends", "campaign", camp.id, "error", err)
	}
}

// usualResult is the length in bytes that most results stay below.
const usualResult = 384

// settled is the event of a recipient that has ended.
func (d *Dispatcher) settled(dl *delivery, r *notification.Result) event {
	r.At = d.now()
	d.metrics.outcomes.WithLabelValues(string(r.Status), r.ErrorCode).Inc()
	return event{lease: dl.lease, settlement: queue.Settlement{
		Claim:  dl.lease.claim,
		Pos:    dl.element.Pos,
		Status: string(r.Status),
		Code:   r.ErrorCode,
		Emit:   responses.Append(make([]byte, 0, usualResult), r),
	}}
}

// later is the event of a recipient that is tried again; cause is what that is counted under, if anything.
func (d *Dispatcher) later(dl *delivery, wait time.Duration, attempts int, cause string) event {
	d.metrics.retries.Inc()
	return event{lease: dl.lease, settlement: queue.Settlement{
		Claim: dl.lease.claim, Pos: dl.element.Pos, Later: true, In: wait, Attempts: attempts, Cause: cause,
	}}
}
