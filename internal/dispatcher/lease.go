package dispatcher

import (
	"sync"
	"sync/atomic"
	"time"

	"fanfare/internal/campaign"
)

// lease is one claim that this process holds. It is open until each of its elements has an outcome or is to go back.
type lease struct {
	camp     *activeCampaign
	claim    string
	round    int64                     // of the campaign's breaker, in which it was admitted: ms of the server's clock
	afterProbe   bool                      // FCM answered a probe just before the round began
	claimedAt     time.Time                 // just before the claim, by this process's clock: a slow answer makes no deadline later
	claimedAtServer    time.Time                 // the claim, by the server's
	expiry   time.Time                 // of the producer's list, by the server's; zero: none
	assumed  bool                      // no producer has said so: the campaign's own deadline counts instead, if it has one
	until    atomic.Pointer[time.Time] // by this process's monotonic clock
	open     int                       // elements without an end; the acker's alone
	returned bool                      // some element goes back unsent; the acker's alone

	unwritten bool // some outcome could not be written; for whoever writes the campaign's page
}

// valid reports that no other process can have been given this lease's elements.
func (l *lease) isValid(now time.Time) bool { return now.Before(*l.until.Load()) }

// local turns a moment of the server's clock into one of this process's; zero stays zero.
func (l *lease) localTime(server time.Time) time.Time {
	if server.IsZero() {
		return server
	}
	return l.claimedAt.Add(server.Sub(l.claimedAtServer))
}

// deadline is the list's or the campaign's, by this process's clock; zero: none. The campaign's may change while the lease is held.
func (l *lease) deadline() time.Time {
	return campaign.Earliest(l.listDeadline(), l.localTime(l.camp.settings.Load().deadline))
}

// listDeadline is the list's, by this process's clock; zero: none, or the campaign's own goes before one that was only assumed.
func (l *lease) listDeadline() time.Time {
	if l.assumed && !l.camp.settings.Load().deadline.IsZero() {
		return time.Time{}
	}
	return l.localTime(l.expiry)
}

func (l *lease) extendTo(t time.Time) { l.until.Store(&t) }

// held is the set of leases to extend.
type leaseSet struct {
	mu     sync.Mutex
	leases map[string]*lease
}

func newLeaseSet() *leaseSet { return &leaseSet{leases: make(map[string]*lease)} }

func (h *leaseSet) add(l *lease) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.leases[l.claim] = l
}

func (h *leaseSet) remove(l *lease) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.leases, l.claim)
}

func (h *leaseSet) get(claim string) *lease {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.leases[claim]
}

// of counts a campaign's leases.
func (h *leaseSet) countOf(camp *activeCampaign) int {
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
func (h *leaseSet) byCampaign() map[*activeCampaign][]*lease {
	h.mu.Lock()
	defer h.mu.Unlock()
	groups := make(map[*activeCampaign][]*lease)
	for _, l := range h.leases {
		groups[l.camp] = append(groups[l.camp], l)
	}
	return groups
}
