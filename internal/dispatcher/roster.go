package dispatcher

import (
	"sync"

	"fanfare/internal/queue"
)

// roster is the set of active campaigns.
type roster struct {
	mu      sync.RWMutex
	byID    map[string]*activeCampaign
	changed chan struct{} // signals the claimer
	dropped chan struct{} // signals the acker
}

func newRoster() *roster {
	return &roster{byID: make(map[string]*activeCampaign), changed: make(chan struct{}, 1), dropped: make(chan struct{}, 1)}
}

func (r *roster) get(id string) *activeCampaign {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.byID[id]
}

func (r *roster) all() []*activeCampaign {
	r.mu.RLock()
	defer r.mu.RUnlock()
	list := make([]*activeCampaign, 0, len(r.byID))
	for _, s := range r.byID {
		list = append(list, s)
	}
	return list
}

// queues are those of all campaigns.
func (r *roster) queues() []*queue.Queue {
	all := r.all()
	queues := make([]*queue.Queue, len(all))
	for i, camp := range all {
		queues[i] = camp.queue
	}
	return queues
}

// onHold are the campaigns that wait for a probe.
func (r *roster) onHold() (waiting []*activeCampaign) {
	for _, camp := range r.all() {
		if camp.hold.Load() != nil {
			waiting = append(waiting, camp)
		}
	}
	return waiting
}

// put adds a campaign. An earlier version of it is closed: its recipients go back and get the new
// message.
func (r *roster) put(s *activeCampaign) {
	r.mu.Lock()
	if old := r.byID[s.id]; old != nil {
		old.close()
	}
	r.byID[s.id] = s
	r.mu.Unlock()
	signal(r.dropped)
	r.wake()
}

// wake makes the claimer look at the campaigns again.
func (r *roster) wake() { signal(r.changed) }

// signal wakes the goroutine that listens, unless a signal is already waiting.
func signal(listener chan<- struct{}) {
	select {
	case listener <- struct{}{}:
	default:
	}
}

// drop closes and removes a campaign.
func (r *roster) drop(s *activeCampaign) {
	s.close()
	signal(r.dropped)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.byID[s.id] == s {
		delete(r.byID, s.id)
	}
}
