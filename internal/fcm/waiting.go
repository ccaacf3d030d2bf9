package fcm

import "slices"

// serve gives waiters what has become free, and dials for those who are left. Caller holds mu.
func (l *lanes) serve() {
	l.grantFree()
	if len(l.waiting) == 0 {
		return
	}
	l.inspect()
	for l.grantFree(); len(l.waiting) > 0 && l.recall(); l.grantFree() {
	}
	for l.room() < len(l.waiting) && l.mayDial() {
		l.beginDial()
	}
	if len(l.open) == 0 && l.dialing == 0 {
		l.dismiss(l.lastErr)
	}
}

func (l *lanes) grantFree() {
	for len(l.waiting) > 0 {
		lane := l.pick()
		if lane == nil {
			return
		}
		l.waiting[0] <- grant{lane: lane}
		l.waiting = l.waiting[1:]
	}
}

// dismiss tells all waiters that there will be no lane for them.
func (l *lanes) dismiss(err error) {
	for _, wait := range l.waiting {
		wait <- grant{err: err}
	}
	l.waiting = nil
}

// inspect drops the lanes that are dead, that are retired and done, or that refuse although nothing is under way on them: the server
// is closing those. Those that have room again are asked again.
func (l *lanes) inspect() {
	l.open = slices.DeleteFunc(l.open, func(lane *lane) bool {
		free := lane.Available()
		if err := lane.Err(); err != nil || (lane.inFlight == 0 && (free == 0 || lane.retired)) {
			l.log.Debug("connection to FCM ended", "endpoint", l.address, "in_flight", lane.inFlight, "error", err)
			l.work.Go(func() { _ = lane.Close() })
			l.metrics.connections.Dec()
			return true
		}
		lane.full = free == 0
		return false
	})
}

// leave takes a waiter out of the queue. What it was granted meanwhile goes back.
func (l *lanes) leave(wait chan grant) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.waiting = slices.DeleteFunc(l.waiting, func(w chan grant) bool { return w == wait })
	select {
	case g := <-wait:
		if g.lane != nil {
			l.done(g.lane)
		}
	default:
	}
}
