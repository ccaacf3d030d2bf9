package dispatcher

import "fanfare/internal/queue"

// ledger is what became of a campaign's recipients until it is written. All of it is the acker's alone.
type outcomeBuffer struct {
	camp      *activeCampaign
	outcomes  []queue.Settlement // neither written nor on their way
	finished  []*lease           // done with once these are written
	returning []*lease           // finished, too, and to be given back after that
	writing      *outcomeBatch              // being written
	spare     []queue.Settlement // room for outcomes, from the last page
}

// page is what is written of a ledger at a time: first the outcomes, then the leases to give back.
type outcomeBatch struct {
	buffer   *outcomeBuffer
	outcomes []queue.Settlement
	finished []*lease
	back     []*lease
}

func (l *outcomeBuffer) add(e outcome) {
	if e.goesBack {
		e.lease.returned = true
	} else {
		l.outcomes = append(l.outcomes, e.settlement)
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

// waits tells that there is something for a page, while none is being written.
func (l *outcomeBuffer) hasWork(giveBack bool) bool {
	return l.writing == nil && (len(l.outcomes)+len(l.finished) > 0 || giveBack && len(l.returning) > 0)
}

// turn begins a page of all there is, or of all but the leases to give back.
func (l *outcomeBuffer) startBatch(giveBack bool) *outcomeBatch {
	l.writing = &outcomeBatch{buffer: l, outcomes: l.outcomes, finished: l.finished}
	l.outcomes, l.spare, l.finished = l.spare, nil, nil
	if giveBack {
		l.writing.back, l.returning = l.returning, nil
	}
	return l.writing
}

// close ends the page.
func (l *outcomeBuffer) endBatch() {
	clear(l.writing.outcomes)
	l.writing, l.spare = nil, l.writing.outcomes[:0]
}

// empty tells that nothing waits to be written.
func (l *outcomeBuffer) isEmpty() bool {
	return l.writing == nil && len(l.outcomes)+len(l.finished)+len(l.returning) == 0
}
