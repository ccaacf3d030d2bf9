package fcm

import (
	"slices"
	"time"
)

// reviewEvery is how often lanes are looked at that may not be needed any more. A lane stays for one to two reviews after its need.
const reviewEvery = 30 * time.Second

// most is how many lanes there may be: what is expected in flight needs so many, and two more make up for connections that are
// ending. A server without HTTP/2 needs one for each request.
func (l *lanes) most() int { return lanesFor(l.expected, l.width) + 2 }

// room is how many waiters the dials under way will serve.
func (l *lanes) room() int { return l.dialing * l.width }

func lanesFor(inFlight, width int) int { return (inFlight + width - 1) / width }

// dialAhead adds a lane when even the least loaded one is three quarters full: to begin a handshake when no stream is left
// would be too late. Caller holds mu.
func (l *lanes) dialAhead(least *lane) {
	if least.streams == 1 || 4*least.inFlight <= 3*least.streams || l.dialing > 0 || l.recall() {
		return
	}
	if l.mayDial() {
		l.beginDial()
	}
}

// reviewing retires what is not needed, until the lanes are closed.
func (l *lanes) reviewing() {
	tick := time.NewTicker(reviewEvery)
	defer tick.Stop()
	for {
		select {
		case <-l.alive.Done():
			return
		case <-tick.C:
			l.review()
		}
	}
}

// review retires what the last two intervals did not need. It leaves a quarter free and one lane more, or dialAhead would at once bring
// back what went.
func (l *lanes) review() {
	l.mu.Lock()
	defer l.mu.Unlock()
	needed := lanesFor(4*max(l.peak[0], l.peak[1])/3, l.width) + 1
	l.peak = [2]int{l.inFlight, l.peak[0]}
	live := slices.DeleteFunc(slices.Clone(l.open), func(lane *lane) bool { return lane.retired })
	if len(live) <= needed {
		return
	}
	slices.SortFunc(live, func(a, b *lane) int { return b.inFlight - a.inFlight })
	for _, lane := range live[needed:] {
		lane.retired = true
	}
	l.inspect()
}

// recall takes a retired lane back into use, where there is one. Caller holds mu.
func (l *lanes) recall() bool {
	i := slices.IndexFunc(l.open, func(lane *lane) bool { return lane.retired })
	if i >= 0 {
		l.open[i].retired = false
	}
	return i >= 0
}
