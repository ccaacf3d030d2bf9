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
	d        *Dispatcher
	events   chan event
	groups   map[*served][]queue.Settlement
	finished []*lease
	waiting  int
}

// run flushes by count and by time until the events end.
func (a *acker) run(work context.Context) {
	var due <-chan time.Time
	for {
		select {
		case e, more := <-a.events:
			if !more {
				a.flush(work)
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
		a.flush(work)
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

// flush writes the outcomes first and gives back after, per campaign in one script each.
func (a *acker) flush(work context.Context) {
	for camp, group := range a.groups {
		a.settle(work, camp, group)
		clear(group)
		a.groups[camp] = group[:0]
		if camp.closed.Load() && camp.inflight.Load() == 0 {
			delete(a.groups, camp)
		}
	}
	for _, l := range a.finished {
		if l.returned {
			a.giveBack(work, l)
		}
		a.d.held.remove(l)
	}
	clear(a.finished)
	a.finished, a.waiting = a.finished[:0], 0
}

// settle keeps trying: the outcomes are known to nobody else. Meanwhile the pool fills up and claiming stops.
func (a *acker) settle(work context.Context, camp *served, group []queue.Settlement) {
	if len(group) == 0 {
		return
	}
	err := a.d.persist(work, "write outcomes", camp, func(ctx context.Context) error {
		applied, err := camp.queue.Settle(ctx, group)
		if lost := len(group) - applied; err == nil && lost > 0 {
			a.d.metrics.lost.Add(float64(lost))
			a.d.log.Info("outcomes were not applied: their lease was lost, or they had been written by a command whose reply was",
				"campaign", camp.id, "recipients", lost)
		}
		return err
	})
	if err != nil {
		a.d.log.Error("outcomes not written: their recipients will be served again when the lease ends",
			"campaign", camp.id, "recipients", len(group), "error", err)
		return
	}
	a.d.forwarder.wake(camp)
}

func (a *acker) giveBack(work context.Context, l *lease) {
	err := a.d.persist(work, "give back", l.camp, func(ctx context.Context) error {
		_, err := l.camp.queue.GiveBack(ctx, l.claim)
		return err
	})
	if err != nil {
		a.d.log.Warn("recipients not given back: they return when their lease ends", "campaign", l.camp.id, "error", err)
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

// later is the event of a recipient that is tried again.
func (d *Dispatcher) later(dl *delivery, wait time.Duration, attempts int) event {
	d.metrics.retries.Inc()
	return event{lease: dl.lease, settlement: queue.Settlement{
		Claim: dl.lease.claim, Pos: dl.element.Pos, Later: true, In: wait, Attempts: attempts,
	}}
}
