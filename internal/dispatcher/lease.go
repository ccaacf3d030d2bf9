package dispatcher

import (
	"sync"
	"sync/atomic"
	"time"

	"fanfare/internal/campaign"
)

// lease is one claim of this process. It is open until each element has an outcome or goes back.
type lease struct {
	camp            *activeCampaign
	claim           string
	round           int64                     // breaker round that admitted it, in ms of the server's clock
	afterProbe      bool                      // FCM answered a probe just before the round
	claimedAt       time.Time                 // before the claim, this process's clock: a slow reply moves no deadline
	claimedAtServer time.Time                 // the claim, server's clock
	expiry          time.Time                 // of the producer's list, server's clock; zero: none
	assumed         bool                      // expiry is a default: the campaign's own deadline goes first
	until           atomic.Pointer[time.Time] // this process's monotonic clock
	open            int                       // elements without an outcome; used by the acker only
	returned        bool                      // an element goes back unsent; used by the acker only

	unwritten bool // an outcome could not be written; used by the batch's writer only
}

// isValid reports whether no other process can have this lease's elements.
func (l *lease) isValid(now time.Time) bool { return now.Before(*l.until.Load()) }

// localTime converts a time of the server's clock to this process's clock; zero stays zero.
func (l *lease) localTime(server time.Time) time.Time {
	if server.IsZero() {
		return server
	}
	return l.claimedAt.Add(server.Sub(l.claimedAtServer))
}

// deadline is the list's or the campaign's, whichever is earlier, by this process's clock; zero:
// none. The campaign's may change while the lease is held.
func (l *lease) deadline() time.Time {
	return campaign.Earliest(l.listDeadline(), l.localTime(l.camp.settings.Load().deadline))
}

// listDeadline is the list's, by this process's clock. It is zero if there is none, or if it is a
// default and the campaign has its own.
func (l *lease) listDeadline() time.Time {
	if l.assumed && !l.camp.settings.Load().deadline.IsZero() {
		return time.Time{}
	}
	return l.localTime(l.expiry)
}

func (l *lease) extendTo(t time.Time) { l.until.Store(&t) }

// leaseSet is the set of leases to extend.
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

// countOf counts a campaign's leases.
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

// byCampaign groups all leases by campaign.
func (h *leaseSet) byCampaign() map[*activeCampaign][]*lease {
	h.mu.Lock()
	defer h.mu.Unlock()
	groups := make(map[*activeCampaign][]*lease)
	for _, l := range h.leases {
		groups[l.camp] = append(groups[l.camp], l)
	}
	return groups
}
