package dispatcher

import (
	"sync"
	"sync/atomic"
	"time"

	"fanfare/internal/campaign"
)

// lease is one claim that this process holds. It is open until each of its elements has an outcome or is to go back.
type lease struct {
	camp     *served
	claim    string
	round    int64                     // of the campaign's breaker, in which it was admitted: ms of the server's clock
	probed   bool                      // FCM answered a probe just before the round began
	here     time.Time                 // just before the claim, by this process's clock: a slow answer makes no deadline later
	there    time.Time                 // the claim, by the server's
	expiry   time.Time                 // of the producer's list, by the server's; zero: none
	assumed  bool                      // no producer has said so: the campaign's own deadline counts instead, if it has one
	until    atomic.Pointer[time.Time] // by this process's monotonic clock
	open     int                       // elements without an end; the acker's alone
	returned bool                      // some element goes back unsent; the acker's alone

	unwritten bool // some outcome could not be written; for whoever writes the campaign's page
}

// valid reports that no other process can have been given this lease's elements.
func (l *lease) valid(now time.Time) bool { return now.Before(*l.until.Load()) }

// local turns a moment of the server's clock into one of this process's; zero stays zero.
func (l *lease) local(server time.Time) time.Time {
	if server.IsZero() {
		return server
	}
	return l.here.Add(server.Sub(l.there))
}

// deadline is the list's or the campaign's, by this process's clock; zero: none. The campaign's may change while the lease is held.
func (l *lease) deadline() time.Time {
	return campaign.Earliest(l.listDeadline(), l.local(l.camp.terms.Load().deadline))
}

// listDeadline is the list's, by this process's clock; zero: none, or the campaign's own goes before one that was only assumed.
func (l *lease) listDeadline() time.Time {
	if l.assumed && !l.camp.terms.Load().deadline.IsZero() {
		return time.Time{}
	}
	return l.local(l.expiry)
}

func (l *lease) extendTo(t time.Time) { l.until.Store(&t) }

// held is the set of leases to extend.
type held struct {
	mu     sync.Mutex
	leases map[string]*lease
}

func newHeld() *held { return &held{leases: make(map[string]*lease)} }

func (h *held) add(l *lease) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.leases[l.claim] = l
}

func (h *held) remove(l *lease) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.leases, l.claim)
}

func (h *held) get(claim string) *lease {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.leases[claim]
}

// of counts a campaign's leases.
func (h *held) of(camp *served) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	n := 0
	for _, l := range h.leases {
		if l.camp == camp {
			n++
		}
	}
	return n
}

// byCampaign groups the leases held now.
func (h *held) byCampaign() map[*served][]*lease {
	h.mu.Lock()
	defer h.mu.Unlock()
	groups := make(map[*served][]*lease)
	for _, l := range h.leases {
		groups[l.camp] = append(groups[l.camp], l)
	}
	return groups
}
