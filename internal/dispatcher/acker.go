package dispatcher

import (
	"context"
	"log/slog"
	"maps"
	"time"

	"fanfare/internal/caps"
	"fanfare/internal/dedupe"
	"fanfare/internal/keys"
	"fanfare/internal/leasekeeper"
	"fanfare/internal/queue"
	"fanfare/internal/redisx"
)

// outcome tells the acker the result of one element of a lease.
type outcome struct {
	lease      *lease
	settlement queue.Settlement
	unreached  []dedupe.Address // given up before the settlement is written
	uncounted  *caps.Element    // released before the settlement is written
	goesBack   bool             // unsent: the settlement is empty and the element returns with its lease
	partial    bool             // the settlement is the progress of an element that stays leased
}

// acker writes outcomes in batches, those of each campaign concurrently, so that a slow shard
// delays only its own campaigns. It decides when a lease is finished: after the outcomes of all its
// elements are written. So only elements that were never sent go back.
type acker struct {
	batchSize int
	interval  time.Duration
	events    <-chan outcome
	leases    *leasekeeper.Set[*lease]
	roster    *roster
	redis     redisWriter
	pauser    *pauser
	forwarder interface{ wake(campaign keys.List) }
	caps      *caps.Limiter // nil: no user is capped
	metrics   *metrics
	now       func() time.Time
	log       *slog.Logger

	buffers map[*activeCampaign]*outcomeBuffer
	written chan *outcomeBatch // batches that are written
	open    int                // batches being written
}

// run writes batches by count and by time until the outcomes end.
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
		case <-a.roster.dropped:
			a.forget()
			continue
		case <-due:
			due = nil
			for _, l := range a.buffers {
				a.startWriting(keep, l, a.mayGiveBack(fetch, l))
			}
			continue
		}
		if len(l.outcomes)+len(l.progress) >= a.batchSize {
			a.startWriting(keep, l, a.mayGiveBack(fetch, l))
		} else if due == nil && l.hasWork(a.mayGiveBack(fetch, l)) {
			due = time.After(a.interval)
		}
	}
}

// finish writes the rest at a stop. All leases of a campaign go back together, because only then do
// they return in the old order.
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

// forget drops the buffers of closed campaigns once everything in them is written.
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

// mayGiveBack reports whether leases go back now. Leases of a closed campaign wait for each other,
// and at a stop all wait for the end of the pool: together they return in the old order.
func (a *acker) mayGiveBack(fetch context.Context, l *outcomeBuffer) bool {
	owesMore := l.camp.isClosed() && len(l.returning)+len(l.finished) < a.leases.CountOf(l.camp.queue)
	return fetch.Err() == nil && !owesMore
}

// startWriting writes a batch in the background if there is anything to write.
func (a *acker) startWriting(keep context.Context, l *outcomeBuffer, giveBack bool) {
	if !l.hasWork(giveBack) {
		return
	}
	p := l.startBatch(giveBack)
	a.open++
	go func() {
		a.release(keep, l.camp, p.unreached)
		a.uncount(keep, l.camp, p.uncounted)
		a.settle(keep, l.camp, p)
		a.giveBack(keep, l.camp, p.back)
		a.written <- p
	}()
}

// batchWritten releases the leases of a batch.
func (a *acker) batchWritten(p *outcomeBatch) {
	a.open--
	for _, leases := range [][]*lease{p.finished, p.back} {
		for _, l := range leases {
			a.leases.Remove(l)
		}
	}
	camp := p.buffer.camp
	behind := camp.isBehind(a.batchSize)
	camp.unwritten.Add(-int64(len(p.outcomes) + len(p.progress)))
	if behind && !camp.isBehind(a.batchSize) {
		a.roster.wake()
	}
	p.buffer.endBatch()
}

// release gives up addresses that were not reached, so that other elements may be sent there. It
// comes before settle: a crash in between has their elements take them again. If it fails for good,
// only a replay of them is skipped.
func (a *acker) release(keep context.Context, camp *activeCampaign, unreached []dedupe.Address) {
	if len(unreached) == 0 {
		return
	}
	err := a.redis.persist(keep, "release addresses", camp, func(ctx context.Context) error {
		return camp.addresses.Release(ctx, unreached)
	})
	if err != nil {
		a.log.Warn("addresses not released; other elements with them end as duplicates", "campaign", camp.id, "addresses", len(unreached), "error", err)
	}
}

// settle writes outcomes and repeats that until it succeeds, because no other process knows them.
// The campaign is not claimed from meanwhile.
func (a *acker) settle(keep context.Context, camp *activeCampaign, p *outcomeBatch) {
	if len(p.outcomes)+len(p.progress) == 0 {
		return
	}
	err := a.redis.persist(keep, "write outcomes", camp, func(ctx context.Context) error {
		if _, err := camp.queue.SaveProgress(ctx, p.progress); err != nil {
			return err
		}
		applied, err := camp.queue.Settle(ctx, p.outcomes)
		if lost := len(p.outcomes) - applied; err == nil && lost > 0 {
			a.metrics.lost.Add(float64(lost))
			a.log.Info("outcomes not applied: their lease was lost, or an earlier write had succeeded",
				"campaign", camp.id, "recipients", lost)
		}
		return err
	})
	if err == nil {
		if !camp.queue.EmitsDirectly() {
			a.forwarder.wake(camp.queue.List())
		}
		return
	}
	for _, s := range p.outcomes {
		a.leases.Get(s.Claim).unwritten = true
	}
	for _, s := range p.progress {
		a.leases.Get(s.Claim).unwritten = true
	}
	a.log.Error("outcomes not written; their recipients count as lost when the lease ends",
		"campaign", camp.id, "recipients", len(p.outcomes)+len(p.progress), "error", err)
	if redisx.IsPermanent(err) {
		a.pause(keep, camp, err)
	}
}

// pause pauses a campaign whose outcomes cannot be written: otherwise the same users would get the
// push again and again.
func (a *acker) pause(keep context.Context, camp *activeCampaign, cause error) {
	a.roster.drop(camp)
	if err := a.pauser.pause(keep, camp, cause.Error()); err != nil {
		a.log.Error("campaign not paused; pause it until its outcomes can be written", "campaign", camp.id, "error", err)
	}
}

// giveBack returns leases with unsent recipients. It follows settle, so recipients with an outcome
// have left the lease. It leaves out leases with an unwritten outcome: their recipients must not
// return as unsent.
func (a *acker) giveBack(keep context.Context, camp *activeCampaign, leases []*lease) {
	claims := make([]string, 0, len(leases))
	for _, l := range leases {
		if !l.unwritten {
			claims = append(claims, l.Claim)
		}
	}
	if len(claims) == 0 {
		return
	}
	err := a.redis.persist(keep, "give back", camp, func(ctx context.Context) error {
		_, err := camp.queue.GiveBack(ctx, claims...)
		return err
	})
	if err != nil {
		a.log.Warn("recipients not given back; they return when their lease ends", "campaign", camp.id, "error", err)
	}
}

// outcomeBuffer holds the outcomes of a campaign until they are written. Only the acker uses it.
type outcomeBuffer struct {
	camp      *activeCampaign
	outcomes  []queue.Settlement // not yet in a batch
	progress  []queue.Progress   // likewise; written before the outcomes
	unreached []dedupe.Address   // of both
	uncounted []uncounted        // of these and of those that go back
	finished  []*lease           // released when these are written
	returning []*lease           // finished, and given back after that
	writing   *outcomeBatch      // the batch being written
	spare     []queue.Settlement // memory of the last batch, for reuse
}

// outcomeBatch is written at one time: first the outcomes, then the leases to give back.
type outcomeBatch struct {
	buffer   *outcomeBuffer
	outcomes []queue.Settlement
	progress []queue.Progress
	finished []*lease
	back     []*lease

	unreached []dedupe.Address
	uncounted []uncounted
}

func (l *outcomeBuffer) add(e outcome) {
	l.unreached = append(l.unreached, e.unreached...)
	if e.uncounted != nil {
		l.uncounted = append(l.uncounted, uncounted{e.lease, *e.uncounted})
	}
	switch s := e.settlement; {
	case e.partial:
		l.progress = append(l.progress, queue.Progress{Claim: s.Claim, Pos: s.Pos, Attempts: s.Attempts, State: s.Progress})
		return
	case e.goesBack:
		e.lease.returned = true
	default:
		l.outcomes = append(l.outcomes, s)
	}
	if e.lease.open--; e.lease.open > 0 {
		return
	}
	if e.lease.returned {
		l.returning = append(l.returning, e.lease)
	} else {
		l.finished = append(l.finished, e.lease)
	}
}

// hasWork reports whether there is something to write and no batch is being written.
func (l *outcomeBuffer) hasWork(giveBack bool) bool {
	return l.writing == nil && (len(l.outcomes)+len(l.progress)+len(l.finished) > 0 || giveBack && len(l.returning) > 0)
}

// startBatch takes everything into a batch; the leases to give back only if giveBack is set.
func (l *outcomeBuffer) startBatch(giveBack bool) *outcomeBatch {
	l.writing = &outcomeBatch{buffer: l, outcomes: l.outcomes, progress: l.progress, finished: l.finished, unreached: l.unreached, uncounted: l.uncounted}
	l.outcomes, l.spare, l.progress, l.finished, l.unreached, l.uncounted = l.spare, nil, nil, nil, nil, nil
	if giveBack {
		l.writing.back, l.returning = l.returning, nil
	}
	return l.writing
}

// endBatch ends the batch.
func (l *outcomeBuffer) endBatch() {
	clear(l.writing.outcomes)
	l.writing, l.spare = nil, l.writing.outcomes[:0]
}

// isEmpty reports whether nothing waits to be written.
func (l *outcomeBuffer) isEmpty() bool {
	return l.writing == nil && len(l.outcomes)+len(l.progress)+len(l.finished)+len(l.returning) == 0
}
