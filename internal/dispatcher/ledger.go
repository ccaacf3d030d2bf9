package dispatcher

import "fanfare/internal/queue"

// ledger is what became of a campaign's recipients until it is written. All of it is the acker's alone.
type ledger struct {
	camp      *served
	outcomes  []queue.Settlement // neither written nor on their way
	finished  []*lease           // done with once these are written
	returning []*lease           // finished, too, and to be given back after that
	page      *page              // being written
	spare     []queue.Settlement // room for outcomes, from the last page
}

// page is what is written of a ledger at a time: first the outcomes, then the leases to give back.
type page struct {
	ledger   *ledger
	outcomes []queue.Settlement
	finished []*lease
	back     []*lease
}

func (l *ledger) add(e event) {
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
func (l *ledger) waits(giveBack bool) bool {
	return l.page == nil && (len(l.outcomes)+len(l.finished) > 0 || giveBack && len(l.returning) > 0)
}

// turn begins a page of all there is, or of all but the leases to give back.
func (l *ledger) turn(giveBack bool) *page {
	l.page = &page{ledger: l, outcomes: l.outcomes, finished: l.finished}
	l.outcomes, l.spare, l.finished = l.spare, nil, nil
	if giveBack {
		l.page.back, l.returning = l.returning, nil
	}
	return l.page
}

// close ends the page.
func (l *ledger) close() {
	clear(l.page.outcomes)
	l.page, l.spare = nil, l.page.outcomes[:0]
}

// empty tells that nothing waits to be written.
func (l *ledger) empty() bool {
	return l.page == nil && len(l.outcomes)+len(l.finished)+len(l.returning) == 0
}
