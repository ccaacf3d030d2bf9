package dispatcher

import (
	"context"
	"maps"
	"time"

	"fanfare/internal/notification"
	"fanfare/internal/queue"
	"fanfare/internal/redisx"
	"fanfare/internal/responses"
)

// event tells the acker what became of one element of a lease.
type outcome struct {
	lease      *lease
	settlement queue.Settlement
	goesBack   bool // unsent: the settlement is empty, the element returns with its lease
}

// acker writes outcomes in groups, those of each campaign beside the others': a shard that is away holds up its own campaigns
// alone. The acker decides when a lease is finished: after the outcomes of all its elements are written, so that what
// goes back is only what was never sent.
type acker struct {
	d       *Dispatcher
	events  chan outcome // short: what waits here is repeated after a crash, beside what is on the wire
	buffers map[*activeCampaign]*outcomeBuffer
	written chan *outcomeBatch // pages that are done with
	open    int        // pages that are not
}

func newAcker(d *Dispatcher) *acker {
	return &acker{
		d:       d,
		events:  make(chan outcome, d.opts.AckBatch),
		buffers: make(map[*activeCampaign]*outcomeBuffer),
		written: make(chan *outcomeBatch),
	}
}

// run begins pages by count and by time until the events end.
func (a *acker) run(fetch, keep context.Context) {
	var due <-chan time.Time
	for {
		var l *outcomeBuffer
		select {
		case e, more := <-a.events:
			if !more {
				a.finish(keep)
				return
			}
			l = a.buffer(e.lease.camp)
			l.add(e)
		case p := <-a.written:
			a.batchWritten(p)
			if l = p.buffer; l.camp.isClosed() {
				a.forget()
			}
		case <-a.d.roster.dropped:
			a.forget()
			continue
		case <-due:
			due = nil
			for _, l := range a.buffers {
				a.startWriting(keep, l, a.mayGiveBack(fetch, l))
			}
			continue
		}
		if len(l.outcomes) >= a.d.opts.AckBatch {
			a.startWriting(keep, l, a.mayGiveBack(fetch, l))
		} else if due == nil && l.hasWork(a.mayGiveBack(fetch, l)) {
			due = time.After(a.d.opts.AckInterval)
		}
	}
}

// finish writes what is left at a stop. All that goes back of a campaign goes together, or it would not come into the old order.
func (a *acker) finish(keep context.Context) {
	for _, l := range a.buffers {
		a.startWriting(keep, l, true)
	}
	for a.open > 0 {
		p := <-a.written
		a.batchWritten(p)
		a.startWriting(keep, p.buffer, true)
	}
}

// forget drops the ledgers of campaigns that are served no more, once nothing of them is left to be written.
func (a *acker) forget() {
	maps.DeleteFunc(a.buffers, func(camp *activeCampaign, l *outcomeBuffer) bool { return camp.isClosed() && l.isEmpty() })
}

func (a *acker) buffer(camp *activeCampaign) *outcomeBuffer {
	l := a.buffers[camp]
	if l == nil {
		l = &outcomeBuffer{camp: camp}
		a.buffers[camp] = l
	}
	return l
}

// mayGiveBack tells whether leases go back now. Those of a campaign that is served no more wait for each other, and in a stop for
// the end of the pool: only together do they come into the old order.
func (a *acker) mayGiveBack(fetch context.Context, l *outcomeBuffer) bool {
	owesMore := l.camp.isClosed() && len(l.returning)+len(l.finished) < a.d.leases.countOf(l.camp)
	return fetch.Err() == nil && !owesMore
}

// begin has a page written, if there is anything to write.
func (a *acker) startWriting(keep context.Context, l *outcomeBuffer, giveBack bool) {
	if !l.hasWork(giveBack) {
		return
	}
	p := l.startBatch(giveBack)
	a.open++
	go func() {
		a.settle(keep, l.camp, p.outcomes)
		a.giveBack(keep, l.camp, p.back)
		a.written <- p
	}()
}

// end lets go of the leases that are done with.
func (a *acker) batchWritten(p *outcomeBatch) {
	a.open--
	for _, leases := range [][]*lease{p.finished, p.back} {
		for _, l := range leases {
			a.d.leases.remove(l)
		}
	}
	camp := p.buffer.camp
	behind := a.d.isBehind(camp)
	camp.unwritten.Add(-int64(len(p.outcomes)))
	if behind && !a.d.isBehind(camp) {
		a.d.roster.wake()
	}
	p.buffer.endBatch()
}

// settle keeps trying: the outcomes are known to nobody else. Meanwhile the campaign is not claimed from.
func (a *acker) settle(keep context.Context, camp *activeCampaign, outcomes []queue.Settlement) {
	if len(outcomes) == 0 {
		return
	}
	err := a.d.persist(keep, "write outcomes", camp, func(ctx context.Context) error {
		applied, err := camp.queue.Settle(ctx, outcomes)
		if lost := len(outcomes) - applied; err == nil && lost > 0 {
			a.d.metrics.lost.Add(float64(lost))
			a.d.log.Info("outcomes were not applied: their lease was lost, or they had been written by a command whose reply was",
				"campaign", camp.id, "recipients", lost)
		}
		return err
	})
	if err == nil {
		if !camp.queue.EmitsDirectly() {
			a.d.forwarder.wake(camp.queue.List())
		}
		return
	}
	for _, s := range outcomes {
		a.d.leases.get(s.Claim).unwritten = true
	}
	a.d.log.Error("outcomes not written: their recipients count as lost when the lease ends",
		"campaign", camp.id, "recipients", len(outcomes), "error", err)
	if redisx.Permanent(err) {
		a.pause(keep, camp, err)
	}
}

// pause stops a campaign whose outcomes cannot be written: it would be sent to the same people again and again.
func (a *acker) pause(keep context.Context, camp *activeCampaign, cause error) {
	a.d.roster.drop(camp)
	if err := a.d.reporter.pause(keep, camp, cause.Error()); err != nil {
		a.d.log.Error("pause campaign: pause it by hand until its outcomes can be written", "campaign", camp.id, "error", err)
	}
}

// giveBack returns leases of which not everybody was sent to. It follows settle: whoever has an outcome is out of the lease by then.
// It leaves out the leases of which an outcome is not written: nobody of them goes back as if unsent.
func (a *acker) giveBack(keep context.Context, camp *activeCampaign, leases []*lease) {
	claims := make([]string, 0, len(leases))
	for _, l := range leases {
		if !l.unwritten {
			claims = append(claims, l.claim)
		}
	}
	if len(claims) == 0 {
		return
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
func (d *Dispatcher) outcomeOf(dl *delivery, r *notification.Result) outcome {
	r.At = d.now()
	rare := 0
	if notification.IsRareCode(r.ErrorCode) {
		rare = notification.MaxRareCodes
	}
	d.metrics.ended(r.Status, r.ErrorCode)
	return outcome{lease: dl.lease, settlement: queue.Settlement{
		Claim:   dl.lease.claim,
		Pos:     dl.element.Pos,
		Status:  string(r.Status),
		Code:    r.ErrorCode,
		MaxRare: rare,
		Emit:    responses.Append(make([]byte, 0, usualResult), r),
	}}
}

// later is the event of a recipient that is tried again; cause is what that is counted under, if anything.
func (d *Dispatcher) retryIn(dl *delivery, wait time.Duration, attempts int, cause string) outcome {
	d.metrics.retries.Inc()
	return outcome{lease: dl.lease, settlement: queue.Settlement{
		Claim: dl.lease.claim, Pos: dl.element.Pos, Later: true, Delay: wait, Attempts: attempts, Cause: cause,
	}}
}
